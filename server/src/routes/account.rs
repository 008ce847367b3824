//! Who the caller is, as the reference's command line asks it (PROTOCOL 8).

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use sernixa_engine::{Principal, Role};

use crate::app::App;
use crate::body;
use crate::moments::time;
use crate::reply::{No, Word, json_text};
use crate::schema::{Anything, Caller, Installed, Refusal};

/// The most bytes that an installation says of itself.
const INSTALLATION_MAX: usize = 16 << 10;

/// The caller.
#[utoipa::path(
    get, path = "/api/auth/whoami", tag = "account",
    responses((status = 200, description = "Whom the key authenticates.", body = Caller)),
)]
pub(crate) async fn whoami(Extension(caller): Extension<Principal>) -> Response {
    let roles: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| caller.has(*role))
        .map(Role::as_str)
        .collect();
    let body = json!({
        "principal_id": &**caller.key(),
        "auth_provider": "api_key",
        "organization_id": &**caller.organisation(),
        "team_id": null,
        "key_id": &**caller.key(),
        "owner": &**caller.owner(),
        "roles": roles,
        "permissions": [],
    });
    json_text(StatusCode::OK, body.to_string())
}

/// There is one plan: this service, run by oneself.
#[utoipa::path(
    get, path = "/api/billing/current-plan", tag = "account",
    responses((status = 200, description = "The plan.", body = Anything)),
)]
pub(crate) async fn current_plan() -> Response {
    let body = json!({
        "subscription": {"status": "active"},
        "plan": {"id": "self-hosted", "name": "Self-hosted"},
        "entitlements": {"flight_recorder_enabled": false},
        "contract_support_url": null,
    });
    json_text(StatusCode::OK, body.to_string())
}

/// A client says that it is installed. Nothing of it is kept.
#[utoipa::path(
    post, path = "/api/platform/telemetry/installations", tag = "account",
    request_body = Anything,
    responses(
        (status = 200, description = "It was heard.", body = Installed),
        (status = 400, description = "The body is no JSON object.", body = Refusal),
    ),
)]
pub(crate) async fn installation(
    State(app): State<App>,
    request: Request<Body>,
) -> Result<Response, No> {
    let body = body::read(&app, request, INSTALLATION_MAX).await?;
    if serde_json::from_str::<Map<String, Value>>(&body).is_err() {
        return Err(No::new(Word::Malformed, "the body must be a JSON object"));
    }
    let body = json!({
        "accepted": true,
        "first_seen": false,
        "observed_at": time().to_string(),
    });
    Ok(json_text(StatusCode::OK, body.to_string()))
}
