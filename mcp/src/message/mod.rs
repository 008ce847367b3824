//! One JSON-RPC message, read strictly and kept as the bytes that came.
//!
//! Two readers that disagree about a message are how a call slips past a gate: the proxy reads one
//! `name`, the server another. So whatever could be read in two ways is refused here, and what is
//! forwarded is never written anew.

mod id;
mod refusal;

use std::ops::Range;

use bytes::Bytes;
use sernixa_protocol::json::{Document, JsonErrorKind, Node};

pub use id::Id;
pub use refusal::{Code, Refused};

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
            .finish()
    }
}

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    /// [`Refused`], with what can be answered; the message must not be forwarded.
    pub fn read(bytes: Bytes, direction: Direction) -> Result<Self, Refused> {
        let _ = direction;
        let text = std::str::from_utf8(&bytes).map_err(|_| Refused::parse("it is not UTF-8"))?;
        let document = Document::parse(text).map_err(|error| match error.kind() {
            JsonErrorKind::DuplicateMember => Refused::invalid("it says a member twice"),
            _ => Refused::parse("it is not strict JSON"),
        })?;
        let (kind, id) = envelope(document.root())?;
        Ok(Self { bytes, kind, id })
    }

    /// The bytes, as they came.
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

fn envelope(root: Node<'_>) -> Result<(Kind, Option<Range<usize>>), Refused> {
    if !root.is_object() {
        return Err(Refused::invalid(
            "a message is one JSON object; batches are not taken",
        ));
    }
    if !root.get("jsonrpc").is_some_and(|version| version.is("2.0")) {
        return Err(Refused::invalid("`jsonrpc` must be \"2.0\""));
    }
    let given = root.get("id");
    let place = given.map(|id| id.range());
    let id = match given {
        None => None,
        Some(id) if id.is_null() => None,
        Some(id) => Some(Id::read(id).ok_or_else(|| {
            Refused::invalid("`id` must be a string or an integer, at most 256 bytes")
        })?),
    };
    let kind = match (root.get("method"), id) {
        (Some(method), id) => {
            let method = method
                .as_str()
                .ok_or_else(|| Refused::invalid("`method` must be a string"))?;
            match id {
                Some(id) => Kind::Request {
                    id,
                    method: method.as_ref().into(),
                },
                None if given.is_some() => {
                    return Err(Refused::invalid("the `id` of a request must not be null"));
                }
                None => Kind::Notification {
                    method: method.as_ref().into(),
                },
            }
        }
        (None, id) => match (root.get("result").is_some(), root.get("error").is_some()) {
            (true, false) if id.is_some() => Kind::Answer {
                id,
                is_error: false,
            },
            (false, true) => Kind::Answer { id, is_error: true },
            _ => {
                return Err(Refused::invalid(
                    "a message has a `method`, or an `id` and either `result` or `error`",
                ));
            }
        },
    };
    Ok((kind, place))
}
