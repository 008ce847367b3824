//! Pins, spent states and keys, in one file that several proxies share.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn at(folder: &tempfile::TempDir) -> State {
    State::at(folder.path().join("mcp.db")).unwrap()
}

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn met<'a>(tool: &'a str, digest: &'a str) -> Met<'a> {
    Met {
        tool,
        digest,
        text: "{}",
    }
}

#[test]
fn the_key_is_made_once_and_lasts() {
    let folder = folder();
    let one = at(&folder);
    let again = at(&folder);
    let keys = [&one, &again].map(State::binding_key);
    let [one_key, again_key] = keys.each_ref().map(secrecy::ExposeSecret::expose_secret);
    assert_eq!(one_key, again_key);
    assert_eq!(one_key.len(), 64);
    let derived = |purpose| *one.derive(purpose).expose_secret();
    assert_eq!(derived("a"), *again.derive("a").expose_secret());
    assert_ne!(derived("a"), derived("b"));
    let other = self::folder();
    assert_ne!(at(&other).binding_key().expose_secret(), one_key);
    assert!(!format!("{one:?}").contains(one_key));
}

#[test]
fn the_file_is_its_owners_alone_or_is_not_used() {
    let folder = folder();
    let path = at(&folder).path().to_owned();
    for name in ["mcp.db", "mcp.db-wal", "mcp.db-shm"] {
        let file = folder.path().join(name);
        if let Ok(about) = std::fs::metadata(&file) {
            assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let fault = State::at(&path).unwrap_err().to_string();
    assert!(
        fault.contains("chmod 600") && fault.contains("mcp.db"),
        "{fault}"
    );
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("other.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(connection);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let fault = State::at(&path).unwrap_err().to_string();
    assert!(fault.contains("no state of the MCP proxy"), "{fault}");
    std::fs::write(&path, "not a database, but a text of some length").unwrap();
    assert!(State::at(&path).is_err());
    assert!(State::at(folder.path()).is_err(), "a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(&pipe)
        .status();
    assert!(made.unwrap().success());
    assert!(State::at(&pipe).is_err(), "a pipe");
    assert!(State::at(folder.path().join("none/mcp.db")).is_err());
}

#[test]
fn beside_a_store_it_has_the_stores_name() {
    let folder = folder();
    let store = folder.path().join("approvals.db");
    std::fs::write(&store, "").unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&store, &link).unwrap();
    for store in [&store, &link] {
        let state = State::open(Some(store)).unwrap();
        assert!(state.path().ends_with("approvals.db.mcp"));
    }
}

#[test]
fn a_state_is_spent_once_whoever_asks_also_after_a_restart() {
    let folder = folder();
    let states: Vec<State> = (0..4).map(|_| at(&folder)).collect();
    let spent: usize = std::thread::scope(|scope| {
        let spending: Vec<_> = states
            .iter()
            .map(|state| {
                scope.spawn(|| {
                    let spend = |id: u8| state.spend(&[id; 24], time(60), time(0)).unwrap();
                    (0..50).filter(|id| spend(*id)).count()
                })
            })
            .collect();
        spending
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(spent, 50);
    drop(states);
    assert!(!at(&folder).spend(&[7; 24], time(60), time(59)).unwrap());
    let rows = |state: &State| -> i64 {
        let connection = state.connection();
        let sql = "SELECT count(*) FROM spent";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let state = at(&folder);
    assert_eq!(rows(&state), 50);
    assert!(state.spend(&[99; 24], time(120), time(61)).unwrap());
    assert_eq!(rows(&state), 1, "what is too old to open is forgotten");
}

#[test]
fn the_first_definition_counts_and_a_later_one_waits_for_a_person() {
    let folder = folder();
    let (one, other) = (at(&folder), at(&folder));
    let accepted = |digest| other.is_accepted("files", "wipe", digest).unwrap();
    one.meet("files", &[met("wipe", "d1"), met("read", "r1")], time(0))
        .unwrap();
    assert!(accepted("d1") && !accepted("d2"));
    one.meet("files", &[met("wipe", "d2")], time(1)).unwrap();
    assert!(accepted("d1") && !accepted("d2"));
    assert!(!other.is_accepted("mail", "wipe", "d1").unwrap());
    assert!(other.is_known("files", "wipe").unwrap());
    assert!(!other.is_known("files", "Wipe").unwrap());
    let tools = other.tools(Some("files")).unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["read", "wipe"]);
    assert!(!tools[0].is_changed() && tools[1].is_changed());
    assert_eq!(tools[1].last().unwrap().digest, "d2");
    assert_eq!(tools[1].accepted().unwrap().digest, "d1");
    assert!(!other.accept("files", "wipe", "d3", time(2)).unwrap());
    assert!(other.accept("files", "wipe", "d2", time(2)).unwrap());
    assert!(accepted("d2"));
    // Back to what was accepted before: no change that anybody has not seen.
    one.meet("files", &[met("wipe", "d1")], time(3)).unwrap();
    let tools = one.tools(None).unwrap();
    assert_eq!(tools[1].last().unwrap().digest, "d1");
    assert!(!tools[1].is_changed());
}

#[test]
fn a_clock_that_was_set_back_does_not_hide_a_change() {
    let folder = folder();
    let state = at(&folder);
    state
        .meet("files", &[met("wipe", "d1")], time(100))
        .unwrap();
    state.meet("files", &[met("wipe", "d2")], time(0)).unwrap();
    let tools = state.tools(None).unwrap();
    assert_eq!(tools[0].last().unwrap().digest, "d2");
    assert!(tools[0].is_changed());
}

#[test]
fn a_server_cannot_fill_the_disk_with_definitions() {
    let folder = folder();
    let state = at(&folder);
    let long = "x".repeat(1 << 20);
    let digests: Vec<String> = (0..40).map(|n| format!("d{n}")).collect();
    for (digest, at) in digests.iter().zip(0..) {
        let met = Met {
            tool: "wipe",
            digest,
            text: &long,
        };
        state.meet("files", &[met], time(at)).unwrap();
    }
    let tools = state.tools(None).unwrap();
    let kept: Vec<&str> = tools[0]
        .definitions
        .iter()
        .map(|d| d.digest.as_str())
        .collect();
    assert_eq!(kept.len(), 17);
    assert_eq!((kept[0], kept[15], kept[16]), ("d39", "d24", "d0"));
    assert!(tools[0].definitions.iter().all(|d| d.text.is_none()));
    let names: Vec<String> = (0..5_100).map(|n| format!("t{n}")).collect();
    let many: Vec<Met<'_>> = names.iter().map(|name| met(name, "d")).collect();
    state.meet("many", &many, time(0)).unwrap();
    assert_eq!(state.tools(Some("many")).unwrap().len(), 5_000);
    assert!(!state.is_accepted("many", "t5099", "d").unwrap());
}

#[test]
fn of_a_server_with_very_much_to_say_only_digests_are_kept_in_the_end() {
    let folder = folder();
    let state = at(&folder);
    let text = "x".repeat(250 << 10);
    let names: Vec<String> = (0..300).map(|n| format!("t{n}")).collect();
    for (names, at) in names.chunks(100).zip(0..) {
        let met: Vec<Met<'_>> = names
            .iter()
            .map(|tool| Met {
                tool,
                digest: "d",
                text: &text,
            })
            .collect();
        state.meet("files", &met, time(at)).unwrap();
    }
    let tools = state.tools(None).unwrap();
    let texts = tools
        .iter()
        .filter(|tool| tool.definitions[0].text.is_some());
    assert_eq!(
        (tools.len(), texts.count()),
        (300, (64 << 20) / (250 << 10))
    );
    assert!(state.is_accepted("files", "t299", "d").unwrap());
}

#[test]
fn the_users_own_state_lies_where_the_xdg_specification_says() {
    let path = |text: &str| Some(std::path::PathBuf::from(text));
    let home = || path("/home/ada");
    let folder = |xdg, home| open::folder(xdg, home);
    assert_eq!(folder(path("/x"), home()), path("/x/sernixa"));
    let usual = path("/home/ada/.local/state/sernixa");
    assert_eq!(folder(None, home()), usual);
    assert_eq!(folder(path("relative"), home()), usual);
    assert_eq!(folder(path(""), home()), usual);
    assert_eq!(folder(None, None), None);
    assert_eq!(folder(None, path("")), None);
}
