//! A file that somebody prepared: what they put in is not run.

use rusqlite::Connection;
use sernixa_engine::{Request, Store};
use sernixa_store::SqliteStore;

use crate::process::engine;
use crate::support::{Bench, Draft, agent};

#[test]
fn a_trigger_in_the_file_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER theirs AFTER INSERT ON events BEGIN
                 UPDATE approvals SET status = 'approved';
                 DELETE FROM nonces;
             END",
        )
        .unwrap();
    drop(connection);
    let bench = Bench::new(engine(&path));
    let draft = Draft::high().nonce(1).body();
    let first = bench.submit(&agent(), &draft).waiting();
    bench.submit(&agent(), &Draft::medium().body()).waiting();
    assert_eq!(bench.look(&first.id)["status"], "pending_review");
    assert_eq!(bench.submit(&agent(), &draft).waiting().id, first.id);
}

#[test]
fn a_view_in_the_place_of_a_table_is_an_error_and_no_endless_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "DROP TABLE memories;
             CREATE VIEW memories AS
                 WITH RECURSIVE ever(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM ever)
                 SELECT zeroblob(32) AS fingerprint, 'acme' AS organisation, 'k' AS key,
                        'i' AS intent_id, 'a' AS action_id, '[]' AS approved_at FROM ever",
        )
        .unwrap();
    drop(connection);
    let bench = Bench::new(engine(&path));
    let answer = bench.handle(&crate::support::reviewer(), Request::Memories);
    answer.is(503, "engine_error");
    let store = SqliteStore::open_read_only(&path).unwrap();
    assert!(store.approvals(None, 1).unwrap().is_empty());
}
