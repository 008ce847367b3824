//! Evidence bundles: what happened, in a form that proves itself (PROTOCOL 10).

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::Request;
use axum::response::Response;
use serde::Deserialize;
use sernixa_engine::{self as engine, Principal, Role};
use utoipa::IntoParams;

use super::{limit, name};
use crate::app::App;
use crate::body;
use crate::reply::{No, Word, refuse_for};
use crate::schema::{Anything, Refusal};

/// The evidence about one approval.
#[utoipa::path(
    get, path = "/api/evidence-bundles/approvals/{approval_id}", tag = "evidence",
    params(("approval_id" = String, Path)),
    responses(
        (status = 200, description = "The bundle.", body = Anything),
        (status = 403, description = "The key may not read it.", body = Refusal),
        (status = 404, description = "There is no such approval, or the key may not see it.", body = Refusal),
    ),
)]
pub(crate) async fn approval(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let id = name(path);
    app.ask(caller, move |engine, caller, moment| {
        let approval_id = &*id;
        engine.handle(
            caller,
            engine::Request::EvidenceApproval { approval_id },
            moment,
        )
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimeRange {
    /// From this time on: RFC 3339, or a date in UTC.
    date_from: String,
    /// Until before this time, or until the end of this day in UTC.
    date_to: String,
    /// At most so many events. Default 1,000.
    #[param(minimum = 1, maximum = 5_000, nullable = false)]
    limit: Option<u32>,
    /// There are no teams here: any text but an empty one is refused.
    #[param(nullable = false, max_length = 0)]
    team_id: Option<String>,
}

/// The evidence of a time.
#[utoipa::path(
    get, path = "/api/evidence-bundles/time-range", tag = "evidence", params(TimeRange),
    responses(
        (status = 200, description = "The bundle.", body = Anything),
        (status = 403, description = "The key may not read it.", body = Refusal),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn time_range(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<TimeRange>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    no_team(asked.team_id.as_deref())?;
    let limit = limit(asked.limit, 1_000, 5_000)?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            let request = engine::Request::EvidenceRange {
                from: &asked.date_from,
                to: &asked.date_to,
                limit,
            };
            engine.handle(caller, request, moment)
        })
        .await)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Organisation {
    /// At most so many events. Default 1,000.
    #[param(minimum = 1, maximum = 5_000, nullable = false)]
    limit: Option<u32>,
    /// There are no teams here: any text but an empty one is refused.
    #[param(nullable = false, max_length = 0)]
    team_id: Option<String>,
}

/// The newest evidence of the organisation.
#[utoipa::path(
    get, path = "/api/evidence-bundles/org", tag = "evidence", params(Organisation),
    responses(
        (status = 200, description = "The bundle.", body = Anything),
        (status = 403, description = "The key may not read it.", body = Refusal),
        (status = 422, description = "A parameter breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn organisation(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<Organisation>, QueryRejection>,
) -> Result<Response, No> {
    let Query(asked) = query?;
    no_team(asked.team_id.as_deref())?;
    let limit = limit(asked.limit, 1_000, 5_000)?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            engine.handle(
                caller,
                engine::Request::EvidenceOrganisation { limit },
                moment,
            )
        })
        .await)
}

/// Answering for the whole organisation what was asked for a team would say too much.
fn no_team(team: Option<&str>) -> Result<(), No> {
    match team {
        None | Some("") => Ok(()),
        Some(_) => {
            let reason = "this service knows no teams: leave `team_id` out";
            Err(No::new(Word::Invalid, reason))
        }
    }
}

/// Check a bundle.
#[utoipa::path(
    post, path = "/api/evidence-bundles/verify", tag = "evidence",
    request_body = Anything,
    responses(
        (status = 200, description = "What was found.", body = Anything),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not verify bundles.", body = Refusal),
        (status = 422, description = "It cannot be a bundle.", body = Refusal),
    ),
)]
pub(crate) async fn verify(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    // Before so large a body is read.
    if !caller.has(Role::Auditor) && !caller.has(Role::Admin) {
        let reason = "verifying evidence needs the auditor or admin role";
        return Err(No::new(Word::Forbidden, reason));
    }
    let Ok(_place) = app.bundles.try_acquire() else {
        let reason = "other bundles are being verified; try again";
        return Ok(refuse_for(Word::Busy, reason, Duration::from_secs(2)));
    };
    let body = body::read(&app, request, app.config.limits.bundle_bytes).await?;
    Ok(app
        .ask(caller, move |engine, caller, moment| {
            engine.handle(
                caller,
                engine::Request::VerifyEvidence { body: &body },
                moment,
            )
        })
        .await)
}
