//! What is let through because people approved it before: seen, and forgotten.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use sernixa_engine::{self as engine, Principal};

use super::name;
use crate::app::App;
use crate::schema::{Done, Memory, Refusal};

/// What is remembered.
#[utoipa::path(
    get, path = "/api/memory", tag = "memory",
    responses(
        (status = 200, description = "What is remembered.", body = [Memory]),
        (status = 403, description = "The key may not see it.", body = Refusal),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
) -> Response {
    app.ask(caller, |engine, caller, moment| {
        engine.handle(caller, engine::Request::Memories, moment)
    })
    .await
}

/// Forget it: the next such call waits for a person.
#[utoipa::path(
    delete, path = "/api/memory/{fingerprint}", tag = "memory",
    params(("fingerprint" = String, Path)),
    responses(
        (status = 200, description = "It is forgotten.", body = Done),
        (status = 403, description = "The key may not forget it.", body = Refusal),
        (status = 404, description = "Nothing is remembered under that.", body = Refusal),
        (status = 422, description = "That is no fingerprint.", body = Refusal),
    ),
)]
pub(crate) async fn forget(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let fingerprint = name(path);
    app.ask(caller, move |engine, caller, moment| {
        let fingerprint = &*fingerprint;
        engine.handle(caller, engine::Request::Forget { fingerprint }, moment)
    })
    .await
}
