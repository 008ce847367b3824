//! The crate from outside: the message reader against other readers, the middleware in front of rmcp
//! servers, and the attribute beside rmcp's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod attributes;
mod examples;
mod forwarding;
mod message;
mod middleware;
mod readers;
mod support;
