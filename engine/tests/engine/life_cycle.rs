//! The life cycle against a reference model, in memory.

use proptest::prelude::*;

use crate::model::{check, commands};
use crate::support::Bench;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_engine_does_what_the_design_says(commands in commands()) {
        check(Bench::service(), &commands);
    }
}
