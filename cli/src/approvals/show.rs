//! `sernixa approvals show`.

use std::fmt::Write as _;

use sernixa_engine::Request;

use super::resolve::resolve;
use crate::backend::Backend;
use crate::output::{NOTHING, one_line};
use crate::record::{NOBODY_WAITS, Record};
use crate::{Exit, Failure, Global, output, when};

/// The most lines of metadata that are shown before a question: what it is about must not scroll
/// away.
pub(super) const METADATA_LINES: usize = 60;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The approval, or the beginning of its id
    id: String,
}

pub(super) fn run(args: &Args, backend: &Backend, global: &Global) -> Result<Exit, Failure> {
    let id = resolve(backend, &args.id)?;
    let body = backend.ask(Request::Record { approval_id: &id })?;
    if global.json {
        output::json_text(&body)?;
    } else {
        let record = Record::parse(&body)?;
        output::line(text(&record, usize::MAX).trim_end())?;
    }
    Ok(Exit::Yes)
}

/// Every field on a line of its own, then the metadata, at most so many lines of it.
pub(super) fn text(record: &Record, metadata_lines: usize) -> String {
    let now = when::now();
    let mut out = String::new();
    let mut line = |name: &str, value: Option<&str>, remark: Option<String>| {
        let value = value.filter(|value| !value.trim().is_empty());
        let value = value.map_or_else(|| NOTHING.to_owned(), |text| one_line(text).to_string());
        let remark = remark.map(|remark| format!(" ({remark})"));
        let remark = remark.unwrap_or_default();
        let _ = writeln!(out, "{name:<16} {value}{remark}");
    };
    let ago =
        |text: &Option<String>| when::age(text.as_deref(), now).map(|age| format!("{age} ago"));
    let left = |text: &Option<String>| {
        when::until(text.as_deref(), now).map(|left| match &*left {
            "past" => left,
            _ => format!("in {left}"),
        })
    };
    line("approval", record.approval_id.as_deref(), None);
    line("status", record.status.as_deref(), None);
    line("risk", record.risk_level.as_deref(), None);
    line("summary", record.summary.as_deref(), None);
    line("intent", record.intent_id.as_deref(), None);
    line("action", record.action_id.as_deref(), None);
    line("class", record.operation_class.as_deref(), None);
    line("data", record.data_sensitivity.as_deref(), None);
    line("systems", record.systems_touched.as_deref(), None);
    line("agent", record.agent_id.as_deref(), None);
    line("delegation", record.delegation_chain_id.as_deref(), None);
    line("why it waits", record.reason.as_deref(), None);
    line(
        "asked",
        record.created_at.as_deref(),
        ago(&record.created_at),
    );
    line(
        "expires",
        record.expires_at.as_deref(),
        left(&record.expires_at),
    );
    if let Some(seen) = &record.waiter_seen_at {
        let ago = ago(&record.waiter_seen_at).unwrap_or_default();
        let left = record.is_left(now);
        let nobody = if left {
            format!("; {NOBODY_WAITS}")
        } else {
            String::new()
        };
        line("waiter seen", Some(seen), Some(format!("{ago}{nobody}")));
    }
    line("decided by", record.decided_by.as_deref(), None);
    line("decision reason", record.decision_reason.as_deref(), None);
    line("self-decided", record.self_decided.as_deref(), None);
    line(
        "claim by",
        record.claim_by.as_deref(),
        left(&record.claim_by),
    );
    line("execution", record.execution.as_deref(), None);
    line("body hash", record.body_hash.as_deref(), None);
    line("policy digest", record.policy_digest.as_deref(), None);
    match &record.metadata {
        None => line("metadata", None, None),
        Some(metadata) => {
            out.push_str("metadata\n");
            let total = metadata.lines().count();
            for text in metadata.lines().take(metadata_lines) {
                let _ = writeln!(out, "  {text}");
            }
            if total > metadata_lines {
                let more = total - metadata_lines;
                let _ = writeln!(
                    out,
                    "  … {more} more lines; `sernixa approvals show` has them all"
                );
            }
        }
    }
    out
}
