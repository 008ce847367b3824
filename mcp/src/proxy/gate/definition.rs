//! The definition of a tool, as an answer to `tools/list` gives it.

use sernixa_protocol::canonicalize;
use sernixa_protocol::json::Node;
use sha2::{Digest as _, Sha256};

use super::call::object;
use crate::message::Message;

/// What a server says of a tool's behaviour (`annotations`); its own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints {
    pub(super) read_only: Option<bool>,
    pub(super) destructive: Option<bool>,
    pub(super) idempotent: Option<bool>,
    pub(super) open_world: Option<bool>,
}

/// One tool of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// `sha256:` and 64 hex digits, over [`text`](Self::text).
    pub(super) digest: String,
    /// Whatever a model or a person reads of it: all but `icons` and `_meta`; canonical JSON.
    pub(super) text: String,
    pub(super) hints: Hints,
    pub(super) has_output_schema: bool,
}

/// One answer to `tools/list`.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tools: Vec<Definition>,
    /// Where the next page begins.
    pub(super) next: Option<String>,
}

impl Page {
    /// Reads an answer; `None` for an error, and for anything that is no list of tools.
    pub(super) fn read(answer: &Message) -> Option<Self> {
        answer.look(|root| {
            let result = root.get("result")?;
            let tools = result.get("tools")?;
            if tools.kind() != sernixa_protocol::json::Kind::Array {
                return None;
            }
            Some(Self {
                // What has no name cannot be called.
                tools: tools.elements().filter_map(Definition::read).collect(),
                next: result
                    .get("nextCursor")
                    .and_then(|cursor| Some(cursor.as_str()?.into_owned())),
            })
        })?
    }
}

impl Definition {
    fn read(tool: Node<'_>) -> Option<Self> {
        let name = tool.get("name")?.as_str()?.into_owned();
        let counts = object(tool.members().filter(|(key, _)| {
            // Pictures, and what only programs read: both change without a change of the tool.
            !key.is("icons") && !key.is("_meta")
        }));
        // With a number that is out of range it has no canonical form: then as it is written.
        let text = canonicalize(&counts).unwrap_or(counts);
        let schema = tool.get("outputSchema");
        Some(Self {
            name,
            digest: digest(&text),
            hints: Hints::read(tool.get("annotations")),
            has_output_schema: schema.is_some_and(|schema| !schema.is_null()),
            text,
        })
    }
}

impl Hints {
    fn read(annotations: Option<Node<'_>>) -> Self {
        let hint = |name| annotations.and_then(|annotations| annotations.get(name));
        let plain = |name| hint(name).and_then(|hint| hint.as_bool());
        // A hint that is no truth value says too little to make a tool less grave, and enough to
        // make it graver.
        let odd = |hint: Node<'_>| !hint.is_null() && hint.as_bool().is_none();
        Self {
            read_only: plain("readOnlyHint"),
            destructive: if hint("destructiveHint").is_some_and(odd) {
                Some(true)
            } else {
                plain("destructiveHint")
            },
            idempotent: plain("idempotentHint"),
            open_world: plain("openWorldHint"),
        }
    }
}

fn digest(text: &str) -> String {
    format!("sha256:{}", super::hex(&Sha256::digest(text.as_bytes())))
}
