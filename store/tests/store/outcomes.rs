//! Reports of executions that go on, in a file.

use sernixa_engine::audit::verify_approvals;
use sernixa_store::SqliteStore;

use crate::process::engine;
use crate::rounds::note_rounds;
use crate::support::Bench;

#[test]
fn what_is_only_noted_stands_in_a_chain_that_holds_also_once_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    note_rounds(&Bench::new(engine(&path)));
    let store = SqliteStore::open_read_only(&path).unwrap();
    let report = verify_approvals(&store).unwrap();
    assert_eq!((report.checked, report.skipped), (3, 0));
    assert!(report.faults.is_empty(), "{report:?}");
}
