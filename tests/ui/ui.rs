//! One mistake per file under `fail`, each with the message that it must give.
//!
//! The snapshots are taken on the toolchain of `rust-toolchain.toml`; to write them anew, run with
//! `TRYBUILD=overwrite` and read the difference.

#[test]
fn every_mistake_has_a_message_that_says_what_to_do() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}
