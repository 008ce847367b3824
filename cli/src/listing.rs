//! Lists of objects that only a table reads: named members of each, as texts.

use sernixa_protocol::json::{Document, Kind, Node};

use crate::Failure;
use crate::record::text;

/// The levels of JSON in a list that are read.
const DEEPEST: usize = 128;

/// What `read` makes of each object of a JSON list; what is no object is passed over.
pub(crate) fn objects<T>(json: &str, read: impl FnMut(Node<'_>) -> T) -> Result<Vec<T>, Failure> {
    let document = Document::parse_within(json, DEEPEST)
        .map_err(|error| Failure::new("the answer cannot be read").caused_by(error))?;
    let root = document.root();
    if root.kind() != Kind::Array {
        return Err(Failure::new("the answer is no list"));
    }
    Ok(root.elements().filter(Node::is_object).map(read).collect())
}

/// A member as a text; empty when it is missing, null or an empty list.
pub(crate) fn member(node: Node<'_>, name: &str) -> String {
    node.get(name).and_then(text).unwrap_or_default()
}
