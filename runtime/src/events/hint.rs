//! From an event to what it tells whoever waits. Whatever is odd about one tells nothing.

use std::time::Duration;

use sernixa_protocol::json::Document;
use sse_stream::Sse;

use super::Heard;
use crate::transport::{ApprovalId, Push};

/// The longest id that is sent back.
const LONGEST_ID: usize = 200;

/// The levels of containers that are read, as in an answer.
const LEVELS: usize = 127;

/// What an event tells.
pub(super) fn heard(event: Sse) -> Heard {
    let id = event
        .id
        .filter(|id| is_usable(id))
        .map(String::into_boxed_str);
    let about = event.data.and_then(|data| about(&data, id.as_deref()));
    Heard {
        about,
        id,
        retry: event.retry.map(Duration::from_millis),
    }
}

/// An id that can stand in a header.
fn is_usable(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn about(data: &str, id: Option<&str>) -> Option<(ApprovalId, Push)> {
    let document = Document::parse_within(data, LEVELS).ok()?;
    let record = document.root();
    let text = |name: &str| record.get(name).and_then(|member| member.as_str());
    let approval = ApprovalId::new(&text("approval_id")?)?;
    let push = if text("change").as_deref() == Some("resumed") {
        Push::Superseded(id?.parse().ok()?)
    } else {
        match text("status").as_deref() {
            // Still nothing to look at.
            Some("pending" | "pending_review") => return None,
            Some("approved") => Push::Approved,
            // Ended, or a word of another service: the record says what it means.
            _ => Push::Changed,
        }
    };
    Some((approval, push))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str, data: &str) -> Heard {
        heard(Sse::default().id(id).data(data))
    }

    fn push(id: &str, data: &str) -> Option<Push> {
        told(id, data).about.map(|(_, push)| push)
    }

    #[test]
    fn an_event_wakes_for_what_it_says() {
        for (status, expected) in [
            ("approved", Some(Push::Approved)),
            ("rejected", Some(Push::Changed)),
            ("expired", Some(Push::Changed)),
            ("auto_approved", Some(Push::Changed)),
            ("APPROVED", Some(Push::Changed)),
            ("something new", Some(Push::Changed)),
            ("pending_review", None),
        ] {
            let data = format!(r#"{{"approval_id":"a","status":"{status}"}}"#);
            assert_eq!(push("5", &data), expected, "{status}");
        }
        assert_eq!(push("5", r#"{"approval_id":"a"}"#), Some(Push::Changed));
        let resumed = r#"{"approval_id":"a","status":"approved","change":"resumed"}"#;
        assert_eq!(push("5", resumed), Some(Push::Superseded(5)));
    }

    #[test]
    fn what_is_odd_tells_nothing_and_is_no_error() {
        for odd in [
            "",
            "null",
            "[]",
            "{",
            "<html>",
            r#"{"approval_id":7,"status":"approved"}"#,
            r#"{"approval_id":"..","status":"approved"}"#,
            r#"{"approval_id":"","status":"approved"}"#,
            r#"{"approval_id":"a","approval_id":"b","status":"approved"}"#,
            r#"{"status":"approved"}"#,
        ] {
            assert_eq!(push("5", odd), None, "{odd}");
        }
        let resumed = r#"{"approval_id":"a","change":"resumed"}"#;
        assert_eq!(push("not a number", resumed), None);
        let deep = format!(r#"{{"approval_id":"a","x":{}"#, "[".repeat(1_000));
        assert_eq!(push("5", &deep), None);
    }

    #[test]
    fn an_id_that_no_header_carries_is_not_kept() {
        assert_eq!(told("12", "{}").id.as_deref(), Some("12"));
        for odd in ["", "a b", "é", "a\tb", &"9".repeat(201)] {
            assert_eq!(told(odd, "{}").id, None, "{odd}");
        }
        let bare = heard(Sse::default().id("9").retry(1_500));
        assert_eq!(bare.id.as_deref(), Some("9"));
        assert_eq!(bare.retry, Some(Duration::from_millis(1_500)));
        assert_eq!(bare.about, None);
    }
}
