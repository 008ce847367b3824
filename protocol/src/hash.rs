//! The hashes that name a call: idempotency key, body hash, and the action ids they are made of.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::canonical::{Dialect, write_map, write_node, write_string, write_value};
use crate::dlp::is_word;
use crate::json::{Document, JsonError, JsonErrorKind, Kind, Node};

/// The idempotency key of a call (PROTOCOL 19): 64 hex digits.
///
/// `args` and `kwargs` are the captured values, or what stands for them when capture is off.
/// Values that no `serde_json::Value` holds (integers beyond 64 bits) need
/// [`idempotency_key_json`].
pub fn idempotency_key(
    intent_id: &str,
    function: &str,
    args: &[Value],
    kwargs: &Map<String, Value>,
) -> String {
    let mut text = String::from("{\"args\": [");
    for (place, value) in args.iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        write_value(value, Dialect::SpacedAscii, &mut text);
    }
    text.push(']');
    name_call(intent_id, function, &mut text);
    write_map(kwargs, Dialect::SpacedAscii, &mut text);
    text.push('}');
    sha256_hex(&text)
}

/// As [`idempotency_key`], from the JSON texts of an array and an object.
///
/// # Errors
/// When a text is not [strict JSON](crate::json), or no array or object.
pub fn idempotency_key_json(
    intent_id: &str,
    function: &str,
    args: &str,
    kwargs: &str,
) -> Result<String, JsonError> {
    let (args, kwargs) = (Document::parse(args)?, Document::parse(kwargs)?);
    idempotency_key_of(intent_id, function, args.root(), Some(kwargs.root()))
}

/// As [`idempotency_key_json`], from what has been parsed already; without `kwargs`, `{}`.
pub(crate) fn idempotency_key_of(
    intent_id: &str,
    function: &str,
    args: Node<'_>,
    kwargs: Option<Node<'_>>,
) -> Result<String, JsonError> {
    let mut text = String::with_capacity(args.raw().len() + 128);
    text.push_str("{\"args\": ");
    write_node(expect(args, Kind::Array)?, Dialect::SpacedAscii, &mut text)?;
    name_call(intent_id, function, &mut text);
    match kwargs {
        Some(kwargs) => write_node(
            expect(kwargs, Kind::Object)?,
            Dialect::SpacedAscii,
            &mut text,
        )?,
        None => text.push_str("{}"),
    }
    text.push('}');
    Ok(sha256_hex(&text))
}

/// The members of the idempotency text between the arguments.
fn name_call(intent_id: &str, function: &str, text: &mut String) {
    text.push_str(", \"fn\": ");
    Dialect::SpacedAscii.write_string(function, text);
    text.push_str(", \"intent_id\": ");
    Dialect::SpacedAscii.write_string(intent_id, text);
    text.push_str(", \"kwargs\": ");
}

/// What an approval is bound to (PROTOCOL 22): 64 hex digits over intent, action and the metadata
/// as they are sent.
pub fn body_hash(intent_id: &str, action_id: &str, metadata: &Map<String, Value>) -> String {
    let mut text = open_body(intent_id, action_id, 0);
    write_map(metadata, Dialect::Compact, &mut text);
    text.push('}');
    sha256_hex(&text)
}

/// As [`body_hash`], from the JSON text of the metadata object.
///
/// # Errors
/// When the text is not [strict JSON](crate::json), or no object.
pub fn body_hash_json(
    intent_id: &str,
    action_id: &str,
    metadata: &str,
) -> Result<String, JsonError> {
    let document = Document::parse(metadata)?;
    let mut text = open_body(intent_id, action_id, metadata.len());
    write_node(
        expect(document.root(), Kind::Object)?,
        Dialect::Compact,
        &mut text,
    )?;
    text.push('}');
    Ok(sha256_hex(&text))
}

/// The body text up to the metadata, with room for `length` bytes of it.
pub(crate) fn open_body(intent_id: &str, action_id: &str, length: usize) -> String {
    let mut text = String::with_capacity(intent_id.len() + action_id.len() + length + 48);
    text.push_str("{\"action_id\":");
    write_string(action_id, &mut text);
    text.push_str(",\"intent_id\":");
    write_string(intent_id, &mut text);
    text.push_str(",\"metadata\":");
    text
}

/// The action id of a tool of an agent framework (PROTOCOL 24): `<framework>.<tool>`, with `-` for
/// every character of the tool's name that is not alphanumeric, `.`, `_` or `-`; hyphens at its
/// ends removed; `tool` when nothing is left.
pub fn action_id(framework: &str, tool: &str) -> String {
    let allowed = |c: char| is_word(c) || matches!(c, '.' | '-');
    let safe: String = tool
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .collect();
    let name = match safe.trim_matches('-') {
        "" => "tool",
        name => name,
    };
    format!("{framework}.{name}")
}

/// The action id of a function that names none: its qualified name with `-` for `_` (PROTOCOL 2).
pub fn default_action_id(function: &str) -> String {
    function.replace('_', "-")
}

/// The lower-case hex SHA-256 of a text.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn expect(node: Node<'_>, kind: Kind) -> Result<Node<'_>, JsonError> {
    if node.kind() == kind {
        Ok(node)
    } else {
        Err(JsonError::new(JsonErrorKind::WrongKind, node.range().start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_keys_come_out() {
        let key = |intent, function, args, kwargs| {
            idempotency_key_json(intent, function, args, kwargs).unwrap()
        };
        assert_eq!(
            key("i", "f", r#"["0 positional argument(s)"]"#, "{}"),
            "9c9e39d93a914bfb69190f55b740c424c8af021998829966c4dce578183d6d24"
        );
        assert_eq!(
            key(
                "i1",
                "top",
                r#"["2 positional argument(s)"]"#,
                r#"{"z":"<redacted>","b":"<redacted>"}"#
            ),
            "ab603179559990974877efea25232ca62c797ff3511262514db9204d34ae977f"
        );
        assert_eq!(
            key(
                "iné",
                "top",
                r#"[1, 1.0, "\u00e9😀", null, true, [1, [2]], {"k": 1e16}]"#,
                "{}"
            ),
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706"
        );
        assert_eq!(
            key(
                "billing",
                "pay_invoice",
                r#"["inv_1", 1250]"#,
                r#"{"note": "café \"q\" \\ \n\u007f", "rate": 0.1, "n": -0.0, "big": 9223372036854775808}"#
            ),
            "7a1988c180c85e5017e926282ffaa2ca6ff44c86b35c135f87436bbd1d9bece3"
        );
    }

    #[test]
    fn arguments_of_another_kind_are_refused() {
        let refused = |args, kwargs| {
            idempotency_key_json("i", "f", args, kwargs)
                .unwrap_err()
                .kind()
        };
        assert_eq!(refused("{}", "{}"), JsonErrorKind::WrongKind);
        assert_eq!(refused("[]", "[]"), JsonErrorKind::WrongKind);
        assert_eq!(refused("[1e400]", "{}"), JsonErrorKind::NumberRange);
        assert_eq!(
            refused("[]", r#"{"a":1,"\u0061":2}"#),
            JsonErrorKind::DuplicateMember
        );
        assert_eq!(
            body_hash_json("i", "a", "[]").unwrap_err().kind(),
            JsonErrorKind::WrongKind
        );
    }

    #[test]
    fn an_action_id_keeps_what_python_calls_alphanumeric() {
        assert_eq!(action_id("mcp", "a²b ½/日本_x.y"), "mcp.a²b-½-日本_x.y");
        assert_eq!(action_id("mcp", "e\u{301}Ⓐ"), "mcp.e");
        assert_eq!(default_action_id("K.do_me"), "K.do-me");
    }
}
