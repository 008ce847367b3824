//! The suite that every store passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sernixa_engine::conformance;
use sernixa_store::SqliteStore;

#[test]
fn the_sqlite_store_keeps_every_promise_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let made = AtomicU32::new(0);
    conformance::check(&|| {
        let name = format!("{}.db", made.fetch_add(1, Ordering::Relaxed));
        Arc::new(SqliteStore::open(folder.path().join(name)).unwrap())
    })
    .unwrap();
}
