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

mod boundary;
mod configuration;
mod delegation;
mod doors;
mod drop;
mod embedded;
mod embedded_delegation;
mod embedded_file;
mod events;
mod examples;
mod gateway;
mod principal;
mod promises;
mod reported;
mod shapes;
mod steps;
mod submitted;
mod support;
mod test_gate;
mod waiting;
mod what_a_person_reads;
mod wire;
