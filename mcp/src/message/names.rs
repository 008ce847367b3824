//! Names of members that some reader takes for others.
//!
//! Readers exist that do not mind case (Go's `encoding/json`, Jackson on request), by folding as
//! Unicode says, by lower case or by upper case. [`folded`] is at least as coarse as any of them: names
//! that one reader may take for the same are the same here. And there are readers that leave out
//! U+0000, or all that comes after it: a name with it is never taken where names matter.

use std::borrow::Cow;

use sernixa_protocol::json::{Document, Node};
use unicase::UniCase;

/// What is left of a name for a reader that does not mind case.
///
/// Full case folding, and since Turkish and Java's `equalsIgnoreCase` make one letter of `i`, `ı` and
/// `İ` (which folds to `i` with a dot), they are one here, too. U+0000 is left out.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii() && byte != 0 && !byte.is_ascii_uppercase())
    {
        return Cow::Borrowed(name);
    }
    let seen: String = name.chars().filter(|&c| c != '\0').collect();
    if seen.is_ascii() {
        return Cow::Owned(seen.to_ascii_lowercase());
    }
    let folded = UniCase::unicode(seen).to_folded_case();
    let folded = folded.chars().filter(|&c| c != '\u{307}');
    Cow::Owned(folded.map(|c| if c == 'ı' { 'i' } else { c }).collect())
}

/// Whether `name` is none of the `known` names, and may be taken for one.
pub(super) fn is_look_alike(name: &str, known: &[&str]) -> bool {
    if known.contains(&name) {
        return false;
    }
    let folded = folded(name);
    known
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&folded))
}

/// Whether an object, at any depth, may be read in two ways for its names.
pub(super) fn any_ambiguous(document: &Document<'_>) -> bool {
    document.objects().any(is_ambiguous)
}

/// Whether this object may be read in two ways: two of its names fold to one, or one has U+0000. That
/// no name is there twice is known.
fn is_ambiguous(object: Node<'_>) -> bool {
    let mut all_plain = true;
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    for (key, _) in object.members() {
        let Some(name) = key.as_str() else { continue };
        if name.contains('\0') {
            return true;
        }
        let name = match name {
            Cow::Borrowed(name) => folded(name),
            Cow::Owned(name) => Cow::Owned(folded(&name).into_owned()),
        };
        all_plain &= matches!(name, Cow::Borrowed(_));
        names.push(name);
    }
    // Names that fold to themselves are as different as they were.
    if all_plain {
        return false;
    }
    names.sort_unstable();
    names
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b))
}

/// The places that the proxy reads or that either side acts on before anything else, and the names
/// that mean something there.
const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
const PARAMS: &[&str] = &[
    "_meta",
    "name",
    "arguments",
    "task",
    "taskId",
    "requestState",
    "inputResponses",
    "requestId",
    "progressToken",
    "uri",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "notifications",
];
const RESULT: &[&str] = &[
    "_meta",
    "resultType",
    "tools",
    "nextCursor",
    "content",
    "structuredContent",
    "isError",
    "requestState",
    "inputRequests",
    "protocolVersion",
    "supportedVersions",
    "capabilities",
    "serverInfo",
    "task",
];
const ERROR: &[&str] = &["code", "message", "data"];
const META: &[&str] = &[
    "progressToken",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/subscriptionId",
    "io.modelcontextprotocol/serverInfo",
    "io.modelcontextprotocol/related-task",
    "sernixa/decision",
];

/// A place in a message whose members have names that mean something.
pub(super) struct Place<'d> {
    /// What a person calls it.
    pub(super) called: &'static str,
    object: Node<'d>,
    known: &'static [&'static str],
}

impl<'d> Place<'d> {
    /// The places of a message.
    pub(super) fn of(root: Node<'d>) -> Vec<Self> {
        let mut places = vec![Self::new("the message", root, ENVELOPE)];
        for (called, known) in [("params", PARAMS), ("result", RESULT), ("error", ERROR)] {
            let Some(part) = root.get(called) else {
                continue;
            };
            places.push(Self::new(called, part, known));
            if let Some(meta) = part.get("_meta") {
                places.push(Self::new("_meta", meta, META));
            }
        }
        places
    }

    fn new(called: &'static str, object: Node<'d>, known: &'static [&'static str]) -> Self {
        Self {
            called,
            object,
            known,
        }
    }

    /// Whether a member may be taken for one that means something here.
    pub(super) fn has_look_alike(&self) -> bool {
        self.object
            .members()
            .filter_map(|(key, _)| key.as_str())
            .any(|name| is_look_alike(&name, self.known))
    }

    /// Whether it may be read in two ways for its names.
    pub(super) fn is_ambiguous(&self) -> bool {
        is_ambiguous(self.object)
    }
}
