//! Answers that are no message of the server's: errors, as JSON-RPC error bodies.

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::super::{EVENTS, JSON};
use crate::message::{Code, Id, Refused};

/// `HeaderMismatch` (2026-07-28, *Server Validation*).
pub(super) const HEADER_MISMATCH: i32 = -32_020;

/// Tells nginx and its like not to hold events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A request that the endpoint itself refuses.
#[derive(Debug)]
pub(super) struct No {
    status: StatusCode,
    code: i32,
    reason: String,
    id: Option<Id>,
}

impl No {
    pub(super) fn new(status: StatusCode, code: Code, reason: impl Into<String>) -> Self {
        Self::coded(status, code.number(), reason)
    }

    pub(super) fn coded(status: StatusCode, code: i32, reason: impl Into<String>) -> Self {
        Self {
            status,
            code,
            reason: reason.into(),
            id: None,
        }
    }

    /// 400, -32600.
    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::Invalid, reason)
    }

    /// The request that it answers.
    pub(super) fn to(mut self, id: Option<&Id>) -> Self {
        self.id = id.cloned();
        self
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        let id = refused.is_answered().then_some(refused.id).flatten();
        Self::new(StatusCode::BAD_REQUEST, refused.code, refused.reason).to(id.as_ref())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let id = self.id.as_ref().map(Id::to_json);
        let id = id.map(|id| format!(r#""id":{id},"#)).unwrap_or_default();
        let text = serde_json::Value::from(self.reason);
        let code = self.code;
        let body = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":{text}}}}}"#);
        let mut response = json(self.status, body.into());
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
            }
            _ => {}
        }
        response
    }
}

/// One JSON message.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    typed(response.headers_mut(), JSON);
    response
}

/// A stream of events.
pub(super) fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    typed(headers, EVENTS);
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Taken; there is nothing to say.
pub(super) fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

fn typed(headers: &mut HeaderMap, kind: &'static str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
}
