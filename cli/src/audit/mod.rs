//! `sernixa audit`: what happened, and the proof of it.

mod export;
mod list;
mod private_file;
mod verify;

use sernixa_engine::Request;
use sernixa_protocol::json::Document;

use crate::backend::Backend;
use crate::listing::member;
use crate::{Exit, Failure, Global, output};

const EXAMPLES: &str = "\
Examples:
  sernixa audit list --type approval_approved
  sernixa audit head >> /elsewhere/heads.txt           keep it where the service cannot write
  sernixa audit verify sernixa.db --expect 812:9f3c…   the file alone, without a service
  sernixa audit verify sernixa.db --key 3b6a…          its checkpoints are signed by this key
  sernixa audit export -o evidence.json --approval ID
  sernixa audit verify evidence.json";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// List audit events, the newest first
    List(list::Options),
    /// Print the end of the audit chain as SEQ:HASH, to keep elsewhere
    Head,
    /// Verify a store's file or an evidence bundle offline, or ask the service to verify its log
    Verify(verify::Options),
    /// Write an evidence bundle into a new file
    Export(export::Options),
}

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    match command {
        Command::List(options) => list::run(&options, global),
        Command::Head => head(global),
        Command::Verify(options) => verify::run(&options, global),
        Command::Export(options) => export::run(&options, global),
    }
}

fn head(global: &Global) -> Result<Exit, Failure> {
    let body = Backend::open(global)?.ask(Request::AuditHead)?;
    if global.json {
        output::json_text(&body)?;
        return Ok(Exit::Yes);
    }
    let document = Document::parse_within(&body, 8)
        .map_err(|error| Failure::new("the answer cannot be read").caused_by(error))?;
    let head = document.root();
    let receipt = format!("{}:{}", member(head, "seq"), member(head, "hash"));
    let receipt: sernixa_engine::audit::Receipt = receipt
        .parse()
        .map_err(|error| Failure::new("the answer is no head").caused_by(error))?;
    output::line(receipt)?;
    // Not on stdout: a file of heads holds heads.
    let key = member(head, "public_key");
    if !key.is_empty() {
        output::note(format_args!(
            "signed with the key {}",
            output::one_line(&key)
        ))?;
    }
    Ok(Exit::Yes)
}
