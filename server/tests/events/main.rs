//! This SDK over real HTTP: its gates, its waiters and their event stream; the reference's way of
//! reading it, clients that do not read, and services that go away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod boundaries;
mod rig;
mod streams;
mod waiters;
