//! An MCP server for the tests, on rmcp: what the official conformance suite asks for, and a few
//! plain tools. Its tools are data (`catalogue/*.json`): each a list of steps.

mod catalogue;
mod handler;
mod journal;
mod run;
mod serve;
mod words;
mod world;

pub use serve::{serve_http, serve_stdio};
pub use world::{Fixture, Options};

/// What can go wrong before the server serves, or when it stops.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
