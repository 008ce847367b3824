//! Which MCP tool is called, with what, and in what setting.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sernixa_protocol::json::Document;
use sernixa_protocol::mcp;

use super::arguments;
use crate::error::Error;

/// One call of an MCP tool, as a host or router knows it before it dispatches it.
///
/// ```
/// use sernixa_runtime::boundary::McpInvocation;
/// use serde_json::json;
///
/// let call = McpInvocation::new("files", "delete_file")
///     .session_id("s-7")
///     .request_id("42")
///     .resource_hints(["/srv/reports"])
///     .arguments([("path".to_owned(), json!("/srv/reports/old.csv"))]);
/// ```
#[derive(Clone)]
#[must_use]
pub struct McpInvocation {
    pub(super) server_name: String,
    pub(super) tool_name: String,
    pub(super) toolset_id: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) resource_hints: Vec<String>,
    /// JSON text: an object, or `null`; not yet checked.
    pub(super) arguments: Option<String>,
}

impl McpInvocation {
    /// A call of this server's tool, without arguments.
    pub fn new(server_name: impl Into<String>, tool_name: impl Into<String>) -> Self {
        Self {
            server_name: server_name.into(),
            tool_name: tool_name.into(),
            toolset_id: None,
            client_name: None,
            session_id: None,
            request_id: None,
            resource_hints: Vec::new(),
            arguments: None,
        }
    }

    /// The toolset that the tool belongs to.
    pub fn toolset_id(mut self, id: impl Into<String>) -> Self {
        self.toolset_id = Some(id.into());
        self
    }

    /// The MCP client that calls.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// The MCP session.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// The JSON-RPC request.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// What the call may touch.
    pub fn resource_hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.resource_hints = hints.into_iter().map(Into::into).collect();
        self
    }

    /// The tool's arguments by name. They are digested, and sent only where capture is on; see
    /// [`mcp_call_gate`](super::mcp_call_gate) for the one way that sends them always.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = (String, Value)>) -> Self {
        let arguments: Map<_, _> = arguments.into_iter().collect();
        self.arguments = Some(sernixa_protocol::canonical_json(&Value::Object(arguments)));
        self
    }

    /// As [`arguments`](Self::arguments), from the JSON text of an object or `null`: integers keep
    /// all their digits. What is not strict JSON is [`Error::Validation`](crate::Error::Validation)
    /// when the call is asked for.
    pub fn arguments_json(mut self, json: impl Into<String>) -> Self {
        self.arguments = Some(json.into());
        self
    }

    /// The arguments as the text of an object.
    pub(super) fn arguments_text(&self) -> &str {
        match self.arguments.as_deref() {
            None => "{}",
            Some(text) if text.trim_matches([' ', '\t', '\n', '\r']) == "null" => "{}",
            Some(text) => text,
        }
    }

    /// The metadata of PROTOCOL 24, with the arguments where their values are to be sent.
    ///
    /// # Errors
    /// `Validation` for arguments that are no strict JSON object.
    pub(super) fn members(&self, with_values: bool) -> Result<Vec<(String, Box<RawValue>)>, Error> {
        let hints: Vec<&str> = self.resource_hints.iter().map(String::as_str).collect();
        let invocation = mcp::Invocation {
            server_name: &self.server_name,
            tool_name: &self.tool_name,
            toolset_id: self.toolset_id.as_deref(),
            client_name: self.client_name.as_deref(),
            session_id: self.session_id.as_deref(),
            request_id: self.request_id.as_deref(),
            resource_hints: &hints,
        };
        let arguments = with_values.then_some(self.arguments_text());
        // As texts, so that integers keep all their digits.
        let metadata = mcp::metadata_json(&invocation, arguments).map_err(arguments::odd)?;
        let document = Document::parse(&metadata).map_err(arguments::odd)?;
        document
            .root()
            .members()
            .map(|(name, value)| {
                let name = name.as_str().unwrap_or_default().into_owned();
                Ok((name, RawValue::from_string(value.raw().to_owned())?))
            })
            .collect::<Result<_, serde_json::Error>>()
            .map_err(arguments::odd)
    }
}

/// Names and ids; never the arguments.
impl std::fmt::Debug for McpInvocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpInvocation")
            .field("server_name", &self.server_name)
            .field("tool_name", &self.tool_name)
            .field("toolset_id", &self.toolset_id)
            .field("client_name", &self.client_name)
            .field("session_id", &self.session_id)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
