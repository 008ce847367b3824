//! One JSON-RPC message, read strictly and kept as the bytes that came.
//!
//! Two readers that disagree about a message are how a call slips past a gate: the proxy reads one
//! `name`, the server another. So whatever could be read in two ways is refused here, and what is
//! forwarded is never written anew.

mod envelope;
mod id;
mod names;
mod refusal;
mod salvage;
pub mod spec;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;
use sernixa_protocol::json::{Document, JsonErrorKind, Node};

pub use id::Id;
pub use refusal::{Code, Refused, Seems};
pub use spec::Generation;

/// The longest message, in bytes: 8 MiB. An image of 6 MB fits as base64.
pub const LONGEST: usize = 8 << 20;

/// The deepest message, in containers inside each other. The arguments of a tool have 64 levels at
/// most; `serde_json`, the strictest of the usual readers, stops at 128.
pub const DEEPEST: usize = 100;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the host (the MCP client) to the server.
    ToServer,
    /// From the server to the host.
    ToHost,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has a method and an id, and wants an answer.
    Request {
        /// Its id.
        id: Id,
        /// Its method.
        method: Box<str>,
    },
    /// It has a method and no id.
    Notification {
        /// Its method.
        method: Box<str>,
    },
    /// It answers the request with this id; `None` where an error could name none.
    Answer {
        /// The id of the request.
        id: Option<Id>,
        /// Whether it is an error.
        is_error: bool,
    },
}

/// A message that means one thing only.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Bytes,
    kind: Kind,
    /// Where the id's own text stands.
    id: Option<Range<usize>>,
}

/// Never the content.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Reads one message.
    ///
    /// Taken is one JSON object that is a JSON-RPC 2.0 request, notification or answer of at most
    /// [`LONGEST`] bytes and [`DEEPEST`] levels, in UTF-8 without a byte order mark, in which
    /// * no object has a member twice, and in requests either way and in notifications to the server no
    ///   two members whose names are the same after case folding, nor a name with U+0000. In answers, and
    ///   in what a server notifies of, that holds for the message itself, `params`, `result`, `error` and
    ///   their `_meta`;
    /// * no name in these places, and no method, only looks like one of the specification's;
    /// * `params` is an object, a request's id no `null`, and `tools/call` has a `name` without U+0000.
    ///
    /// # Errors
    /// [`Refused`], with what can be answered; the message must not be forwarded.
    pub fn read(bytes: Bytes, direction: Direction) -> Result<Self, Refused> {
        if bytes.len() > LONGEST {
            return Err(Refused::too_long());
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| Refused::parse("it is not UTF-8"))?;
        let (kind, id) = understand(text, direction).map_err(|mut refused| {
            (refused.seems, refused.id) = salvage::salvage(text);
            refused
        })?;
        let bytes = on_one_line(bytes);
        Ok(Self { bytes, kind, id })
    }

    /// The bytes, as they came, on one line: where a line break stood between two tokens (elsewhere
    /// JSON has none) is a space. Else a message that came over HTTP could be several on stdio.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its id, if it has one.
    pub fn id(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Request { id, .. } => Some(id),
            Kind::Answer { id, .. } => id.as_ref(),
            Kind::Notification { .. } => None,
        }
    }

    /// Its method, if it has one.
    pub fn method(&self) -> Option<&str> {
        match &self.kind {
            Kind::Request { method, .. } | Kind::Notification { method } => Some(method),
            Kind::Answer { .. } => None,
        }
    }

    /// Looks at its members. It was read before, so that this cannot fail but by a fault of ours,
    /// which is `None`.
    pub fn look<T>(&self, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let document = Document::parse(text).ok()?;
        Some(look(document.root()))
    }

    /// The same message under another id.
    #[must_use]
    pub fn with_id(&self, id: &Id) -> Self {
        let Some(place) = self.id.clone() else {
            return self.clone();
        };
        let mut out = self.clone();
        let text = id.to_json();
        out.bytes = splice(&self.bytes, &place, text.as_bytes());
        out.id = Some(place.start..place.start + text.len());
        match &mut out.kind {
            Kind::Request { id: own, .. } => *own = id.clone(),
            Kind::Answer { id: own, .. } => *own = Some(id.clone()),
            Kind::Notification { .. } => {}
        }
        out
    }
}

/// The bytes with other ones in place of a part of them.
pub fn splice(bytes: &[u8], place: &Range<usize>, with: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len() + with.len());
    out.extend_from_slice(bytes.get(..place.start).unwrap_or_default());
    out.extend_from_slice(with);
    out.extend_from_slice(bytes.get(place.end..).unwrap_or_default());
    out.into()
}

/// What a text says, if it says one thing only.
fn understand(text: &str, direction: Direction) -> Result<(Kind, Option<Range<usize>>), Refused> {
    let document = Document::parse_within(text, DEEPEST).map_err(|error| match error.kind() {
        JsonErrorKind::DuplicateMember => Refused::invalid("an object in it has a member twice"),
        JsonErrorKind::TooDeep => {
            Refused::invalid(format!("it is more than {DEEPEST} levels deep"))
        }
        JsonErrorKind::LoneSurrogate => {
            Refused::parse("a string in it has half of a surrogate pair, which is no character")
        }
        _ if text.starts_with('\u{feff}') => Refused::parse("it begins with a byte order mark"),
        _ => Refused::parse("it is not strict JSON"),
    })?;
    let root = document.root();
    if !root.is_object() {
        return Err(Refused::invalid(
            "a message is one JSON object; batches are not taken",
        ));
    }
    let places = names::Place::of(root);
    if let Some(place) = places.iter().find(|place| place.has_look_alike()) {
        let called = place.called;
        return Err(Refused::invalid(format!(
            "a member of {called} has a name that only looks like one of the specification's"
        )));
    }
    let (kind, id) = envelope::read(root)?;
    let ambiguous = match (&kind, direction) {
        (Kind::Request { .. }, _) | (Kind::Notification { .. }, Direction::ToServer) => {
            names::any_ambiguous(&document)
        }
        // A result or a log entry may hold whatever it is about; nobody acts on what is further down.
        (Kind::Answer { .. }, _) | (Kind::Notification { .. }, Direction::ToHost) => {
            places.iter().any(names::Place::is_ambiguous)
        }
    };
    if ambiguous {
        return Err(Refused::invalid(
            "an object in it has a member name with U+0000, or two that differ in case only",
        ));
    }
    Ok((kind, id))
}

/// The same JSON on one line.
fn on_one_line(bytes: Bytes) -> Bytes {
    let breaks = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !bytes.iter().any(breaks) {
        return bytes;
    }
    let spaced = |byte: &u8| if breaks(byte) { b' ' } else { *byte };
    bytes.iter().map(spaced).collect()
}
