//! Asking for one tool call, and waiting for the decision.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ProgressNotificationParam, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use serde_json::json;
use sernixa::boundary::{McpInvocation, McpToolBoundary};
use sernixa::{Action, Client, Error, Pending, Permit, Submitted};
use sernixa_protocol::display::one_line;

use super::{Governed, refused};
use crate::decision::{Decision, of_error};

/// How often a caller that waits is told so.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

impl<H> Governed<H> {
    /// Asks for the call. `Err` is what the caller gets instead of its tool.
    pub(super) async fn ask(
        &self,
        call: &CallToolRequestParams,
        tool: Option<&Tool>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Permit, CallToolResult> {
        let decided = async {
            let client = match &self.client {
                Some(client) => client,
                None => sernixa::client()?,
            };
            let action = self.action(client, call, tool, context)?;
            match client.submit(&action).await? {
                Submitted::Allowed(permit) => Ok(permit),
                Submitted::Pending(pending) => wait(pending, context).await,
            }
        };
        tokio::select! {
            // A call that nobody waits for any more must not begin.
            biased;
            () = context.ct.cancelled() => {
                let decision = Decision { status: "cancelled", ..Decision::default() };
                Err(refused::result("Not run: the caller cancelled it.", &decision, tool))
            }
            decided = decided => decided.map_err(|error: Error| {
                let (text, decision) = of_error(&error);
                refused::result(&text, &decision, tool)
            }),
        }
    }

    /// The call as what is submitted.
    fn action(
        &self,
        client: &Client,
        call: &CallToolRequestParams,
        tool: Option<&Tool>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Action, Error> {
        let annotations = tool.and_then(|tool| tool.annotations.as_ref());
        let gravity = self.facts.of(&call.name, annotations);
        let intent = match &self.intent {
            Some(intent) => intent.clone(),
            None => format!("mcp:{}", self.server),
        };
        let mut boundary = McpToolBoundary::new(client, intent)
            .risk(gravity.risk)
            .class(gravity.class)
            .sensitivity(gravity.sensitivity)
            .summary(self.summary(call));
        if !gravity.systems.is_empty() {
            boundary = boundary.systems(gravity.systems);
        }
        let mut action = boundary.action(&self.invocation(call, context))?;
        if is_continued(call) {
            // What was answered to the tool's questions is bound, too.
            action = action.arguments_json(
                &json!({
                    "arguments": call.arguments,
                    "inputResponses": call.input_responses,
                    "requestState": call.request_state,
                })
                .to_string(),
            );
        }
        Ok(action.metadata(annotations.map_or_else(Vec::new, hints)))
    }

    fn invocation(
        &self,
        call: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> McpInvocation {
        let mut invocation = McpInvocation::new(&self.server, &*call.name)
            .request_id(context.id.to_string())
            .arguments(call.arguments.clone().unwrap_or_default());
        if let Some(host) = context.client_info() {
            invocation = invocation.client_name(host.name);
        }
        if let Some(session) = session_id(context) {
            invocation = invocation.session_id(session);
        }
        invocation
    }

    /// One line for the reviewer: names, no values.
    fn summary(&self, call: &CallToolRequestParams) -> String {
        let arguments: Vec<&str> = call
            .arguments
            .iter()
            .flat_map(|arguments| arguments.keys().map(String::as_str))
            .collect();
        let arguments = arguments.join(", ");
        let continued = if is_continued(call) {
            ", continued"
        } else {
            ""
        };
        format!("{}: {}({arguments}){continued}", self.server, call.name)
    }
}

/// Whether it comes again, with answers to what the tool asked (2026-07-28).
fn is_continued(call: &CallToolRequestParams) -> bool {
    call.input_responses.is_some() || call.request_state.is_some()
}

/// What the tool says of itself, one by one: a policy can read a truth value, not an object.
fn hints(annotations: &ToolAnnotations) -> Vec<(&'static str, bool)> {
    [
        ("mcp_read_only", annotations.read_only_hint),
        ("mcp_destructive", annotations.destructive_hint),
        ("mcp_idempotent", annotations.idempotent_hint),
        ("mcp_open_world", annotations.open_world_hint),
    ]
    .into_iter()
    .filter_map(|(name, hint)| Some((name, hint?)))
    .collect()
}

/// The session of a call that came over HTTP.
fn session_id(context: &RequestContext<RoleServer>) -> Option<&str> {
    let parts = context.extensions.get::<http::request::Parts>()?;
    parts.headers.get("mcp-session-id")?.to_str().ok()
}

/// Waits for the decision. Dropped, the request is taken back.
async fn wait(pending: Pending, context: &RequestContext<RoleServer>) -> Result<Permit, Error> {
    let progress = tell(pending.approval_id().to_owned(), context);
    tokio::select! {
        biased;
        decided = pending.decided() => decided,
        never = progress => match never {},
    }
}

/// Tells the caller now and again that its call waits, if it gave a token for that.
async fn tell(
    approval_id: String,
    context: &RequestContext<RoleServer>,
) -> std::convert::Infallible {
    let token = context.meta.get_progress_token();
    let mut told = 0.0_f64;
    while let Some(token) = token.clone() {
        told += 1.0;
        let id = one_line(&approval_id);
        // Progress must increase (MCP, progress), and the tool will begin at nought or above.
        let progress = ProgressNotificationParam::new(token, -1.0 / told)
            .with_message(format!("waiting for a decision on approval {id}"));
        if context.peer.notify_progress(progress).await.is_err() {
            break;
        }
        tokio::time::sleep(PROGRESS_EVERY).await;
    }
    std::future::pending().await
}
