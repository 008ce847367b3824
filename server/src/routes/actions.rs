//! Asking whether an action, or a tool call, may run.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use sernixa_engine::{self as engine, Principal};

use crate::app::App;
use crate::reply::No;
use crate::schema::{
    Accepted, Pending, Refusal, Submission, ToolAccepted, ToolCall, Tools, VisibleTools,
};

/// Ask whether an action may run.
#[utoipa::path(
    post, path = "/api/actions/execute", tag = "actions",
    request_body = Submission,
    responses(
        (status = 200, description = "It may run now.", body = Accepted),
        (status = 202, description = "A person decides first: wait for the approval.", body = Pending),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "It may not run, or the key may not ask.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn execute(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    let response = app
        .ask_with(caller, request, |engine, caller, moment, body| {
            engine.handle(caller, engine::Request::Submit { body }, moment)
        })
        .await?;
    app.metrics.submission(response.status().as_u16());
    Ok(response)
}

/// Ask whether a tool may be called.
#[utoipa::path(
    post, path = "/api/mcp/tools/call", tag = "actions",
    request_body = ToolCall,
    responses(
        (status = 200, description = "The caller may call the tool now.", body = ToolAccepted),
        (status = 202, description = "A person decides first: wait for the approval.", body = Pending),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "It may not be called, or the key may not ask.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn call_tool(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    let response = app
        .ask_with(caller, request, |engine, caller, moment, body| {
            engine.handle(caller, engine::Request::CallTool { body }, moment)
        })
        .await?;
    app.metrics.submission(response.status().as_u16());
    Ok(response)
}

/// Ask which tools need not be shown: the policies refuse each call of them.
#[utoipa::path(
    post, path = "/api/mcp/tools/visible", tag = "actions",
    request_body = Tools,
    responses(
        (status = 200, description = "Whether some call of each may be permitted.", body = VisibleTools),
        (status = 400, description = "The body is no JSON object, or has a member twice.", body = Refusal),
        (status = 403, description = "The key may not ask.", body = Refusal),
        (status = 422, description = "A member breaks a rule.", body = Refusal),
    ),
)]
pub(crate) async fn visible_tools(
    State(app): State<App>,
    Extension(caller): Extension<Principal>,
    request: Request<Body>,
) -> Result<Response, No> {
    app.ask_with(caller, request, |engine, caller, moment, body| {
        engine.handle(caller, engine::Request::VisibleTools { body }, moment)
    })
    .await
}
