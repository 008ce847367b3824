//! The MCP call gate of the service (PROTOCOL 7): `POST /api/mcp/tools/call`.

use serde::Serialize;

use super::invocation::McpInvocation;
use crate::action::{Action, Prepared, ToolCall, prepare_tool_call};
use crate::client::{Client, outcome_of};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::permit::Permit;
use crate::{DataSensitivity, OperationClass, RiskLevel};

/// Asks the service's own gate for MCP tool calls: `POST /api/mcp/tools/call` (PROTOCOL 7).
///
/// The service makes the submission out of the call, and the answer means what any answer to a
/// submission means (DESIGN 6): an allow lets the tool run at low and medium risk, a pending one
/// waits for its decision and is claimed, everything else is an error with its evidence. The
/// reference hands blocked and pending answers to the caller unjudged.
///
/// **The arguments are sent in full**, whatever is set about capture: the service decides on them.
/// DLP goes over them first; the tool itself gets what it was called with. Where no value may leave,
/// use [`McpToolBoundary`](super::McpToolBoundary). The tool is run here, not by the service
/// (`dispatch_mode` `caller_owned_after_allowed`): a service that says it runs it itself is refused,
/// lest it run twice.
///
/// A call carries no delegation: inside a delegation scope it is
/// [`Error::Configuration`](crate::Error::Configuration).
///
/// ```no_run
/// use sernixa_runtime::boundary::{McpInvocation, mcp_call_gate};
/// use sernixa_runtime::{Client, Error};
/// use serde_json::json;
///
/// # fn search(query: &str) -> Result<String, Error> { Ok(query.to_owned()) }
/// fn main() -> Result<(), Error> {
///     let client = Client::from_env()?;
///     let gate = mcp_call_gate(&client, "look-things-up");
///     let call = McpInvocation::new("web", "search")
///         .toolset_id("research")
///         .arguments([("query".to_owned(), json!("whales"))]);
///     println!("{}", gate.invoke(&call, || search("whales"))?);
///     client.close_blocking();
///     Ok(())
/// }
/// ```
pub fn mcp_call_gate(client: &Client, intent_id: impl Into<String>) -> McpCallGate {
    McpCallGate {
        client: client.clone(),
        action: Action::new(intent_id)
            .risk(RiskLevel::Medium)
            .class(OperationClass::ToolCall)
            .sensitivity(DataSensitivity::Internal),
        agent_id: None,
    }
}

/// What [`mcp_call_gate`] gives. Risk is medium, class `tool_call`, sensitivity `internal` until set
/// otherwise (PROTOCOL 7).
#[derive(Clone, Debug)]
#[must_use]
pub struct McpCallGate {
    client: Client,
    action: Action,
    agent_id: Option<String>,
}

impl McpCallGate {
    /// How grave it is.
    pub fn risk(mut self, level: RiskLevel) -> Self {
        self.action = self.action.risk(level);
        self
    }

    /// What kind of thing it does.
    pub fn class(mut self, class: OperationClass) -> Self {
        self.action = self.action.class(class);
        self
    }

    /// How sensitive the data is that it touches.
    pub fn sensitivity(mut self, sensitivity: DataSensitivity) -> Self {
        self.action = self.action.sensitivity(sensitivity);
        self
    }

    /// The action as the service knows it. Default: as the service names it, by the tool.
    pub fn action_id(mut self, id: impl Into<String>) -> Self {
        self.action = self.action.action_id(id);
        self
    }

    /// The agent on whose behalf the tool is called. It is recorded, not proved.
    pub fn agent_id(mut self, id: impl Into<String>) -> Self {
        self.agent_id = Some(id.into());
        self
    }

    /// Adds members to the metadata, as [`Action::metadata`](crate::Action::metadata) does. The
    /// service ignores names that are its own to write.
    pub fn metadata<K: Into<String>, V: Serialize>(
        mut self,
        members: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.action = self.action.metadata(members);
        self
    }

    /// Asks, and leaves the tool to the caller.
    ///
    /// # Errors
    /// Whatever keeps the tool from running.
    pub fn authorize(
        &self,
        call: &McpInvocation,
    ) -> impl Future<Output = Result<Permit, Error>> + Send + use<> {
        Client::ask(self.prepare(call).map(Box::new))
    }

    /// As [`authorize`](Self::authorize), blocking this thread.
    ///
    /// # Errors
    /// Whatever keeps the tool from running.
    pub fn authorize_blocking(&self, call: &McpInvocation) -> Result<Permit, Error> {
        Client::ask_blocking(self.prepare(call)?)
    }

    /// Runs the tool if the call is allowed, and reports how it ended. Blocks this thread, as
    /// [`Client::run`] does.
    ///
    /// # Errors
    /// Whatever keeps the tool from running, as `E`; else what it returned.
    pub fn invoke<T, E: From<Error>>(
        &self,
        call: &McpInvocation,
        tool: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let permit = self.authorize_blocking(call)?;
        let out = tool();
        permit.finish(outcome_of(&out));
        out
    }

    /// As [`invoke`](Self::invoke) for an async tool, whose future is made only once the call is
    /// allowed.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_async<T, E: From<Error>, F: Future<Output = Result<T, E>>>(
        &self,
        call: &McpInvocation,
        tool: impl FnOnce() -> F,
    ) -> Result<T, E> {
        let permit = self
            .authorize(call)
            .await?
            .or_when_dropped(Outcome::Cancelled);
        let out = tool().await;
        permit.finish(outcome_of(&out));
        out
    }

    fn prepare(&self, call: &McpInvocation) -> Result<Prepared, Error> {
        let call = ToolCall {
            toolset_id: call.toolset_id.as_deref(),
            server_name: &call.server_name,
            tool_name: &call.tool_name,
            agent_id: self.agent_id.as_deref(),
            arguments: call.arguments_text(),
            resource_hints: &call.resource_hints,
        };
        prepare_tool_call(&self.action, &call, &self.client)
    }
}
