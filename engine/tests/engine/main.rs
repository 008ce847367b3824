//! What the engine promises, shown through its public door.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

mod along;
mod audit;
#[cfg(feature = "cedar")]
mod cedar;
#[cfg(feature = "cedar")]
mod cedar_grave;
#[cfg(feature = "cedar")]
mod cedar_loading;
mod checkpoints;
mod claims;
mod decisions;
mod delegation;
mod evidence;
mod failing_store;
mod hard_rules;
mod keys;
mod life_cycle;
mod memory;
mod model;
mod outcomes;
mod policies;
mod replay;
mod rounds;
mod speed;
mod submissions;
mod support;
#[cfg(feature = "cedar")]
mod visible;
mod waiters;
mod waiting;
