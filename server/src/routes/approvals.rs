//! Approvals: seen, decided, claimed, withdrawn, reported.

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
use crate::schema::{
    ClaimAsk, Claimed, DecisionAsk, Done, OutcomeResults, Outcomes, Record, Refusal, WithdrawAsk,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Pending {
    /// At most so many. Default 50.
    #[param(minimum = 1, maximum = 100, nullable = false)]
    limit: Option<u32>,
}

/// What waits for review, the oldest first.
#[utoipa::path(
    get, path = "/api/approvals/pending", tag = "approvals", params(Pending),
    responses(
        (status = 200, description = "All of the organisation's, or the key's own.", body = [Record]),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn pending(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<Pending>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    let limit = limit(asked.limit, 50, 100)?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            engine.handle(caller, engine::Request::Pending { limit }, moment)
        })
        .await)
}

/// How a record is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Reading {
    /// The client waits for the decision: `waiter_seen_at` of its approval says so to others.
    #[param(nullable = false)]
    waiting: Option<bool>,
}

/// One approval.
#[utoipa::path(
    get, path = "/api/approvals/{approval_id}", tag = "approvals",
    params(("approval_id" = String, Path), Reading),
    responses(
        (status = 200, description = "The approval as it stands.", body = Record),
        (status = 404, description = "There is none, or the key may not see it.", body = Refusal),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn record(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Reading>, QueryRejection>,
) -> Result<Response, No> {
    let id = name(path);
    let Query(reading) = query?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            let approval_id = &*id;
            let request = match reading.waiting {
                Some(true) => engine::Request::Await { approval_id },
                Some(false) | None => engine::Request::Record { approval_id },
            };
            engine.handle(caller, request, moment)
        })
        .await)
}

/// Decide what waits for review.
#[utoipa::path(
    post, path = "/api/approvals/{approval_id}/decision", tag = "approvals",
    params(("approval_id" = String, Path)),
    request_body = DecisionAsk,
    responses(
        (status = 200, description = "It is decided.", body = Record),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not decide this.", body = Refusal),
        (status = 404, description = "There is none, or the key may not see it.", body = Refusal),
        (status = 409, description = "It has ended otherwise.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn decision(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, No> {
    let id = name(path);
    app.ask_with(caller, request, move |engine, caller, moment, body| {
        let approval_id = &*id;
        engine.handle(
            caller,
            engine::Request::Decide { approval_id, body },
            moment,
        )
    })
    .await
}

/// Start what was approved, once.
#[utoipa::path(
    post, path = "/api/approvals/{approval_id}/claim", tag = "approvals",
    params(("approval_id" = String, Path)),
    request_body = ClaimAsk,
    responses(
        (status = 200, description = "The action starts now.", body = Claimed),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not claim, or its signature does not verify.", body = Refusal),
        (status = 404, description = "There is none, or the key may not see it.", body = Refusal),
        (status = 409, description = "It cannot be started; `detail.status` says why.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn claim(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, No> {
    let id = name(path);
    app.ask_with(caller, request, move |engine, caller, moment, body| {
        let approval_id = &*id;
        engine.handle(caller, engine::Request::Claim { approval_id, body }, moment)
    })
    .await
}

/// Take back what nobody waits for any more.
#[utoipa::path(
    post, path = "/api/approvals/{approval_id}/withdraw", tag = "approvals",
    params(("approval_id" = String, Path)),
    request_body = WithdrawAsk,
    responses(
        (status = 200, description = "It is taken back.", body = Done),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not withdraw, or its signature does not verify.", body = Refusal),
        (status = 404, description = "There is none, or the key may not see it.", body = Refusal),
        (status = 409, description = "It cannot be taken back; `detail.status` says why.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, No> {
    let id = name(path);
    app.ask_with(caller, request, move |engine, caller, moment, body| {
        let approval_id = &*id;
        engine.handle(
            caller,
            engine::Request::Withdraw { approval_id, body },
            moment,
        )
    })
    .await
}

/// Tell how actions ended.
#[utoipa::path(
    post, path = "/api/approvals/outcomes", tag = "approvals",
    request_body = Outcomes,
    responses(
        (status = 200, description = "What was made of each report.", body = OutcomeResults),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not report.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn outcomes(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    app.ask_with(caller, request, |engine, caller, moment, body| {
        engine.handle(caller, engine::Request::Outcomes { body }, moment)
    })
    .await
}
