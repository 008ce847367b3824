//! The gate in front of an rmcp server's tools.

mod ask;
mod facts;
mod forward;
mod refused;
mod tool;

use sernixa::Client;

pub use facts::ToolFacts;
pub use refused::{REFUSED, RefusedResult, refused_error, refused_result};

use facts::Facts;

/// Wraps any [`ServerHandler`](rmcp::ServerHandler): every `tools/call` is asked for first, and reaches
/// the handler only when it is approved. Everything else passes as it is.
///
/// A call is submitted as the action `mcp.<server>.<tool>` with risk medium, class `tool_call` and
/// sensitivity `internal`, unless said otherwise by [`tool`](Self::tool), and with the metadata of
/// PROTOCOL 24: server, tool, client, session (over HTTP) and request. Arguments are bound by their
/// digest; their values are sent only where capture is on. A tool that is annotated with
/// `destructiveHint: true` is at least of high risk.
///
/// A call that is not approved is answered with a tool result: `isError`, a text that says why, and
/// the reason for programs in `_meta["sernixa/decision"]`. While it waits, a caller that gave a progress
/// token is told; when it cancels, the request is taken back.
///
/// ```
/// use rmcp::handler::server::router::tool::ToolRouter;
/// use rmcp::{ServerHandler, tool, tool_handler, tool_router};
/// use sernixa::{OperationClass, RiskLevel};
/// use sernixa_mcp::Governed;
///
/// struct Files;
///
/// #[tool_router]
/// impl Files {
///     #[tool(description = "Deletes the oldest backup")]
///     fn prune(&self) -> String {
///         "pruned".to_owned()
///     }
/// }
///
/// #[tool_handler]
/// impl ServerHandler for Files {}
///
/// let server = Governed::new("files", Files)
///     .tool("prune", |tool| tool.risk(RiskLevel::High).class(OperationClass::Delete));
/// // server.serve(rmcp::transport::stdio()).await?
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Governed<H> {
    handler: H,
    server: String,
    intent: Option<String>,
    client: Option<Client>,
    facts: Facts,
}

impl<H> Governed<H> {
    /// Governs `handler`'s tools. `server` is what reviewers and policies know it by, whatever it calls
    /// itself.
    pub fn new(server: impl Into<String>, handler: H) -> Self {
        Self {
            handler,
            server: server.into(),
            intent: None,
            client: None,
            facts: Facts::default(),
        }
    }

    /// Asks through this client. Default: the [global one](sernixa::client).
    pub fn client(mut self, client: &Client) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// The intent that the calls serve: not blank, at most 128 characters. Default: `mcp:<server>`.
    pub fn intent_id(mut self, intent: impl Into<String>) -> Self {
        self.intent = Some(intent.into());
        self
    }

    /// Says how grave the calls of one tool are.
    pub fn tool(
        mut self,
        name: impl Into<String>,
        facts: impl FnOnce(ToolFacts) -> ToolFacts,
    ) -> Self {
        let name = name.into();
        let given = self.facts.tools.remove(&name).unwrap_or_default();
        self.facts.tools.insert(name, facts(given));
        self
    }

    /// Says how grave the calls of all tools are of which [`tool`](Self::tool) says nothing.
    pub fn other_tools(mut self, facts: impl FnOnce(ToolFacts) -> ToolFacts) -> Self {
        self.facts.others = facts(self.facts.others);
        self
    }

    /// Lets a tool's own `readOnlyHint: true` make its calls low and `read`, where neither
    /// [`tool`](Self::tool) nor [`other_tools`](Self::other_tools) says how grave they are. Without
    /// this, annotations only make a call graver.
    pub fn trust_annotations(mut self) -> Self {
        self.facts.trust_annotations = true;
        self
    }

    /// The handler inside.
    pub fn handler(&self) -> &H {
        &self.handler
    }
}
