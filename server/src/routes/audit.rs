//! The audit log: read and verified (PROTOCOL 4).

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use sernixa_engine::{self as engine, AuditQuery, Principal};
use utoipa::IntoParams;

use super::limit;
use crate::app::App;
use crate::reply::{No, Word};
use crate::schema::{Anything, Refusal};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Events {
    /// At most so many. Default 50.
    #[param(minimum = 1, maximum = 1_000, nullable = false)]
    limit: Option<u32>,
    /// Of this request.
    #[param(nullable = false)]
    request_id: Option<String>,
    /// Of this kind, such as `approval_approved`.
    #[param(nullable = false)]
    event_type: Option<String>,
    /// By a key of this owner.
    #[param(nullable = false)]
    user_sub: Option<String>,
    /// About this approval.
    #[param(nullable = false)]
    approval_id: Option<String>,
    /// Above this number, the oldest first; without it, the newest first.
    #[param(nullable = false, minimum = 0, maximum = 9_223_372_036_854_775_807_u64)]
    after: Option<u64>,
}

/// Audit events.
#[utoipa::path(
    get, path = "/api/audit/events", tag = "audit", params(Events),
    responses(
        (status = 200, description = "The events that fit every parameter.", body = [Anything]),
        (status = 403, description = "The key may not read the audit.", body = Refusal),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn events(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<Events>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    let limit = limit(asked.limit, 50, 1_000)?;
    if asked
        .after
        .is_some_and(|after| i64::try_from(after).is_err())
    {
        let reason = "`after` is the number of an audit event: at most 2^63 - 1";
        return Err(No::new(Word::Invalid, reason));
    }
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            let query = AuditQuery {
                limit,
                request_id: asked.request_id.as_deref(),
                event_type: asked.event_type.as_deref(),
                user_sub: asked.user_sub.as_deref(),
                approval_id: asked.approval_id.as_deref(),
                after: asked.after,
            };
            engine.handle(caller, engine::Request::AuditEvents(query), moment)
        })
        .await)
}

/// The end of the organisation's chain. Kept elsewhere, it shows a cut tail.
#[utoipa::path(
    get, path = "/api/audit/head", tag = "audit",
    responses(
        (status = 200, description = "The head.", body = Anything),
        (status = 403, description = "The key may not read the audit.", body = Refusal),
    ),
)]
pub(crate) async fn head(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
) -> Response {
    app.ask(caller, |engine, caller, moment| {
        engine.handle(caller, engine::Request::AuditHead, moment)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Verify {
    /// A receipt that the chain must hold, as `SEQ:HASH`; several with commas between.
    #[param(
        nullable = false,
        pattern = "^([0-9]{1,18}:[0-9a-f]{64}(,[0-9]{1,18}:[0-9a-f]{64})*)?$"
    )]
    expect: Option<String>,
}

/// Check the organisation's chain from its first kept event.
#[utoipa::path(
    get, path = "/api/audit/verify", tag = "audit", params(Verify),
    responses(
        (status = 200, description = "What was found.", body = Anything),
        (status = 403, description = "The key may not read the audit.", body = Refusal),
        (status = 422, description = "A receipt is none.", body = Refusal),
    ),
)]
pub(crate) async fn verify(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<Verify>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    let expect = asked.expect.unwrap_or_default();
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            let expected: Vec<&str> = if expect.is_empty() {
                Vec::new()
            } else {
                expect.split(',').collect()
            };
            let request = engine::Request::AuditVerify {
                expected: &expected,
            };
            engine.handle(caller, request, moment)
        })
        .await)
}
