//! Folders as they come: well kept, hostile, half written, broken.

use std::os::unix::fs::symlink;
use std::process::Command;

use sernixa_engine::{Moment, Principal, Request};
use tempfile::TempDir;

use super::*;

const ASK: &str =
    "@id(\"ask\") permit (principal, action == Sernixa::Action::\"request\", resource);";
const RUN: &str =
    "@id(\"run\") permit (principal, action == Sernixa::Action::\"proceed\", resource);";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_778_000_000_000 + seconds * 1_000)
}

/// Whether a low-risk read runs at once.
fn runs(engine: &Engine) -> bool {
    let body = r#"{"intent_id":"i","action_id":"a","metadata":{"risk_level":"low",
        "operation_class":"read","data_sensitivity":"public","systems_touched":["s"]}}"#;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let moment = Moment::new(at(0), seed);
    let answer = engine.handle(&Principal::local(), Request::Submit { body }, &moment);
    answer.status == 200
}

fn refused(dir: &Path) -> String {
    read(dir).unwrap_err().to_string()
}

#[test]
fn a_folder_is_its_policy_files_by_name_and_nothing_else() {
    let dir = folder(&[
        ("b.cedar", RUN),
        ("a.cedar", ASK),
        ("metadata.cedarschema", "type Metadata = {};"),
        (".a.cedar.swp", "x"),
        (".hidden.cedar", "x"),
        ("a.cedar~", "x"),
        ("README.md", "x"),
        ("tests.toml", "x"),
    ]);
    fs::create_dir(dir.path().join("more")).unwrap();
    fs::write(dir.path().join("more/c.cedar"), "x").unwrap();
    let expected = Sources::new()
        .policies("a.cedar", ASK)
        .policies("b.cedar", RUN)
        .metadata("metadata.cedarschema", "type Metadata = {};");
    assert_eq!(read(dir.path()).unwrap(), expected);
}

#[test]
fn a_file_that_is_not_what_it_seems_is_refused_by_name() {
    let outside = folder(&[("elsewhere.cedar", ASK)]);
    let dir = folder(&[("a.cedar", ASK)]);
    let link = dir.path().join("b.cedar");

    symlink(outside.path().join("elsewhere.cedar"), &link).unwrap();
    assert!(refused(dir.path()).contains("b.cedar: the link leads out of the policy folder"));
    fs::remove_file(&link).unwrap();

    symlink("/dev/zero", &link).unwrap();
    assert!(refused(dir.path()).contains("leads out"));
    fs::remove_file(&link).unwrap();

    symlink("nowhere", &link).unwrap();
    assert!(refused(dir.path()).contains("b.cedar"));
    fs::remove_file(&link).unwrap();

    fs::create_dir(&link).unwrap();
    assert!(refused(dir.path()).contains("not a regular file"));
    fs::remove_dir(&link).unwrap();

    // Opening it would wait for ever.
    assert!(
        Command::new("mkfifo")
            .arg(&link)
            .status()
            .unwrap()
            .success()
    );
    assert!(refused(dir.path()).contains("not a regular file"));
    fs::remove_file(&link).unwrap();

    fs::write(&link, b"\xff\xfe").unwrap();
    assert!(refused(dir.path()).contains("not UTF-8"));
    fs::write(&link, "x".repeat(MAX_TEXT_BYTES + 1)).unwrap();
    assert!(refused(dir.path()).contains("longer than 1 MiB"));
    fs::remove_file(&link).unwrap();

    fs::write(dir.path().join("other.cedarschema"), "").unwrap();
    assert!(refused(dir.path()).contains("only metadata.cedarschema is read"));
    assert!(refused(&dir.path().join("gone")).contains("gone"));
}

#[test]
fn links_inside_the_folder_are_followed_as_mounted_configuration_needs() {
    let dir = folder(&[]);
    fs::create_dir(dir.path().join("..data")).unwrap();
    fs::write(dir.path().join("..data/a.cedar"), ASK).unwrap();
    symlink("..data/a.cedar", dir.path().join("a.cedar")).unwrap();
    assert_eq!(
        read(dir.path()).unwrap(),
        Sources::new().policies("a.cedar", ASK)
    );
}

#[test]
fn a_changed_folder_is_in_force_once_it_has_settled() {
    let dir = folder(&[("a.cedar", ASK)]);
    let engine = Engine::in_memory();
    let reloader = Reloader::start(&engine, dir.path(), "UTC").unwrap();
    let first = reloader.status();
    assert!(!runs(&engine));
    assert_eq!(reloader.poll(at(1)), Look::Same);

    fs::write(dir.path().join("b.cedar"), RUN).unwrap();
    assert_eq!(reloader.poll(at(2)), Look::Changing);
    assert!(!runs(&engine));
    assert_eq!(reloader.poll(at(3)), Look::Loaded);
    assert!(runs(&engine));
    assert_ne!(reloader.status().digest, first.digest);
    assert_eq!(reloader.poll(at(4)), Look::Same);
}

/// An editor empties a file before it writes it: for a moment its policies are gone, and what they
/// forbid would be permitted.
#[test]
fn a_file_that_is_being_written_is_not_taken_for_an_empty_one() {
    let forbid = "@id(\"no\") forbid (principal, action, resource);";
    let dir = folder(&[
        ("a.cedar", &format!("{ASK}{RUN}")),
        ("forbid.cedar", forbid),
    ]);
    let engine = Engine::in_memory();
    let reloader = Reloader::start(&engine, dir.path(), "UTC").unwrap();
    fs::write(dir.path().join("forbid.cedar"), "").unwrap();
    assert_eq!(reloader.poll(at(1)), Look::Changing);
    fs::write(dir.path().join("forbid.cedar"), forbid).unwrap();
    assert_eq!(reloader.poll(at(2)), Look::Same);
    assert!(!runs(&engine));
}

#[test]
fn a_broken_folder_leaves_the_set_before_it_in_force_and_says_so() {
    let dir = folder(&[("a.cedar", &format!("{ASK}{RUN}"))]);
    let engine = Engine::in_memory();
    let reloader = Reloader::start(&engine, dir.path(), "UTC").unwrap();
    let digest = reloader.status().digest;
    let file = dir.path().join("a.cedar");

    fs::write(&file, "permit (principal, action, resource);").unwrap();
    assert_eq!(reloader.reload(at(5)), Look::Failed);
    let status = reloader.status();
    assert_eq!(status.digest, digest);
    let failure = status.failure.unwrap();
    assert!(
        failure
            .error
            .starts_with("a.cedar:1:1: a policy has no `@id`")
    );
    assert_eq!(failure.since, at(5));
    assert!(runs(&engine));
    // Told once, not once a second.
    assert_eq!(reloader.poll(at(6)), Look::Same);
    assert_eq!(reloader.status().failure.unwrap().since, at(5));

    fs::remove_file(&file).unwrap();
    assert_eq!(reloader.reload(at(7)), Look::Failed);
    assert!(
        reloader
            .status()
            .failure
            .unwrap()
            .error
            .contains("there are no policies")
    );

    fs::rename(dir.path(), dir.path().with_extension("gone")).unwrap();
    assert_eq!(reloader.reload(at(8)), Look::Failed);
    assert!(runs(&engine));
    fs::rename(dir.path().with_extension("gone"), dir.path()).unwrap();

    fs::write(&file, ASK).unwrap();
    assert_eq!(reloader.reload(at(9)), Look::Loaded);
    assert_eq!(reloader.status().failure, None);
    assert!(!runs(&engine));
}

#[test]
fn a_folder_that_is_as_it_was_before_it_broke_is_well_again() {
    let dir = folder(&[("a.cedar", ASK)]);
    let engine = Engine::in_memory();
    let reloader = Reloader::start(&engine, dir.path(), "UTC").unwrap();
    let before = reloader.status();
    fs::write(dir.path().join("a.cedar"), "broken").unwrap();
    assert_eq!(reloader.reload(at(1)), Look::Failed);
    fs::write(dir.path().join("a.cedar"), format!("// again\n{ASK}")).unwrap();
    assert_eq!(reloader.reload(at(2)), Look::Loaded);
    assert_eq!(reloader.status(), before);
}

#[test]
fn a_service_does_not_start_with_a_broken_folder() {
    let dir = folder(&[("a.cedar", "permit (principal, action, resource);")]);
    let engine = Engine::in_memory();
    let error = Reloader::start(&engine, dir.path(), "UTC").unwrap_err();
    assert!(error.contains("has no `@id`"), "{error}");
    let dir = folder(&[("a.cedar", ASK)]);
    let error = Reloader::start(&engine, dir.path(), "Nowhere/Never").unwrap_err();
    assert!(error.contains("Nowhere/Never"), "{error}");
}

#[tokio::test]
async fn the_watch_sees_a_change_by_itself_and_ends_when_told() {
    let dir = folder(&[("a.cedar", ASK)]);
    let engine = Engine::in_memory();
    let reloader = Arc::new(Reloader::start(&engine, dir.path(), "UTC").unwrap());
    let before = reloader.status().digest;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watching = tokio::spawn(Arc::clone(&reloader).watch_folder(|| at(0), async move {
        let _ = stopped.await;
    }));
    fs::write(dir.path().join("b.cedar"), RUN).unwrap();
    tokio::time::timeout(Duration::from_secs(30), async {
        while reloader.status().digest == before {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert!(runs(&engine));
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(30), watching)
        .await
        .unwrap()
        .unwrap();
}
