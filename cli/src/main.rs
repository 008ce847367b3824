//! The `sernixa` command: runs the approval service, and decides, lists and verifies.
//!
//! Each family of commands is a module with a `Command` and a `run`; what they share is here:
//! [`Global`] options, the [`Backend`](backend::Backend) that answers (a service or a file), the
//! [`output`] for people and scripts, and the exit codes.

mod approvals;
mod audit;
mod backend;
mod delegations;
mod doctor;
mod exit;
mod global;
mod keys;
mod listing;
mod mcp;
mod memory;
mod output;
mod policy;
mod record;
mod serve;
mod when;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

pub(crate) use exit::{Exit, Failure};
pub(crate) use global::Global;

const EXAMPLES: &str = "\
Examples:
  sernixa serve                                    a service on this machine, for trying it
  sernixa approvals watch                          what waits for a decision, live
  sernixa approvals approve ID --reason \"checked\"  let it run
  sernixa approvals list --store agents.db         the same for an embedded file, without a service
  sernixa doctor                                   what is wrong, and what to do about it

Exit codes: 0 done, allowed or valid; 1 not approved, denied or invalid; 2 could not be done.

Environment:
  SERNIXA_BASE_URL             the service, or embedded:FILE (default http://localhost:8000)
  SERNIXA_ACCESS_TOKEN         the credential; else SERNIXA_API_KEY
  SERNIXA_ALLOW_INSECURE_HTTP  accept plain http to another machine
  NO_COLOR                     no colours, even on a terminal";

/// Approvals for what AI agents do: decide them, follow them, prove them, and run the service.
#[derive(Debug, Parser)]
#[command(name = "sernixa", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the approval service.
    Serve(serve::Command),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// See and decide what waits for a person.
    #[command(subcommand)]
    Approvals(approvals::Command),
    /// List and revoke delegation tokens.
    #[command(subcommand)]
    Delegations(delegations::Command),
    /// List and forget what is approved without asking because people approved it before.
    #[command(subcommand)]
    Memory(memory::Command),
    /// Write, check, test and explain policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Read, verify and export the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Put the gate in front of MCP servers.
    #[command(subcommand)]
    Mcp(mcp::Command),
    /// Check the set-up, and say what to do about what is wrong.
    Doctor(doctor::Command),
    /// Write a script that completes commands in a shell.
    #[command(after_help = "Example: sernixa completions bash > /etc/bash_completion.d/sernixa")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let global = &cli.global;
    let done = match cli.command {
        Command::Serve(command) => serve::run(command, global),
        Command::Keys(command) => keys::run(command, global),
        Command::Approvals(command) => approvals::run(command, global),
        Command::Delegations(command) => delegations::run(command, global),
        Command::Memory(command) => memory::run(command, global),
        Command::Policy(command) => policy::run(command, global),
        Command::Audit(command) => audit::run(command, global),
        Command::Mcp(command) => mcp::run(command, global),
        Command::Doctor(command) => doctor::run(command, global),
        Command::Completions { shell } => completions(shell),
    };
    exit::code(done, global)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sernixa", &mut script);
    std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
    Ok(Exit::Yes)
}
