//! `sernixa audit`.

use crate::{Exit, Failure, Global};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Not built yet.
    List,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that every family has"
)]
pub(crate) fn run(command: Command, _global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::List => Err(Failure::new("`sernixa audit` is not built yet")),
    }
}
