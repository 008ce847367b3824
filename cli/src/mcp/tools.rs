//! `sernixa mcp tools`.

use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the tools that were met.
    List,
}

pub(crate) fn run(_command: Command, _global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
