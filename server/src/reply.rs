//! Answers: always JSON, and every "no" in one shape (PROTOCOL 0).

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sernixa_engine::Answer;

/// The words of the refusals that are the server's own, not the engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// 400: it cannot be read.
    Malformed,
    /// 401: no key, or one that is not known.
    Unauthenticated,
    /// 403: the key may not do that.
    Forbidden,
    /// 404: there is no such path.
    NotFound,
    /// 405: the path does not take this method.
    MethodNotAllowed,
    /// 408: the request did not come in time.
    TimedOut,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    NotJson,
    /// 421: the request was meant for another host.
    Misdirected,
    /// 422: a value breaks a rule.
    Invalid,
    /// 429: too many requests.
    TooMany,
    /// 431: the head is too large.
    HeadTooLarge,
    /// 500: a fault of ours.
    Internal,
    /// 503: not now.
    Busy,
    /// 503: the service did not answer in time.
    TooSlow,
    /// 503: the store cannot be read.
    Unavailable,
}

impl Word {
    /// The HTTP status it travels with.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::TooSlow | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The text in `detail.status`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed | Self::Invalid => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TimedOut => "request_timeout",
            Self::TooLarge => "body_too_large",
            Self::NotJson => "not_json",
            Self::Misdirected => "misdirected_request",
            Self::TooMany => "rate_limited",
            Self::HeadTooLarge => "head_too_large",
            Self::Internal => "internal_error",
            Self::Busy => "busy",
            Self::TooSlow => "too_slow",
            Self::Unavailable => "engine_error",
        }
    }
}

/// A JSON text as an answer.
pub(crate) fn json_text(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// What the engine answered.
pub(crate) fn answer(answer: Answer) -> Response {
    // The engine's statuses are constants of its own; another one would be its fault.
    match StatusCode::from_u16(answer.status) {
        Ok(status) => {
            let mut response = json_text(status, answer.body);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                let soon = HeaderValue::from_static("1");
                response.headers_mut().insert(RETRY_AFTER, soon);
            }
            response
        }
        Err(_) => refuse(Word::Internal, "the service failed inside"),
    }
}

/// The one place where the server says no.
pub(crate) fn refuse(word: Word, reason: &str) -> Response {
    let body = json!({"detail": {"status": word.as_str(), "reason": reason, "evidence": {}}});
    json_text(word.status(), body.to_string())
}

/// A "no" of the server on its way out of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct No {
    word: Word,
    reason: Cow<'static, str>,
}

impl No {
    pub(crate) fn new(word: Word, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            word,
            reason: reason.into(),
        }
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        refuse(self.word, &self.reason)
    }
}

/// The same, with the time after which another try makes sense: whole seconds, at least one.
pub(crate) fn refuse_for(word: Word, reason: &str, after: Duration) -> Response {
    let mut response = refuse(word, reason);
    let seconds = after.as_millis().div_ceil(1_000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
