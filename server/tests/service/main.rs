//! The service over real HTTP on loopback: who comes in, what is answered, what is cut, how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod accounts;
mod answers;
mod door;
mod ending;
mod limits;
mod organisations;
mod readiness;
mod rig;
mod starting;
mod tool_calls;
