//! The MCP call gate: a tool call becomes a submission (PROTOCOL 7), and goes the way of any other.
//!
//! What the call says of its plan (token, proof, step) is recorded as digests and not relied on:
//! this service evaluates no plans.

use sernixa_protocol::json::{Document, JsonErrorKind, Node};
use sernixa_protocol::rules::{is_blank, is_core_key};

use crate::answer::Answer;
use crate::digest::Digest;
use crate::receive::invalid;
use crate::refusal::{Refusal, Word};
use crate::text::{Object, push_string};

/// The most bytes that a call may hold (DESIGN 11).
const BODY_MAX: usize = 1 << 20;
/// The deepest nesting: the arguments of a call, in its metadata, in a submission.
const LEVELS: usize = 64;
/// What every member that the gate writes itself begins with.
const PREFIX: &str = "mcp_";

/// What only a delegated request has. Who sends it believes to act within a token, and the gate
/// reads none: that is said, not passed over.
const SIGNED: [&str; 6] = [
    "delegation_token_id",
    "delegation_chain_id",
    "key_id",
    "algorithm",
    "body_hash",
    "signature",
];

/// A tool call as the submission it stands for.
pub(crate) struct ToolCall {
    /// The body of the submission.
    pub(crate) submission: String,
    /// Whether its arguments stand in it: then no other call has its body hash. Without arguments
    /// nobody can tell a call that has none from a client that sends none.
    pub(crate) is_bound: bool,
    /// Whether the client says that it claims, where any submission says so: in `policy_surface`.
    pub(crate) claims: bool,
}

/// Reads the body of a call.
pub(crate) fn read(body: &str) -> Result<ToolCall, Refusal> {
    if body.len() > BODY_MAX {
        return Err(invalid("the body is longer than 1 MiB"));
    }
    let document = Document::parse_within(body, LEVELS).map_err(|error| {
        let word = match error.kind() {
            JsonErrorKind::TooDeep => Word::Invalid,
            _ => Word::Malformed,
        };
        Refusal::new(word, error.to_string())
    })?;
    let call = document.root();
    if !call.is_object() {
        let reason = "the body must be a JSON object";
        return Err(Refusal::new(Word::Malformed, reason));
    }
    if let Some(member) = SIGNED.iter().find(|name| given(call, name).is_some()) {
        return Err(invalid(format!(
            "`{member}` means nothing here: a tool call carries no delegation; submit it as an \
             action, signed"
        )));
    }
    let tool = text(call, "tool_name")?.ok_or_else(|| missing("tool_name"))?;
    let intent = text(call, "intent_id")?.ok_or_else(|| missing("intent_id"))?;
    let action = text(call, "action_id")?.filter(|action| !action.is_empty());
    let arguments = object(call, "arguments")?;
    let mut submission = Object::with_capacity(body.len() + 512)
        .string("intent_id", &intent)
        .string("action_id", action.as_deref().unwrap_or(&tool));
    for name in ["request_id", "timestamp", "nonce"] {
        if let Some(value) = given(call, name) {
            submission = submission.json(name, value.raw());
        }
    }
    let metadata = metadata(call, &tool, arguments)?;
    Ok(ToolCall {
        submission: submission.json("metadata", &metadata).finish(),
        is_bound: arguments.is_some_and(|arguments| arguments.members().next().is_some()),
        claims: object(call, "metadata")?
            .and_then(|metadata| metadata.get("policy_surface"))
            .is_some_and(|surface| surface.is("rust_sdk")),
    })
}

/// The metadata: the caller's own members, then the gate's, which nobody can overwrite.
fn metadata(call: Node<'_>, tool: &str, arguments: Option<Node<'_>>) -> Result<String, Refusal> {
    let server = text(call, "server_name")?.filter(|server| !is_blank(server));
    let mut out = Object::with_capacity(1_024);
    for name in ["risk_level", "operation_class", "data_sensitivity"] {
        let value = given(call, name).ok_or_else(|| missing(name))?;
        out = out.json(name, value.raw());
    }
    out = out
        .strings("systems_touched", [server.as_deref().unwrap_or("mcp")])
        .string("policy_surface", "mcp_call_gate")
        .string("mcp_tool", tool)
        .present("mcp_server", server.as_deref());
    for (name, member) in [
        ("mcp_toolset_id", "mcp_toolset_id"),
        ("mcp_agent_id", "agent_id"),
        ("mcp_resource", "resource"),
        ("mcp_resource_hints", "resource_hints"),
        ("mcp_environment", "environment"),
    ] {
        if let Some(value) = given(call, member) {
            out = out.json(name, value.raw());
        }
    }
    if let Some(arguments) = arguments {
        out = out.json("mcp_arguments", arguments.raw());
    }
    out = plan(call, out)?;
    let mut out = out.finish();
    for (key, value) in object(call, "metadata")?.iter().flat_map(Node::members) {
        let key = key.as_str().unwrap_or_default();
        // Reserved names are the gate's: `arguments_digest` or `policy_surface` of a caller's own
        // would claim what the gate has not seen.
        if is_core_key(&key) || key.starts_with(PREFIX) {
            continue;
        }
        out.pop();
        out.push(',');
        push_string(&key, &mut out);
        out.push(':');
        out.push_str(value.raw());
        out.push('}');
    }
    Ok(out)
}

/// What the call says of its plan. The token and the proof are credentials of another service, so
/// only their digests are kept.
fn plan(call: Node<'_>, out: Object) -> Result<Object, Refusal> {
    let digest = |name| {
        let value = given(call, name)?;
        // A text by itself, anything else as it came.
        let text = value
            .as_str()
            .map_or_else(|| value.raw().to_owned(), String::from);
        Some(Digest::of(text.as_bytes()).to_string())
    };
    let (token, proof) = (digest("plan_token"), digest("step_proof"));
    let step = text(call, "step_id")?;
    if token.is_none() && proof.is_none() && step.is_none() {
        return Ok(out);
    }
    let said = Object::new()
        .present("plan_token_sha256", token.as_deref())
        .present("step_proof_sha256", proof.as_deref())
        .present("step_id", step.as_deref())
        .flag("relied_on", false)
        .finish();
    Ok(out.json("mcp_plan", &said))
}

/// The gate's answer: leave to run says who dispatches the call, as the reference's does.
pub(crate) fn answer(mut answer: Answer) -> Answer {
    if answer.status == 200 && answer.body.ends_with('}') {
        answer.body.pop();
        answer
            .body
            .push_str(r#","dispatch_mode":"caller_owned_after_allowed"}"#);
    }
    answer
}

/// A member that is there and not null.
fn given<'a>(node: Node<'a>, name: &str) -> Option<Node<'a>> {
    node.get(name).filter(|value| !value.is_null())
}

fn text<'a>(node: Node<'a>, name: &str) -> Result<Option<std::borrow::Cow<'a, str>>, Refusal> {
    match given(node, name) {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(invalid(format!("`{name}` must be a string"))),
        },
    }
}

fn object<'a>(node: Node<'a>, name: &str) -> Result<Option<Node<'a>>, Refusal> {
    match given(node, name) {
        Some(value) if !value.is_object() => Err(invalid(format!("`{name}` must be an object"))),
        value => Ok(value),
    }
}

fn missing(name: &str) -> Refusal {
    invalid(format!("`{name}` is missing"))
}
