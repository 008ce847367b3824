//! The vectors, file by file. Each case goes through the form on JSON text and, where its values
//! fit one, through the `Value` form. Counts are asserted, so that no case is skipped in silence.

mod action_ids;
mod canonical_json;
mod delegated;
mod dlp;
mod idempotency;
mod mcp_metadata;
mod payloads;

use serde_json::{Map, Value};
use sernixa_protocol::json::{Document, Node};

/// The cases of a file, of which there must be `count`. They live as long as the test process.
fn cases(text: &'static str, count: usize) -> Vec<Node<'static>> {
    let document: &'static Document<'static> = Box::leak(Box::new(
        Document::parse(text).expect("a vector file is strict JSON"),
    ));
    let cases: Vec<_> = document.root().elements().collect();
    assert_eq!(cases.len(), count, "cases in the file");
    cases
}

/// The member `name` of a case.
fn member<'d>(case: Node<'d>, name: &str) -> Node<'d> {
    case.get(name)
        .unwrap_or_else(|| panic!("no member {name} in {}", case.raw()))
}

/// The text of the member `name`.
fn text(case: Node<'_>, name: &str) -> String {
    optional(case, name).unwrap_or_else(|| panic!("{name} is no text in {}", case.raw()))
}

/// The text of the member `name`, or none for `null`.
fn optional(case: Node<'_>, name: &str) -> Option<String> {
    member(case, name)
        .as_str()
        .map(std::borrow::Cow::into_owned)
}

/// The value, if a `serde_json::Value` holds it as it is.
fn value(node: Node<'_>) -> Option<Value> {
    node.to_value().ok()
}

/// The object, if a `serde_json::Value` holds it as it is.
fn object(node: Node<'_>) -> Option<Map<String, Value>> {
    match value(node)? {
        Value::Object(map) => Some(map),
        other => panic!("no object: {other}"),
    }
}
