//! Delegation tokens: made, listed, revoked (PROTOCOL 5, DESIGN 9).

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::Request;
use axum::response::Response;
use serde::Deserialize;
use sernixa_engine::{self as engine, Principal};
use utoipa::IntoParams;

use super::{limit, name};
use crate::app::App;
use crate::reply::No;
use crate::schema::{Refusal, Token, TokenAsk};

/// Let one agent act for another, within a scope.
#[utoipa::path(
    post, path = "/api/delegations", tag = "delegations",
    request_body = TokenAsk,
    responses(
        (status = 200, description = "The token.", body = Token),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not delegate this.", body = Refusal),
        (status = 404, description = "There is no such parent token.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    app.ask_with(caller, request, |engine, caller, moment, body| {
        engine.handle(caller, engine::Request::Delegate { body }, moment)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct List {
    /// At most so many. Default 100.
    #[param(minimum = 1, maximum = 1_000, nullable = false)]
    limit: Option<u32>,
}

/// The organisation's tokens, the newest first.
#[utoipa::path(
    get, path = "/api/delegations", tag = "delegations", params(List),
    responses(
        (status = 200, description = "The tokens.", body = [Token]),
        (status = 403, description = "The key may not see them.", body = Refusal),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<List>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    let limit = limit(asked.limit, 100, 1_000)?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            engine.handle(caller, engine::Request::Delegations { limit }, moment)
        })
        .await)
}

/// Take a token back, and with it all that narrow it.
#[utoipa::path(
    post, path = "/api/delegations/{token_id}/revoke", tag = "delegations",
    params(("token_id" = String, Path)),
    responses(
        (status = 200, description = "It is revoked.", body = Token),
        (status = 403, description = "The key may not revoke it.", body = Refusal),
        (status = 404, description = "There is none, or the key may not see it.", body = Refusal),
    ),
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let id = name(path);
    app.ask(caller, move |engine, caller, moment| {
        let token_id = &*id;
        engine.handle(
            caller,
            engine::Request::RevokeDelegation { token_id },
            moment,
        )
    })
    .await
}
