//! Reading a request's body: JSON, not too large, not too slow.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::app::Shared;
use crate::reply::{No, Word};

/// The body of `request` as text, of at most `limit` bytes.
pub(crate) async fn read(app: &Shared, request: Request<Body>, limit: usize) -> Result<String, No> {
    let (head, mut body) = request.into_parts();
    must_be_json(&head.headers)?;
    let too_large = || {
        let reason = format!("the body is longer than {limit} bytes");
        No::new(Word::TooLarge, reason)
    };
    let announced = announced(&head.headers);
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let deadline = Instant::now() + app.config.limits.body_timeout;
    let mut bytes = Vec::with_capacity(room(announced));
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => {
                return Err(No::new(
                    Word::TimedOut,
                    "the body did not come in time; send it faster",
                ));
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                return Err(No::new(Word::Malformed, "the body broke off"));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing that counts here.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > limit - bytes.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    String::from_utf8(bytes).map_err(|_| No::new(Word::Malformed, "the body is not UTF-8"))
}

/// Browsers send forms and text across origins without asking first, JSON they do not.
fn must_be_json(headers: &HeaderMap) -> Result<(), No> {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.to_str().is_ok_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case("application/json")
        })
    });
    if !is_json {
        let reason = "the body must be JSON: send `content-type: application/json`";
        return Err(No::new(Word::NotJson, reason));
    }
    let is_plain = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_plain {
        Ok(())
    } else {
        let reason = "the body must come without `content-encoding`";
        Err(No::new(Word::NotJson, reason))
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Room for what was announced, but no more than is cheap: an announcement costs its sender nothing.
fn room(announced: Option<u64>) -> usize {
    const CHEAP: u64 = 16 << 10;
    let room = announced.unwrap_or_default().min(CHEAP);
    usize::try_from(room).unwrap_or_default()
}
