//! The gate in front of an MCP tool, at the host or router that dispatches it.

use sernixa_protocol::action_id;

use super::facts::facts;
use super::invocation::McpInvocation;
use crate::action::{Action, choose_client};
use crate::client::Client;
use crate::error::Error;
use crate::{DataSensitivity, OperationClass, RiskLevel};

/// Asks for MCP tool calls where they are dispatched (PROTOCOL 24): action id
/// `mcp.<server>.<tool>`, and the invocation as metadata.
///
/// Risk is low, class `tool_call`, sensitivity `internal`, the system is the server, until set
/// otherwise; cheap to clone, so give each kind of tool a boundary of its own. The arguments'
/// digest binds the approval to them; their values (`mcp_arguments`) are sent only where capture is
/// on.
///
/// ```no_run
/// use sernixa_runtime::boundary::{McpInvocation, McpToolBoundary};
/// use sernixa_runtime::{Client, Error, RiskLevel};
/// use serde_json::json;
///
/// # fn delete(path: &str) -> Result<(), Error> { Ok(()) }
/// fn main() -> Result<(), Error> {
///     let client = Client::from_env()?;
///     let deletions = McpToolBoundary::new(&client, "clean-up").risk(RiskLevel::High);
///     let call = McpInvocation::new("files", "delete_file")
///         .arguments([("path".to_owned(), json!("/srv/old.csv"))]);
///     deletions.invoke(&call, || delete("/srv/old.csv"))?;
///     client.close_blocking();
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct McpToolBoundary {
    client: Client,
    action: Action,
}

impl McpToolBoundary {
    /// A boundary for calls that serve this intent: not blank, at most 128 characters.
    pub fn new(client: &Client, intent_id: impl Into<String>) -> Self {
        let action = Action::new(intent_id)
            .risk(RiskLevel::Low)
            .class(OperationClass::ToolCall)
            .sensitivity(DataSensitivity::Internal);
        Self {
            client: client.clone(),
            action,
        }
    }

    facts!(|name| name == "framework" || name.starts_with("mcp_"));

    /// The call as the action that is asked for: for [`Client::submit`], or to see what would be
    /// sent.
    ///
    /// # Errors
    /// [`Error::Validation`] for arguments that are no strict JSON object.
    pub fn action(&self, call: &McpInvocation) -> Result<Action, Error> {
        let client = choose_client(Some(&self.client))?;
        let settings = client.settings();
        let with_values = self.action.captures().unwrap_or(settings.capture_arguments);
        let mut action = self.action.clone();
        if !action.has_systems() {
            action = action.systems([&call.server_name]);
        }
        let tool = format!("{}.{}", call.server_name, call.tool_name);
        action = action
            .action_id(action_id("mcp", &tool))
            .metadata([("framework", "mcp")])
            .metadata(call.members(with_values)?);
        Ok(action.arguments_json(call.arguments_text()))
    }

    /// Runs the tool if the call is approved, and reports how it ended. Blocks this thread, as
    /// [`Client::run`] does.
    ///
    /// # Errors
    /// Whatever keeps the tool from running, as `E`; else what it returned.
    pub fn invoke<T, E: From<Error>>(
        &self,
        call: &McpInvocation,
        tool: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.client.run(&self.action(call)?, tool)
    }

    /// As [`invoke`](Self::invoke) for an async tool, whose future is made only once the call is
    /// approved.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_async<T, E: From<Error>, F: Future<Output = Result<T, E>>>(
        &self,
        call: &McpInvocation,
        tool: impl FnOnce() -> F,
    ) -> Result<T, E> {
        self.client.run_async(&self.action(call)?, tool).await
    }
}
