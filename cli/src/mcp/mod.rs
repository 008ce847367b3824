//! `sernixa mcp`: the proxy in front of MCP servers, the tools it knows, and hosts that use it.

mod proxy;
mod tools;
mod wrap;

use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Stand between an MCP host and an MCP server, and ask before each tool call.
    Proxy(Box<proxy::Command>),
    /// See the tools that were met, and accept those that changed.
    #[command(subcommand)]
    Tools(tools::Command),
    /// Have a host start its MCP servers behind the proxy.
    Wrap(wrap::Command),
    /// Undo `wrap`.
    Unwrap(wrap::Undo),
}

pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::Proxy(command) => proxy::run(*command, global),
        Command::Tools(command) => tools::run(command, global),
        Command::Wrap(command) => wrap::run(command, global),
        Command::Unwrap(command) => wrap::undo(&command, global),
    }
}
