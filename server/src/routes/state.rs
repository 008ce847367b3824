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
use crate::schema::{Alive, Readiness, Refusal};

/// Whether the process lives.
#[utoipa::path(
    get, path = "/health", tag = "state",
    responses((status = 200, description = "It lives.", body = Alive)),
)]
pub(crate) async fn health() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// Whether the service can do its part.
#[utoipa::path(
    get, path = "/ready", tag = "state",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot; `checks` says what is wrong.", body = Readiness),
    ),
)]
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
#[utoipa::path(
    get, path = "/metrics", tag = "state",
    responses(
        (status = 200, description = "The numbers.", body = String, content_type = "application/openmetrics-text"),
        (status = 403, description = "The key may not see them.", body = Refusal),
    ),
)]
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
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
