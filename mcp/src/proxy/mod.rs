//! The proxy: between any MCP host and any MCP server.
//!
//! A *host* (the MCP client) and a *server* each stand behind a transport, stdio or streamable HTTP.
//! The relay between them forwards messages in order and answers what must not pass; the gate
//! decides `tools/call`.

pub mod config;
mod gate;
mod http;
mod off_worker;
mod relay;
mod run;
mod seam;
pub mod state;
mod stdio;

pub use run::{Ended, Listen, Options, Proxy, ProxyError, To};
