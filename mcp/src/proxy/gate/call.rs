//! What a `tools/call` says, as far as it is decided on.

use std::borrow::Cow;

use sernixa_protocol::canonicalize;
use sernixa_protocol::json::Node;

use crate::message::Message;
use crate::proxy::seam::Generation;

/// A `tools/call`, read.
#[derive(Debug)]
pub(super) struct Call {
    /// The tool's name, as it is written.
    pub(super) name: String,
    /// The arguments: a canonical JSON object, `{}` where there are none.
    pub(super) arguments: String,
    /// Their names, sorted: their order makes no other call.
    pub(super) argument_names: Vec<String>,
    /// What else the server may act on (`task`, members to come): a canonical JSON object.
    pub(super) others: Option<String>,
    /// `inputResponses` of 2026-07-28.
    pub(super) inputs: Option<Inputs>,
    /// `requestState` of 2026-07-28.
    pub(super) state: Option<String>,
}

/// The answers to a server's questions: a JSON object.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    /// As it was written.
    pub(super) raw: String,
    /// What is digested and compared.
    pub(super) canonical: String,
}

impl Inputs {
    /// `None` for what has no canonical form.
    pub(super) fn of_text(raw: String) -> Option<Self> {
        let canonical = canonicalize(&raw).ok()?;
        Some(Self { raw, canonical })
    }
}

impl Call {
    /// Reads a call. The error says what is wrong, and nothing of the message.
    pub(super) fn read(message: &Message, generation: Generation) -> Result<Self, &'static str> {
        message
            .look(|root| read(root, generation))
            .unwrap_or(Err("the request cannot be read"))
    }
}

fn read(root: Node<'_>, generation: Generation) -> Result<Call, &'static str> {
    let params = root
        .get("params")
        .filter(Node::is_object)
        .ok_or("`params` must be an object")?;
    let mut name = None;
    let mut arguments = None;
    let mut inputs = None;
    let mut state = None;
    let mut others = Vec::new();
    for (key, value) in params.members() {
        let stateless = generation == Generation::Stateless;
        match key.as_str().as_deref().unwrap_or_default() {
            "name" => name = Some(value.as_str().ok_or("`params.name` must be a string")?),
            "arguments" if value.is_null() => {}
            "arguments" if value.is_object() => arguments = Some(value),
            "arguments" => return Err("`params.arguments` must be an object"),
            // About the request, not of it: progress tokens and trace ids differ from call to call.
            "_meta" => {}
            "inputResponses" if stateless && value.is_object() => inputs = Some(value),
            "inputResponses" if stateless => {
                return Err("`params.inputResponses` must be an object");
            }
            "requestState" if stateless => {
                state = Some(
                    value
                        .as_str()
                        .ok_or("`params.requestState` must be a string")?,
                );
            }
            _ => others.push((key, value)),
        }
    }
    Ok(Call {
        name: name.ok_or("`params.name` must be a string")?.into_owned(),
        arguments: arguments.map_or_else(|| Ok("{}".to_owned()), canonical)?,
        argument_names: arguments.map(names).unwrap_or_default(),
        others: (!others.is_empty())
            .then(|| canonical_text(&object(others)))
            .transpose()?,
        inputs: inputs
            .map(|inputs| Inputs::of_text(inputs.raw().to_owned()).ok_or(NUMBER))
            .transpose()?,
        state: state.map(Cow::into_owned),
    })
}

fn names(object: Node<'_>) -> Vec<String> {
    let names = object.members().filter_map(|(key, _)| key.as_str());
    let mut names: Vec<_> = names.map(Cow::into_owned).collect();
    names.sort_unstable();
    names
}

fn canonical(node: Node<'_>) -> Result<String, &'static str> {
    canonical_text(node.raw())
}

fn canonical_text(text: &str) -> Result<String, &'static str> {
    canonicalize(text).map_err(|_| NUMBER)
}

const NUMBER: &str = "`params` holds a number that cannot be read";

/// The JSON object of these members, as they are written.
pub(super) fn object<'d>(members: impl IntoIterator<Item = (Node<'d>, Node<'d>)>) -> String {
    let mut text = String::from("{");
    for (key, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(key.raw());
        text.push(':');
        text.push_str(value.raw());
    }
    text.push('}');
    text
}
