//! What stands on the wire: the frames of `text/event-stream`.
//!
//! Data is one line of ASCII: the reference's parser splits lines at U+0085, U+2028 and U+2029, too
//! (PROTOCOL 0.7, 3.5).

use std::fmt::Write as _;

use bytes::Bytes;

/// How long a client waits before it connects again, in milliseconds.
const RETRY_MILLIS: u32 = 1_000;

/// The first frame of each stream, with a remark.
pub(super) fn greeting(remark: &str) -> Bytes {
    format!("retry: {RETRY_MILLIS}\n: {remark}\n\n").into()
}

/// An event with its number.
pub(super) fn event(seq: u64, json: &str) -> Bytes {
    let mut frame = String::with_capacity(json.len() + 48);
    let _ = write!(frame, "event: approval\nid: {seq}\ndata: ");
    push_ascii(json, &mut frame);
    frame.push_str("\n\n");
    frame.into()
}

/// A sign of life. Where the stream has moved on without an event, it says how far, so that a client
/// that comes back need not go over it again: a block without data is no event.
pub(super) fn heartbeat(moved_to: Option<u64>) -> Bytes {
    match moved_to {
        None => Bytes::from_static(b": still here\n\n"),
        Some(seq) => format!(": still here\nid: {seq}\n\n").into(),
    }
}

/// Appends a JSON text with everything outside ASCII escaped as UTF-16. That can only stand inside
/// of strings, where an escape means the same; raw line breaks stand nowhere in a text of ours.
fn push_ascii(json: &str, out: &mut String) {
    let mut rest = json;
    while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii()) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = tail.chars();
        if let Some(character) = characters.next() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_ascii_that_means_the_same() {
        let hostile = "a\u{85}b\u{2028}c\u{2029}d\né \u{1F600} \u{feff}\u{7f}";
        let json = serde_json::json!({ "summary": hostile }).to_string();
        let frame = event(7, &json);
        let text = std::str::from_utf8(&frame).unwrap();
        assert!(text.is_ascii());
        let lines: Vec<_> = text.split('\n').collect();
        assert_eq!(lines[..2], ["event: approval", "id: 7"]);
        assert_eq!(lines[3..], ["", ""]);
        let data = lines[2].strip_prefix("data: ").unwrap();
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["summary"], hostile);
    }

    #[test]
    fn a_heartbeat_is_no_event() {
        for beat in [heartbeat(None), heartbeat(Some(9)), greeting("hello")] {
            let text = std::str::from_utf8(&beat).unwrap();
            assert!(text.ends_with("\n\n") && !text.contains("data"), "{text}");
        }
    }
}
