//! Approvals: seen, decided, claimed, withdrawn, reported.

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::Request;
use axum::response::Response;
use serde::Deserialize;
use sernixa_engine::{self as engine, Principal};

use crate::app::App;
use crate::body;
use crate::reply::{Word, refuse};

/// How many are listed.
#[derive(Deserialize)]
pub(crate) struct Limit {
    limit: Option<usize>,
}

/// What waits for review.
pub(crate) async fn pending(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<Limit>, QueryRejection>,
) -> Response {
    let limit = match query {
        Ok(Query(Limit { limit })) => limit.unwrap_or(50),
        Err(_) => return refuse(Word::Invalid, "`limit` must be a number from 1 to 100"),
    };
    app.ask(caller, move |engine, caller, moment| {
        engine.handle(caller, engine::Request::Pending { limit }, moment)
    })
    .await
}

/// One approval.
pub(crate) async fn record(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let id = name(path);
    app.ask(caller, move |engine, caller, moment| {
        engine.handle(caller, engine::Request::Record { approval_id: &id }, moment)
    })
    .await
}

/// A name that cannot be read names nothing.
fn name(path: Result<Path<String>, PathRejection>) -> String {
    path.map(|Path(name)| name).unwrap_or_default()
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident => $request:ident,)+) => {$(
        $(#[$doc])*
        pub(crate) async fn $name(
            State(app): State<App>,
            Extension(caller): Extension<Principal>,
            path: Result<Path<String>, PathRejection>,
            request: Request<Body>,
        ) -> Response {
            let id = name(path);
            let body = match body::read(&app, request, app.config.limits.body_bytes).await {
                Ok(body) => body,
                Err(refused) => return refused,
            };
            app.ask(caller, move |engine, caller, moment| {
                let request = engine::Request::$request { approval_id: &id, body: &body };
                engine.handle(caller, request, moment)
            })
            .await
        }
    )+};
}

steps! {
    /// Records a person's decision.
    decision => Decide,
    /// Starts what was approved.
    claim => Claim,
    /// Takes a request back.
    withdraw => Withdraw,
}

/// Records how actions ended.
pub(crate) async fn outcomes(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Response {
    let body = match body::read(&app, request, app.config.limits.body_bytes).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    app.ask(caller, move |engine, caller, moment| {
        engine.handle(caller, engine::Request::Outcomes { body: &body }, moment)
    })
    .await
}
