//! `sernixa policy`: write, check, test and explain the policies of a folder.
//!
//! Nothing here asks a service: a folder is judged as a service would judge it.

mod cases;
mod check;
mod explain;
mod folder;
mod init;
mod test;

use std::path::PathBuf;

use crate::{Exit, Failure, Global};

const EXAMPLES: &str = "\
Examples:
  sernixa policy init policies                  a folder to begin with
  sernixa policy check policies                 whether a service would load it
  sernixa policy test policies                  whether it says what its tests.toml expects
  sernixa policy explain policies --submission refund.json

Exit codes: 0 in order; 1 the policies do not load, or a test differs; 2 could not be done.";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// Write a folder to begin with: the default policy, an example of metadata, and tests
    Init {
        /// The folder; made if it is not there
        dir: PathBuf,
    },
    /// Say whether the policies of a folder load, and everything that is wrong with them
    Check {
        /// The folder with the *.cedar files
        dir: PathBuf,
        /// The time zone of the service, an IANA name
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        zone: String,
    },
    /// Run the tests of a folder
    Test {
        /// The folder with the *.cedar files
        dir: PathBuf,
        /// The file of tests [default: tests.toml in the folder]
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
    },
    /// Say what would happen to a submission, and which policies say so
    Explain(explain::Arguments),
}

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::Init { dir } => init::run(&dir, global),
        Command::Check { dir, zone } => check::run(&dir, &zone, global),
        Command::Test { dir, tests } => test::run(&dir, tests.as_deref(), global),
        Command::Explain(arguments) => explain::run(&arguments, global),
    }
}
