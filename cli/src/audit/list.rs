//! `sernixa audit list`.

use sernixa_engine::{AuditQuery, Request};

use crate::backend::Backend;
use crate::listing::{member, objects};
use crate::{Exit, Failure, Global, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// At most so many
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Of this kind: a word of the column EVENT
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Of this request
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// By a key of this owner
    #[arg(long, value_name = "OWNER")]
    user: Option<String>,
    /// About this approval
    #[arg(long, value_name = "ID")]
    approval: Option<String>,
    /// After this event, the oldest first
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
}

pub(super) fn run(options: &Options, global: &Global) -> Result<Exit, Failure> {
    let limit = usize::from(options.limit);
    let body = Backend::open(global)?.ask(Request::AuditEvents(AuditQuery {
        limit,
        request_id: options.request_id.as_deref(),
        event_type: options.kind.as_deref(),
        user_sub: options.user.as_deref(),
        approval_id: options.approval.as_deref(),
        after: options.after,
    }))?;
    if global.json {
        output::json_text(&body)?;
        return Ok(Exit::Yes);
    }
    let names = [
        "seq",
        "created_at",
        "event_type",
        "decision",
        "owner",
        "action_id",
        "approval_id",
        "request_id",
    ];
    let rows = objects(&body, |event| names.map(|name| member(event, name)))?;
    if rows.is_empty() {
        output::line("No audit events.")?;
        return Ok(Exit::Yes);
    }
    let full = rows.len() == limit;
    let heading = [
        "SEQ", "TIME", "EVENT", "DECISION", "BY", "ACTION", "APPROVAL", "REQUEST",
    ];
    output::table(heading, rows)?;
    if full {
        output::note(format_args!(
            "There may be more; see --limit (now {limit}) and --after."
        ))?;
    }
    Ok(Exit::Yes)
}
