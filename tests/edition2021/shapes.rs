//! The shapes of the integration tests, compiled by the rules of edition 2021.

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

#[path = "../integration/shapes/mod.rs"]
mod shapes;

#[path = "../integration/shapes"]
mod unsafe_shapes {
    use crate::shapes::prove;

    mod unsafety;
}
