//! Ids and tokens inside messages, where many hosts share one server. Spliced, never written anew.

use std::ops::Range;

use bytes::Bytes;
use sernixa_protocol::json::Node;

use crate::message::{Direction, Id, Message, splice};

/// In the `_meta` of what belongs to a `subscriptions/listen`: that request's id.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A request under the id and token that the server sees; `None` by a fault of ours.
pub(super) fn request(message: &Message, id: &Id, token: Option<&Id>) -> Option<Message> {
    let message = message.with_id(id);
    let Some(token) = token else {
        return Some(message);
    };
    let place =
        message.look(|root| place(root.get("params")?.get("_meta")?.get("progressToken")))??;
    let bytes = splice(message.bytes(), &place, token.to_json().as_bytes());
    Message::read(bytes, Direction::ToServer).ok()
}

/// The id in the `_meta` of a notification's `params` or an answer's `result`, and where it stands.
pub(super) fn subscription(message: &Message) -> Option<(Id, Range<usize>)> {
    message.look(|root| {
        let body = root.get("params").or_else(|| root.get("result"))?;
        identified(body.get("_meta")?.get(SUBSCRIPTION))
    })?
}

/// The id at `params.NAME`, and where it stands.
pub(super) fn param(message: &Message, name: &str) -> Option<(Id, Range<usize>)> {
    message.look(|root| identified(root.get("params")?.get(name)))?
}

/// The message with another id at that place.
pub(super) fn at(message: &Message, place: &Range<usize>, id: &Id) -> Bytes {
    splice(message.bytes(), place, id.to_json().as_bytes())
}

fn identified(node: Option<Node<'_>>) -> Option<(Id, Range<usize>)> {
    let node = node?;
    Some((Id::read(node)?, node.range()))
}

fn place(node: Option<Node<'_>>) -> Option<Range<usize>> {
    node.map(|node| node.range())
}
