//! `sernixa delegations`: what agents let other agents do in their name.

use sernixa_engine::Request;

use crate::backend::Backend;
use crate::listing::{member, objects};
use crate::output::one_line;
use crate::{Exit, Failure, Global, output, when};

const EXAMPLES: &str = "\
Examples:
  sernixa delegations list
  sernixa delegations revoke dgt_0123456789abcdef0123456789abcdef

Revoking a token revokes all that narrow it, and what was approved under them can no longer start.";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// List delegation tokens, the newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        limit: u16,
    },
    /// Take a delegation token back, and with it all that narrow it
    Revoke {
        /// The token's id, not the token itself
        #[arg(value_name = "TOKEN_ID")]
        id: String,
    },
}

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let backend = Backend::open(global)?;
    match command {
        Command::List { limit } => list(&backend, limit.into(), global),
        Command::Revoke { id } => revoke(&backend, id.trim(), global),
    }
}

fn list(backend: &Backend, limit: usize, global: &Global) -> Result<Exit, Failure> {
    let body = backend.ask(Request::Delegations { limit })?;
    if global.json {
        output::json_text(&body)?;
        return Ok(Exit::Yes);
    }
    let now = when::now();
    let rows = objects(&body, |token| {
        let scope = token.get("scope");
        let most = scope.map(|scope| member(scope, "max_risk_level"));
        [
            member(token, "token_id"),
            member(token, "status"),
            member(token, "delegator_agent_id"),
            member(token, "delegatee_agent_id"),
            most.unwrap_or_default(),
            when::until(Some(&member(token, "expires_at")), now).unwrap_or_default(),
            member(token, "reason"),
        ]
    })?;
    if rows.is_empty() {
        output::line("No delegation tokens.")?;
        return Ok(Exit::Yes);
    }
    let full = rows.len() == limit;
    let heading = [
        "TOKEN", "STATUS", "FROM", "TO", "UP TO", "EXPIRES", "REASON",
    ];
    output::table(heading, rows)?;
    if full {
        output::note(format_args!(
            "There may be more; see --limit (now {limit})."
        ))?;
    }
    Ok(Exit::Yes)
}

fn revoke(backend: &Backend, id: &str, global: &Global) -> Result<Exit, Failure> {
    let body = backend.ask(Request::RevokeDelegation { token_id: id })?;
    if global.json {
        output::json_text(&body)?;
    } else {
        output::line(format_args!("Delegation token {} revoked.", one_line(id)))?;
    }
    Ok(Exit::Yes)
}
