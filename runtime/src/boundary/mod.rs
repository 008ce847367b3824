//! The gate at the boundary where an agent calls a tool: MCP-style dispatch, and any framework's tool
//! objects and closures.
//!
//! | who calls | what gates it |
//! |---|---|
//! | a host or router that dispatches MCP tools itself | [`McpToolBoundary`] |
//! | a service that keeps the toolsets (`POST /api/mcp/tools/call`) | [`mcp_call_gate`] |
//! | LangChain-, CrewAI-, AutoGen- or otherwise shaped tools | [`Guard`] |

mod arguments;
mod call_gate;
pub(crate) mod facts;
mod guard;
mod invocation;
mod mcp;

pub use call_gate::{McpCallGate, mcp_call_gate};
pub use guard::{Guard, Guarded};
pub use invocation::McpInvocation;
pub use mcp::McpToolBoundary;
