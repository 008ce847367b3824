//! `sernixa approvals`: what waits for a person, and the person's answer.

mod decide;
mod list;
mod resolve;
mod show;
mod wait;
mod watch;

use crate::backend::Backend;
use crate::{Exit, Failure, Global};

const EXAMPLES: &str = "\
An ID may be shortened to its beginning, as long as it fits one waiting approval alone.

Examples:
  sernixa approvals list
  sernixa approvals show apr_1f2e3d4c
  sernixa approvals approve apr_1f2e3d4c --reason \"invoice checked\"
  sernixa approvals wait apr_1f2e3d4c --timeout 60 && deploy
  sernixa approvals list --json | jq -r '.[].approval_id'";

/// The commands.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// List what waits for a decision, the oldest first
    #[command(visible_alias = "decisions")]
    List(list::Args),
    /// Show one approval with everything that is known of it
    Show(show::Args),
    /// Let an action run
    Approve(decide::Args),
    /// Refuse an action
    Reject(decide::Args),
    /// Wait until one approval is decided; exit 0 only if it was approved
    Wait(wait::Args),
    /// Follow what waits: a live table on a terminal, a line for each change elsewhere
    Watch(watch::Args),
}

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let backend = Backend::open(global)?;
    match command {
        Command::List(args) => list::run(&args, &backend, global),
        Command::Show(args) => show::run(&args, &backend, global),
        Command::Approve(args) => decide::run(&args, decide::Answer::Approve, &backend, global),
        Command::Reject(args) => decide::run(&args, decide::Answer::Reject, &backend, global),
        Command::Wait(args) => wait::run(&args, &backend, global),
        Command::Watch(args) => watch::run(&args, &backend, global),
    }
}
