//! The crate from outside: the message reader against other readers, the middleware in front of rmcp
//! servers, and the attribute beside rmcp's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod message;
mod readers;
