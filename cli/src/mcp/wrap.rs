//! `sernixa mcp wrap` and `unwrap`.

use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Args)]
pub(crate) struct Command {}

#[derive(Debug, clap::Args)]
pub(crate) struct Undo {}

pub(crate) fn run(_command: Command, _global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}

pub(crate) fn undo(_command: Undo, _global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
