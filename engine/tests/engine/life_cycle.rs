//! The life cycle against a reference model, in memory.

use std::sync::Arc;

use proptest::prelude::*;
use sernixa_engine::audit::verify_approvals;
use sernixa_engine::{Engine, MemoryStore};

use crate::model::{check, commands};
use crate::support::Bench;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_engine_does_what_the_design_says(commands in commands()) {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::builder().shared_store(Arc::clone(&store) as _).build().unwrap();
        check(Bench::new(engine), &commands);
        // Wherever an approval came to stand, the audit says so.
        let report = verify_approvals(&*store).unwrap();
        prop_assert!(report.faults.is_empty(), "{report:?}");
    }
}
