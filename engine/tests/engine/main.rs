//! What the engine promises, shown through its public door.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

mod audit;
mod claims;
mod decisions;
mod failing_store;
mod hard_rules;
mod life_cycle;
mod memory;
mod outcomes;
mod policies;
mod replay;
mod speed;
mod submissions;
mod support;
mod waiting;
