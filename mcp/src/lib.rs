//! Sernixa in front of MCP tools: middleware for servers made with rmcp, and the proxy that stands
//! between any MCP host and any MCP server.

#[cfg(feature = "proxy")]
pub mod message;
#[cfg(feature = "middleware")]
mod middleware;
#[cfg(feature = "proxy")]
pub mod proxy;
