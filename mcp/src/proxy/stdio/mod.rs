//! stdio, both sides: the host that started the proxy, and a server that the proxy starts.
//!
//! One message a line (MCP, basic: transports, stdio). What comes is read with a limit; what goes waits
//! in an [outlet](outlet) with a limit.

mod child;
mod ends;
mod host;
mod lines;
mod outlet;
mod skim;

#[cfg(test)]
mod tests;

pub(crate) use child::{Patience, Program, Programs};
pub(crate) use ends::{input, output};
pub use host::Ended;
pub(crate) use host::serve;
