//! Whether the service lives, and whether it can do its part (PROTOCOL 6).

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use sernixa_engine::{Principal, Role};

use crate::app::App;
use crate::metrics::Now;
use crate::reply::{Word, json_text, refuse};

/// The process answers.
pub(crate) async fn health() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The service can do its part.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let found = app.health().await;
    let status = if found.is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json_text(status, found.document.to_string())
}

/// Numbers for Prometheus.
pub(crate) async fn metrics(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
) -> Response {
    if !caller.has(Role::Auditor) && !caller.has(Role::Admin) {
        return refuse(Word::Forbidden, "metrics need the auditor or admin role");
    }
    let text = app.metrics.text(&Now {
        engine_calls: app.pool.at_work(),
        streams: app.hub.streams(),
        engine_failures: app.engine.failures().count,
    });
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
