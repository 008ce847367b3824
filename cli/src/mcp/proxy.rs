//! `sernixa mcp proxy`.

use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Args)]
pub(crate) struct Command {}

pub(crate) fn run(_command: Command, _global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
