//! Reading a request's body: JSON, not too large, not too slow.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::super::{EVENTS, JSON};
use super::reply::No;
use crate::message::{Code, LONGEST, Refused};

/// The body, of at most [`LONGEST`] bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, patience: Duration) -> Result<Bytes, No> {
    let too_long = || {
        let reason = Refused::too_long().reason;
        No::new(StatusCode::PAYLOAD_TOO_LARGE, Code::Invalid, reason)
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST) {
        return Err(too_long());
    }
    let deadline = Instant::now() + patience;
    let mut chunks = body.into_data_stream();
    let mut whole = BytesMut::new();
    loop {
        let chunk = match timeout_at(deadline, chunks.next()).await {
            Err(_) => {
                let reason = "the body did not come in time; send it faster";
                return Err(No::new(StatusCode::REQUEST_TIMEOUT, Code::Invalid, reason));
            }
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(_))) => return Err(No::bad("the body broke off")),
            Ok(Some(Ok(chunk))) => chunk,
        };
        if chunk.len() > LONGEST - whole.len() {
            return Err(too_long());
        }
        whole.extend_from_slice(&chunk);
    }
}

/// Whether the headers of a POST are as the specification asks.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), No> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    // Browsers send forms and text across origins without asking first, JSON they do not.
    let is_json = match (types.next(), types.next()) {
        (Some(kind), None) => essence(kind.as_bytes()).eq_ignore_ascii_case(JSON.as_bytes()),
        _ => false,
    };
    let is_plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_json && is_plain {
        Ok(())
    } else {
        Err(No::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Invalid,
            "a message is sent with one `Content-Type: application/json` and not encoded",
        ))
    }
}

/// Whether an answer may be JSON or a stream, as the server likes.
pub(super) fn must_accept_both(headers: &HeaderMap) -> Result<(), No> {
    if accepts(headers, JSON) && accepts(headers, EVENTS) {
        Ok(())
    } else {
        Err(not_acceptable(
            "send `Accept: application/json, text/event-stream`",
        ))
    }
}

pub(super) fn must_accept_events(headers: &HeaderMap) -> Result<(), No> {
    if accepts(headers, EVENTS) {
        Ok(())
    } else {
        Err(not_acceptable("send `Accept: text/event-stream`"))
    }
}

fn not_acceptable(reason: &str) -> No {
    No::new(StatusCode::NOT_ACCEPTABLE, Code::Invalid, reason)
}

fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let (family, _) = wanted.split_once('/').unwrap_or_default();
    headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|list| list.as_bytes().split(|byte| *byte == b','))
        .map(essence)
        .any(|range| {
            let range = range.to_ascii_lowercase();
            range == wanted.as_bytes()
                || range == b"*/*"
                || range.strip_suffix(b"/*") == Some(family.as_bytes())
        })
}

/// A media type without its parameters.
fn essence(value: &[u8]) -> &[u8] {
    value
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}
