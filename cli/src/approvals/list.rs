//! `sernixa approvals list`.

use jiff::Timestamp;
use sernixa_engine::Request;

use super::resolve::short_ids;
use crate::backend::Backend;
use crate::record::{NOBODY_WAITS, Record};
use crate::{Exit, Failure, Global, output, when};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// At most so many
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
}

pub(super) fn run(args: &Args, backend: &Backend, global: &Global) -> Result<Exit, Failure> {
    let limit = args.limit.into();
    let body = backend.ask(Request::Pending { limit })?;
    if global.json {
        output::json_text(&body)?;
        return Ok(Exit::Yes);
    }
    let records = Record::parse_list(&body)?;
    if records.is_empty() {
        output::line("No pending approvals.")?;
        return Ok(Exit::Yes);
    }
    // Scripts get what they can use; people get what they can read and type.
    let ids = if output::terminal_width().is_some() && records.len() < limit {
        short_ids(&records)
    } else {
        records
            .iter()
            .map(|record| record.id().to_owned())
            .collect()
    };
    let now = when::now();
    let rows = records
        .iter()
        .zip(ids)
        .map(|(record, id)| row(record, id, now));
    output::table(HEADING, rows)?;
    if records.len() == limit {
        output::note(format_args!(
            "There may be more; see --limit (now {limit})."
        ))?;
    }
    Ok(Exit::Yes)
}

/// The columns of a list.
pub(super) const HEADING: [&str; 8] = [
    "ID", "AGE", "EXPIRES", "RISK", "INTENT", "ACTION", "WHO", "SUMMARY",
];

/// A record as a row of a list.
pub(super) fn row(record: &Record, id: String, now: Timestamp) -> [String; 8] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    [
        id,
        when::age(record.created_at.as_deref(), now).unwrap_or_default(),
        when::until(record.expires_at.as_deref(), now).unwrap_or_default(),
        text(&record.risk_level),
        text(&record.intent_id),
        text(&record.action_id),
        text(&record.agent_id),
        summary(record, now),
    ]
}

/// The summary, after the word that nobody waits for it, where that is so.
pub(super) fn summary(record: &Record, now: Timestamp) -> String {
    let summary = record.summary.as_deref().unwrap_or_default();
    if record.is_left(now) {
        format!("[{NOBODY_WAITS}] {summary}").trim_end().to_owned()
    } else {
        summary.to_owned()
    }
}
