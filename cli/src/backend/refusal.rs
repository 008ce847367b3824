//! What a service's "no" says to a person.

use std::borrow::Cow;

use sernixa_engine::Answer;
use sernixa_protocol::json::Document;

use crate::Failure;

/// The failure that an answer outside of 200 to 299 means.
pub(crate) fn failure(answer: &Answer) -> Failure {
    let said = said(&answer.body);
    let next = match answer.status {
        300..=399 => "; it redirects, check the base URL",
        401 => "; set SERNIXA_ACCESS_TOKEN or SERNIXA_API_KEY, or give a --token-file",
        429 => "; too many requests, try again later",
        500..=599 => "; `sernixa doctor` tells more",
        _ => "",
    };
    Failure::new(match said {
        Some(said) => format!("{said} ({}){next}", answer.status),
        None => format!(
            "the answer was {} and said nothing more{next}",
            answer.status
        ),
    })
}

/// The reason in `{"detail": {"status", "reason"}}`, or a `detail` that is a text itself.
fn said(body: &str) -> Option<String> {
    let document = Document::parse_within(body, 64).ok()?;
    let detail = document.root().get("detail")?;
    if let Some(text) = detail.as_str() {
        return Some(text.into_owned());
    }
    let text = |name| detail.get(name).and_then(|node| node.as_str());
    match (text("status"), text("reason")) {
        (Some(status), Some(reason)) if status != reason => Some(format!("{status}: {reason}")),
        (status, reason) => reason.or(status).map(Cow::into_owned),
    }
}
