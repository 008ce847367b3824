//! The one integration binary: a module per topic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod promises;
mod doors;
mod drop;
mod examples;
mod embedded;
mod test_gate;
mod configuration;
mod what_a_person_reads;
mod nothing_leaves;
mod delegation;
mod bound;
mod reported;
mod shapes;
mod steps;
mod support;
mod waiting;
