//! Watching without a terminal: each change is a line.

use std::pin::pin;

use sernixa_engine::Request;
use tokio::sync::mpsc::channel;

use super::{News, Watch};
use crate::approvals::list::summary;
use crate::backend::follow;
use crate::output::{NOTHING, one_line};
use crate::record::Record;
use crate::{Failure, output, when};

/// Writes a line for each change, until nobody reads or the service refuses.
pub(super) async fn run(mut watch: Watch<'_>, json: bool) -> Result<(), Failure> {
    // A service that cannot be asked at all is an error, not something to wait for.
    watch
        .backend
        .ask_async(Request::Pending { limit: 1 })
        .await?;
    let (sender, mut signals) = channel(64);
    let mut telling = pin!(follow(watch.backend, sender));
    let mut said = None;
    loop {
        for news in watch.look().await? {
            output::line(if json { as_json(&news) } else { as_text(&news) })?;
        }
        if watch.trouble != said {
            said.clone_from(&watch.trouble);
            output::note(match &said {
                Some(trouble) => format!("{}; trying again", one_line(trouble)),
                None => "the service answers again".to_owned(),
            })?;
        }
        tokio::select! {
            never = &mut telling => match never {},
            () = watch.due(&mut signals) => {}
        }
    }
}

fn as_json(news: &News) -> String {
    let (change, record) = match news {
        News::Waiting(record) => ("waiting", record),
        News::Ended(record) => ("ended", record),
    };
    // The record goes out as it came, so that its numbers stay what they are.
    format!(r#"{{"change": "{change}", "approval": {}}}"#, record.json)
}

fn as_text(news: &News) -> String {
    let time = when::now();
    let now = format!("{time:.0}");
    let field = |field: &Option<String>| {
        let text = field.as_deref().filter(|text| !text.trim().is_empty());
        one_line(text.unwrap_or(NOTHING)).to_string()
    };
    match news {
        News::Waiting(record) => format!(
            "{now}  WAITING   {}  {}  {}  {}  {}",
            one_line(record.id()),
            field(&record.risk_level),
            field(&record.intent_id),
            field(&record.action_id),
            field(&Some(summary(record, time))),
        ),
        // Nobody decided it: it expired or was withdrawn.
        News::Ended(record) if record.decided_by.is_none() => format!(
            "{now}  {:<8}  {}  {}  {}",
            ended(record),
            one_line(record.id()),
            field(&record.intent_id),
            field(&record.action_id),
        ),
        News::Ended(record) => format!(
            "{now}  {:<8}  {}  by {}: {}",
            ended(record),
            one_line(record.id()),
            field(&record.decided_by),
            field(&record.decision_reason),
        ),
    }
}

/// The status in capitals, as `approvals wait` says it.
pub(super) fn ended(record: &Record) -> String {
    one_line(&record.status().to_uppercase()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_decided_names_nobody() {
        let text = r#"{"approval_id": "apr_1", "status": "expired", "intent_id": "notes",
            "action_id": "read-notes", "decided_by": null}"#;
        let record = Record::parse(text).unwrap();
        let line = as_text(&News::Ended(record));
        assert!(
            line.ends_with("EXPIRED   apr_1  notes  read-notes"),
            "{line}"
        );
    }
}
