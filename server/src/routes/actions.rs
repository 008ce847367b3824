//! Asking whether an action may run.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use sernixa_engine::{self as engine, Principal};

use crate::app::App;
use crate::body;

/// Submits an action.
pub(crate) async fn execute(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Response {
    let body = match body::read(&app, request, app.config.limits.body_bytes).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    app.ask(caller, move |engine, caller, moment| {
        engine.handle(caller, engine::Request::Submit { body: &body }, moment)
    })
    .await
}
