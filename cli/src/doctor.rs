//! `sernixa doctor`.

use crate::{Exit, Failure, Global};

/// The options of `sernixa doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Command {}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that every family has"
)]
pub(crate) fn run(_command: Command, _global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new("`sernixa doctor` is not built yet"))
}
