//! Group commit: callers share the way to the disk, and nothing else.

use std::io::stdin;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sernixa_engine::{Entropy, Store, StoreError};
use sernixa_store::SqliteStore;

use crate::process::{Process, engine, file, say};
use crate::support::{Bench, Draft, agent};

type Done = Result<(), StoreError>;

/// What a caller does.
type Caller<'a> = Box<dyn FnOnce(&SqliteStore) -> Done + Send + 'a>;

fn mark(store: &SqliteStore, key: &str) -> Done {
    store.transact(&mut |state| state.mark_claimed(&Arc::from("acme"), &Arc::from(key)))
}

fn is_marked(store: &SqliteStore, key: &str) -> bool {
    let mut found = false;
    store
        .transact(&mut |state| {
            found = state.has_claimed("acme", key)?;
            Ok(())
        })
        .unwrap();
    found
}

/// Runs `first` in a transaction that is held open until `others` callers are in line behind it,
/// so that they share its commit.
fn together(store: &SqliteStore, others: Vec<Caller<'_>>) -> (Done, Vec<thread::Result<Done>>) {
    thread::scope(|scope| {
        let (holds, held) = channel();
        let (goes, go) = channel::<()>();
        let first = scope.spawn(move || {
            store.transact(&mut |state| {
                state.mark_claimed(&Arc::from("acme"), &Arc::from("first"))?;
                holds.send(()).unwrap();
                go.recv().unwrap();
                Ok(())
            })
        });
        held.recv().unwrap();
        let threads: Vec<ScopedJoinHandle<'_, Done>> = others
            .into_iter()
            .map(|other| scope.spawn(move || other(store)))
            .collect();
        // They cannot be seen to wait; those that come too late make a group of their own, which
        // changes nothing of what is asserted.
        thread::sleep(Duration::from_millis(100));
        goes.send(()).unwrap();
        let ends = threads.into_iter().map(ScopedJoinHandle::join).collect();
        (first.join().unwrap(), ends)
    })
}

#[test]
fn work_that_errs_or_panics_is_undone_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("a.db")).unwrap();
    let (first, ends) = together(
        &store,
        vec![
            Box::new(|store| mark(store, "kept")),
            Box::new(|store| {
                store.transact(&mut |state| {
                    state.mark_claimed(&Arc::from("acme"), &Arc::from("erred"))?;
                    Err(StoreError::new("given up"))
                })
            }),
            Box::new(|store| {
                let ran = catch_unwind(AssertUnwindSafe(|| {
                    store.transact(&mut |state| {
                        state.mark_claimed(&Arc::from("acme"), &Arc::from("panicked"))?;
                        resume_unwind(Box::new("a bug"))
                    })
                }));
                ran.unwrap_or_else(|panic| resume_unwind(panic))
            }),
            Box::new(|store| mark(store, "kept, too")),
        ],
    );
    first.unwrap();
    let [kept, erred, panicked, kept_too] = <[_; 4]>::try_from(ends).unwrap();
    kept.unwrap().unwrap();
    assert_eq!(erred.unwrap().unwrap_err().to_string(), "given up");
    assert!(panicked.is_err());
    kept_too.unwrap().unwrap();
    for (key, expected) in [
        ("first", true),
        ("kept", true),
        ("erred", false),
        ("panicked", false),
        ("kept, too", true),
    ] {
        assert_eq!(is_marked(&store, key), expected, "{key}");
    }
}

/// From now on no transaction that marks the key `poison` can be committed.
fn poison(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE sealed (key TEXT PRIMARY KEY);
            ALTER TABLE claimers ADD COLUMN trap TEXT
                AS (CASE key WHEN 'poison' THEN key END)
                REFERENCES sealed DEFERRABLE INITIALLY DEFERRED;",
        )
        .unwrap();
}

#[test]
fn a_commit_that_fails_fails_all_who_share_it_and_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).unwrap());
    poison(&path);
    let store = SqliteStore::open(&path).unwrap();
    let (first, ends) = together(
        &store,
        vec![
            Box::new(|store| mark(store, "poison")),
            Box::new(|store| mark(store, "other")),
        ],
    );
    let [poisoned, other] = <[_; 2]>::try_from(ends).unwrap();
    assert!(poisoned.unwrap().is_err());
    // Whether they shared the commit is up to the scheduler; what they were told is what is so.
    assert_eq!(first.is_ok(), is_marked(&store, "first"));
    assert_eq!(other.unwrap().is_ok(), is_marked(&store, "other"));
    assert!(!is_marked(&store, "poison"));
    // The next one finds everything in order.
    mark(&store, "next").unwrap();
    assert!(is_marked(&store, "next"));
}

#[test]
fn a_lone_commit_that_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).unwrap());
    poison(&path);
    let store = SqliteStore::open(&path).unwrap();
    let error = mark(&store, "poison").unwrap_err();
    assert_eq!(error.to_string(), "the store's database failed");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("FOREIGN KEY"), "{cause}");
    mark(&store, "next").unwrap();
}

#[test]
fn a_read_sees_only_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let bench = Bench::new(engine(&path));
    bench.submit(&agent(), &Draft::read().body());
    let store = SqliteStore::open(&path).unwrap();
    let events = |store: &SqliteStore| store.events("acme", 0, 9).unwrap();
    let mut next = events(&store).pop().unwrap();
    store
        .transact(&mut |state| {
            next.seq = 2;
            state.append(&Arc::from("acme"), next.clone())?;
            assert_eq!(events(&store).len(), 1, "not committed yet");
            Ok(())
        })
        .unwrap();
    assert_eq!(events(&store).len(), 2);
}

#[test]
fn the_version_changes_when_another_process_writes_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let (here, there) = (
        SqliteStore::open(&path).unwrap(),
        SqliteStore::open(&path).unwrap(),
    );
    let before = here.version().unwrap();
    assert_ne!(before, 0);
    mark(&here, "own").unwrap();
    is_marked(&there, "own");
    assert_eq!(here.version().unwrap(), before);
    mark(&there, "another's").unwrap();
    assert_ne!(here.version().unwrap(), before);
}

#[test]
fn a_lock_that_stays_is_an_error_after_a_bounded_wait_for_all_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let error = mark(&store, "late").unwrap_err();
                assert!(error.to_string().contains("locked"), "{error}");
            });
        }
    });
    let waited = began.elapsed();
    assert!(
        waited > Duration::from_secs(4) && waited < Duration::from_secs(20),
        "{waited:?}"
    );
    // Readers wait for nobody.
    assert!(store.events("acme", 0, 9).unwrap().is_empty());
    other.execute_batch("ROLLBACK").unwrap();
    mark(&store, "late").unwrap();
    store.claim_key(&mut Entropy::from_seed([1; 32])).unwrap();
}

#[test]
fn a_process_that_writes_all_the_time_starves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).unwrap();
    let other = Process::start("group::other_process", &path);
    assert_eq!(other.says(), "writing");
    for number in 0..100 {
        mark(&store, &number.to_string()).unwrap();
    }
    assert_ne!(other.ask("enough"), "0");
}

/// Not a test of its own: writes from eight threads until it is told that it is enough.
#[test]
#[ignore = "started by the test of two writers"]
fn other_process() {
    let store = SqliteStore::open(file()).unwrap();
    let enough = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (store, enough) = (&store, &enough);
                scope.spawn(move || {
                    let mut written = 0_u64;
                    while !enough.load(Ordering::Relaxed) {
                        mark(store, &format!("{thread} {written}")).unwrap();
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        say("writing");
        stdin().read_line(&mut String::new()).unwrap();
        enough.store(true, Ordering::Relaxed);
        let all = threads.into_iter();
        all.map(|thread| thread.join().unwrap()).sum::<u64>()
    });
    say(&written.to_string());
}
