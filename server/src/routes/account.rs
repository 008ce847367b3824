//! Who the caller is, as the reference's command line asks it (PROTOCOL 8).

use axum::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use sernixa_engine::{Principal, Role};

use crate::reply::json_text;

/// The caller.
pub(crate) async fn whoami(Extension(caller): Extension<Principal>) -> Response {
    let roles: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| caller.has(*role))
        .map(Role::as_str)
        .collect();
    let body = json!({
        "principal_id": **caller.key(),
        "auth_provider": "api_key",
        "organization_id": **caller.organisation(),
        "team_id": null,
        "key_id": **caller.key(),
        "owner": **caller.owner(),
        "roles": roles,
        "permissions": [],
    });
    json_text(StatusCode::OK, body.to_string())
}

/// There is one plan: this service, run by oneself.
pub(crate) async fn current_plan() -> Response {
    let body = json!({
        "subscription": {"status": "active"},
        "plan": {"id": "self-hosted", "name": "Self-hosted"},
        "entitlements": {"flight_recorder_enabled": false},
        "contract_support_url": null,
    });
    json_text(StatusCode::OK, body.to_string())
}
