//! What a store in a file promises beyond the suite that every store passes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "tests"
)]

#[allow(
    dead_code,
    reason = "shared with the engine's tests, which use all of it"
)]
#[path = "../../../engine/tests/engine/support.rs"]
mod support;

#[path = "../../../engine/tests/engine/model.rs"]
mod model;

#[path = "../../../engine/tests/engine/rounds.rs"]
mod rounds;

mod claims;
mod conformance;
mod crash;
mod files;
mod group;
mod hostile;
mod life_cycle;
mod outcomes;
mod process;
mod secrets;
mod versions;
