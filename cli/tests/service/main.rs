//! The black-box suite: the real `sernixa` command as a process, and the real clients against it.
//! A module per topic.
//!
//! Longer runs stand behind flags: `SERNIXA_TEST_LONG=1` makes the loops as long as the promises say
//! (1,000 claims by two processes, 200 kills). `SERNIXA_REQUIRE_PYTHON=1` and
//! `SERNIXA_REQUIRE_STRACE=1` make what is missing on this machine a failure; without them such a
//! test says that it did nothing.

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
mod claims;
mod crash;
mod durable;
mod examples;
mod mcp_agents;
mod mcp_deciders;
mod mcp_hosts;
mod mcp_http;
mod mcp_kill;
mod mcp_proxy;
mod mcp_resume;
mod mcp_rounds;
mod mcp_smuggling;
mod openapi;
mod policies;
mod python_cli;
mod python_sdk;
mod security;
mod support;
