//! The metadata of an MCP tool call (PROTOCOL 24): what is null or empty is left out.

use serde_json::{Map, Value};

use crate::canonical::write_string;
use crate::json::{Document, JsonError, JsonErrorKind};

/// Which tool is called, and in what setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Invocation<'a> {
    /// The MCP server's name.
    pub server_name: &'a str,
    /// The tool's name.
    pub tool_name: &'a str,
    /// The toolset it belongs to.
    pub toolset_id: Option<&'a str>,
    /// The MCP client's name.
    pub client_name: Option<&'a str>,
    /// The MCP session.
    pub session_id: Option<&'a str>,
    /// The JSON-RPC request.
    pub request_id: Option<&'a str>,
    /// What the call may touch.
    pub resource_hints: &'a [&'a str],
}

impl<'a> Invocation<'a> {
    /// The text members in the order of the wire. An empty text is one; a missing one is not.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("mcp_server", Some(self.server_name)),
            ("mcp_tool", Some(self.tool_name)),
            ("mcp_toolset_id", self.toolset_id),
            ("mcp_client", self.client_name),
            ("mcp_session_id", self.session_id),
            ("mcp_request_id", self.request_id),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
    }
}

/// The metadata of a call with these arguments.
pub fn metadata(
    invocation: &Invocation<'_>,
    arguments: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let mut out: Map<String, Value> = invocation
        .texts()
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    if !invocation.resource_hints.is_empty() {
        out.insert(
            "mcp_resource_hints".to_owned(),
            invocation.resource_hints.into(),
        );
    }
    if let Some(arguments) = arguments.filter(|arguments| !arguments.is_empty()) {
        out.insert("mcp_arguments".to_owned(), Value::Object(arguments.clone()));
    }
    out
}

/// As [`metadata`], as JSON text from the JSON text of the arguments: an object, or `null`.
///
/// # Errors
/// When the arguments are not [strict JSON](crate::json), or neither an object nor `null`.
pub fn metadata_json(
    invocation: &Invocation<'_>,
    arguments: Option<&str>,
) -> Result<String, JsonError> {
    let mut out = String::from("{");
    for (name, text) in invocation.texts() {
        open_member(name, &mut out);
        write_string(text, &mut out);
    }
    if !invocation.resource_hints.is_empty() {
        open_member("mcp_resource_hints", &mut out);
        for (place, hint) in invocation.resource_hints.iter().enumerate() {
            out.push(if place == 0 { '[' } else { ',' });
            write_string(hint, &mut out);
        }
        out.push(']');
    }
    if let Some(text) = arguments {
        let document = Document::parse(text)?;
        let arguments = document.root();
        if !arguments.is_object() && !arguments.is_null() {
            return Err(JsonError::new(JsonErrorKind::WrongKind, 0));
        }
        if arguments.members().next().is_some() {
            open_member("mcp_arguments", &mut out);
            out.push_str(arguments.raw());
        }
    }
    out.push('}');
    Ok(out)
}

fn open_member(name: &str, out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}
