//! Whether the service lives, and whether it can do its part (PROTOCOL 6).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::config::Mode;
use crate::reply::json_text;

/// The process answers.
pub(crate) async fn health() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The service can do its part.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let mode = match app.config.mode {
        Mode::LocalDemo => "local_demo",
        Mode::Production => "production_like",
    };
    let body = json!({
        "status": "ready",
        "runtime_mode": mode,
        "checks": {
            "configuration": {
                "status": "ok",
                "snapshot": {"runtime_mode": mode, "flight_recorder": {"enabled": false}},
            },
        },
    });
    json_text(StatusCode::OK, body.to_string())
}
