//! Sernixa in front of MCP tools: middleware for servers made with rmcp, and the proxy that stands
//! between any MCP host and any MCP server.

#[cfg(any(feature = "middleware", feature = "proxy"))]
mod decision;
#[cfg(feature = "message")]
pub mod message;
#[cfg(feature = "middleware")]
mod middleware;
#[cfg(feature = "proxy")]
pub mod proxy;

#[cfg(feature = "middleware")]
pub use middleware::{Governed, REFUSED, RefusedResult, ToolFacts, refused_error, refused_result};

/// The guide's examples compile.
#[cfg(all(doctest, feature = "middleware"))]
#[doc = include_str!("../../docs/mcp-server.md")]
struct Guide;
