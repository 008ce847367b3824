//! Preparing a call of the MCP call gate (PROTOCOL 7): the service makes the submission out of it.

use serde::Serialize;
use serde_json::value::RawValue;
use sernixa_protocol::dlp::protect_metadata_json;
use sernixa_protocol::json::{Document, JsonError, JsonErrorKind, Node};
use sernixa_protocol::rules::is_core_key;
use sernixa_protocol::submission::{BuildError, MAX_BYTES, MAX_LEVELS};
use sernixa_protocol::{DataSensitivity, OperationClass};

use super::prepare::{action_metadata, action_template, choose_client};
use super::{Action, Prepared, Submission, build_fault};
use crate::client::Client;
use crate::delegation::Delegation;
use crate::error::{Error, Refusal};
use crate::random::two_ids;
use crate::transport::Endpoint;

/// Which tool is called, with what, for whom.
pub(crate) struct ToolCall<'a> {
    pub(crate) toolset_id: Option<&'a str>,
    pub(crate) server_name: &'a str,
    pub(crate) tool_name: &'a str,
    pub(crate) agent_id: Option<&'a str>,
    /// The text of a JSON object, not yet checked.
    pub(crate) arguments: &'a str,
    pub(crate) resource_hints: &'a [String],
}

/// What DLP goes over: all that is data.
#[derive(Serialize)]
struct Spoken<'a> {
    mcp_toolset_id: Option<&'a str>,
    server_name: &'a str,
    agent_id: Option<&'a str>,
    arguments: &'a RawValue,
    resource_hints: &'a [String],
    metadata: &'a RawValue,
}

/// The body, in the order of PROTOCOL 7 with our ids where 0.6.9 has them.
#[derive(Serialize)]
struct Body<'a> {
    mcp_toolset_id: &'a RawValue,
    tool_name: &'a str,
    intent_id: &'a str,
    request_id: &'a str,
    server_name: &'a RawValue,
    arguments: &'a RawValue,
    action_id: Option<&'a str>,
    agent_id: &'a RawValue,
    risk_level: &'a str,
    operation_class: &'a str,
    data_sensitivity: &'a str,
    resource_hints: &'a RawValue,
    timestamp: u64,
    nonce: &'a str,
    metadata: &'a RawValue,
}

/// Prepares a call of the gate for an action that has no arguments of its own.
///
/// # Errors
/// `Configuration`, `Validation`, or `Blocked` by DLP; nothing was sent.
pub(crate) fn prepare_tool_call(
    action: &Action,
    call: &ToolCall<'_>,
    client: &Client,
) -> Result<Prepared, Error> {
    let client = choose_client(Some(client))?;
    let settings = client.settings();
    if Delegation::current().is_some() || settings.require_delegation {
        return Err(Error::configuration(
            "a call of the MCP call gate carries no delegation; ask with McpToolBoundary, which \
             does",
        ));
    }
    if call.tool_name.trim().is_empty() {
        return Err(Error::validation("the tool's name is blank"));
    }
    // As the service will name it, so that its rules are kept before anything is sent.
    let named = Action {
        id: Some(action.id.as_deref().unwrap_or(call.tool_name).to_owned()),
        systems: match call.server_name.trim() {
            "" => vec!["mcp".to_owned()],
            _ => vec![call.server_name.to_owned()],
        },
        ..action.clone().changed()
    };
    let template = action_template(&named)?;
    let metadata = metadata(action)?;
    let spoken = Spoken {
        mcp_toolset_id: call.toolset_id,
        server_name: call.server_name,
        agent_id: call.agent_id,
        arguments: &object("the tool's arguments", call.arguments)?,
        resource_hints: call.resource_hints,
        metadata: &metadata,
    };
    let spoken = serde_json::to_string(&spoken).map_err(|_| unsayable())?;
    let protected = protect_metadata_json(&spoken, settings.dlp_mode, &settings.detectors)
        .map_err(|_| unsayable())?;
    if protected.blocked {
        return Err(build_fault(BuildError::Blocked(protected.findings)));
    }
    let document = Document::parse(&protected.metadata).map_err(|_| unsayable())?;
    let said = |name: &str| raw(document.root().get(name));
    let (request_id, nonce) = two_ids()?;
    let body = serde_json::to_string(&Body {
        mcp_toolset_id: &said("mcp_toolset_id")?,
        tool_name: call.tool_name,
        intent_id: template.intent_id(),
        request_id: &request_id,
        server_name: &said("server_name")?,
        arguments: &said("arguments")?,
        action_id: action.id.as_deref(),
        agent_id: &said("agent_id")?,
        risk_level: template.risk_level().as_str(),
        operation_class: action.class.as_ref().map_or("", OperationClass::as_str),
        data_sensitivity: action
            .sensitivity
            .as_ref()
            .map_or("", DataSensitivity::as_str),
        resource_hints: &said("resource_hints")?,
        timestamp: settings.clock.unix_millis() / 1000,
        nonce: &nonce,
        metadata: &said("metadata")?,
    })
    .map_err(|_| unsayable())?;
    if body.len() > MAX_BYTES {
        return Err(build_fault(BuildError::TooLarge));
    }
    // In the metadata of the submission that is made of it, the arguments are one level deeper.
    if Document::parse_within(&body, MAX_LEVELS).is_err() {
        return Err(build_fault(BuildError::TooDeep));
    }
    let submission = Submission {
        body,
        body_hash: String::new(),
        request_id,
        intent_id: template.intent_id().to_owned(),
        action_id: template.action_id().to_owned(),
        risk_level: template.risk_level(),
        resumable: false,
    };
    Ok(Prepared {
        submission,
        endpoint: Endpoint::CallTool,
        client,
        signer: None,
        captures: true,
        patience: None,
    })
}

/// The caller's metadata, and the word by which our clients say that they claim: a service that
/// kept a call for one that only polls would take our look at its record for the start.
fn metadata(action: &Action) -> Result<Box<RawValue>, Error> {
    let given = action_metadata(action)?.unwrap_or_else(|| "{}".to_owned());
    let given = object("the metadata", &given)?;
    let document = Document::parse(given.get()).map_err(|_| unsayable())?;
    let mut text = String::from(r#"{"policy_surface":"rust_sdk""#);
    for (name, value) in document.root().members() {
        if !is_core_key(&name.as_str().unwrap_or_default()) {
            text.push(',');
            text.push_str(name.raw());
            text.push(':');
            text.push_str(value.raw());
        }
    }
    text.push('}');
    RawValue::from_string(text).map_err(|_| unsayable())
}

/// The text of one strict JSON object.
fn object(what: &str, text: &str) -> Result<Box<RawValue>, Error> {
    let odd = |error: Option<JsonError>| {
        let refusal = Refusal::new(format!("{what} must be one strict JSON object"));
        Error::Validation(match error {
            Some(error) => refusal.caused_by(error).boxed(),
            None => refusal.boxed(),
        })
    };
    let document =
        Document::parse_within(text, MAX_LEVELS).map_err(|error| match error.kind() {
            JsonErrorKind::TooDeep => build_fault(BuildError::TooDeep),
            _ => odd(Some(error)),
        })?;
    if !document.root().is_object() {
        return Err(odd(None));
    }
    raw(Some(document.root()))
}

fn raw(node: Option<Node<'_>>) -> Result<Box<RawValue>, Error> {
    let text = node.map_or("null", |node| node.raw());
    RawValue::from_string(text.to_owned()).map_err(|_| unsayable())
}

/// What serde's own JSON cannot carry, though ours reads it.
fn unsayable() -> Error {
    Error::validation("the tool call cannot be written as JSON")
}
