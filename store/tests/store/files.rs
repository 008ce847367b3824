//! The file itself, and the keys beside it: what is taken, what is refused, and in which words.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use sernixa_engine::{Entropy, Principal, Role, SecretKey, Store, StoreError};
use sernixa_store::SqliteStore;

use crate::process::engine;
use crate::support::{Bench, Draft, agent};

fn refused(path: impl AsRef<Path>) -> String {
    SqliteStore::open(path).unwrap_err().to_string()
}

fn claim_key(store: &SqliteStore, seed: u8) -> Result<SecretKey, StoreError> {
    store.claim_key(&mut Entropy::from_seed([seed; 32]))
}

#[test]
fn a_path_that_leads_to_no_file_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(refused(folder.path()).contains("is a folder"));
    assert!(refused(at("none/a.db")).contains("create the folder"));
    fs::write(at("file"), "text").unwrap();
    assert!(refused(at("file/a.db")).contains("folder is needed"));
    assert!(refused("").contains("path"));
    assert!(refused("a\0b").contains("no file name"));
    assert!(!at("none").exists(), "no folder is made");
}

#[test]
fn a_file_of_somebody_else_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "not a database, and long enough to be looked at as one".repeat(99),
    )
    .unwrap();
    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(connection);
    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        assert!(
            refused(&path).contains("no store of Sernixa"),
            "{}",
            refused(&path)
        );
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left beside them"
    );
}

#[test]
fn an_empty_file_becomes_a_store_and_a_name_is_never_a_uri_or_memory() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "empty.db",
        ":memory:",
        "file:a.db?mode=memory",
        "with blanks é.db",
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        let bench = Bench::new(engine(&path));
        assert_eq!(bench.submit(&agent(), &Draft::read().body()).status, 200);
        drop(bench);
        assert_eq!(Bench::new(engine(&path)).events().len(), 1, "{name}");
    }
}

#[test]
fn a_damaged_file_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let bench = Bench::new(engine(&path));
    for _ in 0..200 {
        bench.submit(&agent(), &Draft::read().body());
    }
    drop(bench);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 100 * 4096);
    // All but the list of tables.
    for page in bytes.chunks_mut(4096).skip(10) {
        page[..64].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    let read = SqliteStore::open(&path).and_then(|store| store.events("acme", 0, 1_000));
    let error = read.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn whatever_links_lead_to_it_a_store_has_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
    let one = SqliteStore::open(&real).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&real, &link).unwrap();
    #[cfg(not(unix))]
    return;
    let other = SqliteStore::open(&link).unwrap();
    assert_eq!(one.path(), other.path());
    assert_eq!(claim_key(&one, 1).unwrap(), claim_key(&other, 2).unwrap());
}

#[test]
fn everybody_on_a_file_has_the_same_keys_and_two_that_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    SqliteStore::open(&path).unwrap();
    let keys: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|seed| {
                let path = &path;
                scope.spawn(move || {
                    let store = SqliteStore::open(path).unwrap();
                    let binding = store
                        .binding_key(&mut Entropy::from_seed([100 + seed; 32]))
                        .unwrap();
                    (claim_key(&store, seed).unwrap(), binding.unwrap())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|pair| *pair == keys[0]));
    assert_ne!(keys[0].0, keys[0].1);
}

#[test]
fn a_key_file_of_others_or_of_another_size_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let key = folder.path().join("a.db.claim-key");
    claim_key(&SqliteStore::open(&path).unwrap(), 1).unwrap();
    for (bytes, what) in [(31, "32 bytes"), (33, "32 bytes"), (0, "32 bytes")] {
        fs::write(&key, vec![7; bytes]).unwrap();
        let error = claim_key(&SqliteStore::open(&path).unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(fs::read(&key).unwrap().len(), bytes);
    }
    fs::write(&key, [7; 32]).unwrap();
    assert_eq!(
        claim_key(&SqliteStore::open(&path).unwrap(), 1).unwrap(),
        SecretKey::new([7; 32])
    );
    #[cfg(unix)]
    for mode in [0o640, 0o604, 0o620, 0o601] {
        use std::os::unix::fs::PermissionsExt as _;

        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let error = claim_key(&SqliteStore::open(&path).unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn what_a_crash_left_of_a_key_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    fs::write(folder.path().join("a.db.claim-key.new"), "half").unwrap();
    let made = claim_key(&SqliteStore::open(&path).unwrap(), 1).unwrap();
    assert_eq!(
        claim_key(&SqliteStore::open(&path).unwrap(), 2).unwrap(),
        made
    );
    assert!(!folder.path().join("a.db.claim-key.new").exists());
}

#[test]
fn a_store_for_looking_shows_everything_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a #1?100%.db");
    assert!(SqliteStore::open_read_only(&path).is_err());
    assert!(!path.exists(), "it is not made");
    let bench = Bench::new(engine(&path));
    bench.submit(&agent(), &Draft::read().body());
    let look = |store: SqliteStore| {
        let mark =
            store.transact(&mut |state| state.mark_claimed(&Arc::from("a"), &Arc::from("b")));
        assert!(mark.unwrap_err().to_string().contains("reading only"));
        let engine = sernixa_engine::Engine::builder()
            .store(store)
            .build()
            .unwrap();
        let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
        let report = engine.verify_audit(&auditor, &[]).unwrap();
        assert!(report.is_valid() && report.events == 1, "{report:?}");
    };
    // While somebody writes, and when nobody does.
    look(SqliteStore::open_read_only(&path).unwrap());
    drop(bench);
    let before = fs::read(&path).unwrap();
    look(SqliteStore::open_read_only(&path).unwrap());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_last_to_close_leaves_all_of_it_in_the_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let (bench, other) = (Bench::new(engine(&path)), engine(&path));
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    for _ in 0..9 {
        bench.submit(&agent(), &Draft::read().body());
        // Looking opens a connection of its own, which is of no use for closing.
        for engine in [&bench.engine, &other] {
            assert!(engine.verify_audit(&auditor, &[]).unwrap().is_valid());
        }
    }
    let log = folder.path().join("a.db-wal");
    drop(bench);
    assert!(log.exists(), "somebody else has it open");
    drop(other);
    assert!(!log.exists());
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let report = engine(&copy).verify_audit(&auditor, &[]).unwrap();
    assert!(report.is_valid() && report.events == 9, "{report:?}");
}
