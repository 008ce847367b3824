//! The `sernixa` command as a process: on the file of an embedded engine, on a terminal, against a
//! service. A module per topic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod audit;
mod decisions;
mod doctor;
mod hostile;
mod mcp_tools;
mod odd_services;
mod output;
mod policies;
mod sdk;
mod service;
mod serving;
mod support;
mod terminal;
mod waiting;
mod watching;
mod wrapping;
mod wrong_names;
