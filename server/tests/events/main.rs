//! The event stream over real HTTP: this SDK's waiters, the reference's way of reading, clients
//! that do not read, and services that go away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod rig;
mod streams;
mod waiters;
