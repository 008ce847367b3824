//! The headers of streamable HTTP that say again what the body says (2026-07-28, *Request
//! Metadata*), and the values that a header can carry.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sernixa_protocol::json::Node;

use crate::message::Message;

pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(super) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
pub(super) const NAME: HeaderName = HeaderName::from_static("mcp-name");
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The version, in the `_meta` of every request from 2026-07-28 on.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// What the host can do; beside it.
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Around the base64 of a value that is no plain header value. Case counts.
const SENTINEL: (&str, &str) = ("=?base64?", "?=");

/// What the headers of a request must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirrored {
    /// Of the request's `_meta`.
    pub(super) version: Option<Box<str>>,
    /// Whether `_meta` holds the host's capabilities.
    pub(super) capabilities: bool,
    /// What is named: a tool, a prompt, a resource, a task.
    pub(super) name: Option<Box<str>>,
    /// Whether a name has to be said.
    pub(super) named: bool,
}

impl Mirrored {
    /// What the body says.
    pub(super) fn of(message: &Message) -> Self {
        let source = message.method().and_then(name_source);
        let (version, capabilities, name) = message
            .look(|root| {
                let params = root.get("params");
                let meta = params.and_then(|params| params.get("_meta"));
                let version = meta.and_then(|meta| text(meta, META_VERSION));
                let capabilities = meta.and_then(|meta| meta.get(META_CAPABILITIES));
                let name = params
                    .zip(source)
                    .and_then(|(params, (member, _))| text(params, member));
                let capabilities = capabilities.is_some_and(|given| given.is_object());
                (version, capabilities, name)
            })
            .unwrap_or_default();
        Self {
            version,
            capabilities,
            name,
            named: source.is_some_and(|(_, required)| required),
        }
    }
}

fn text(object: Node<'_>, member: &str) -> Option<Box<str>> {
    Some(object.get(member)?.as_str()?.as_ref().into())
}

/// Which member of `params` goes into `Mcp-Name`, and whether it has to. (The tasks are an
/// extension's, which asks for it in a server's interest.)
fn name_source(method: &str) -> Option<(&'static str, bool)> {
    match method {
        "tools/call" | "prompts/get" => Some(("name", true)),
        "resources/read" => Some(("uri", true)),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some(("taskId", false)),
        _ => None,
    }
}

/// The only value of a header.
///
/// # Errors
/// When it stands there twice.
pub(super) fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, String> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (one, None) => Ok(one),
        _ => Err(format!("the header {name} is given twice")),
    }
}

/// A value as a header carries it: as it is, or as base64 between the sentinels.
pub(super) fn encode(value: &str) -> Option<HeaderValue> {
    let (before, after) = SENTINEL;
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && value.trim_matches([' ', '\t']) == value
        && !(value.starts_with(before) && value.ends_with(after));
    if plain {
        return HeaderValue::from_str(value).ok();
    }
    let encoded = BASE64_STANDARD.encode(value);
    HeaderValue::try_from(format!("{before}{encoded}{after}")).ok()
}

/// What a header's value means.
///
/// # Errors
/// When it is no plain value, or bad base64, or no UTF-8.
pub(super) fn decode(value: &HeaderValue) -> Result<String, &'static str> {
    let text = value
        .to_str()
        .map_err(|_| "it holds characters that a header cannot carry")?;
    let text = text.trim_matches([' ', '\t']);
    let (before, after) = SENTINEL;
    let inner = text
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    let Some(inner) = inner else {
        return Ok(text.to_owned());
    };
    let bytes = BASE64_STANDARD
        .decode(inner)
        .map_err(|_| "it is not valid base64")?;
    String::from_utf8(bytes).map_err(|_| "its base64 is not UTF-8")
}

/// Whether the headers of a 2026-07-28 request say what its body says.
///
/// # Errors
/// What does not fit, without any of the values.
pub(super) fn check(headers: &HeaderMap, message: &Message, body: &Mirrored) -> Result<(), String> {
    // Without a name in the body, its own fault is told by whoever reads it.
    let has_name = body.named && body.name.is_some();
    for (header, is_needed) in [(PROTOCOL_VERSION, true), (METHOD, true), (NAME, has_name)] {
        if is_needed && !headers.contains_key(&header) {
            return Err(format!("the header {header} is missing"));
        }
    }
    if body.version.is_none() {
        return Err(differs(&PROTOCOL_VERSION));
    }
    check_given(headers, message, body)
}

/// Whether those of the headers that are there say what the body says: what must hold for any message,
/// since somebody between may have let it pass for its headers. A version that the body does not name
/// is for the session to know.
///
/// # Errors
/// What does not fit, without any of the values.
pub(super) fn check_given(
    headers: &HeaderMap,
    message: &Message,
    body: &Mirrored,
) -> Result<(), String> {
    let says = |given: &HeaderValue, text: &str| given.as_bytes().trim_ascii() == text.as_bytes();
    if let Some(given) = only(headers, &PROTOCOL_VERSION)?
        && let Some(version) = &body.version
        && !says(given, version)
    {
        return Err(differs(&PROTOCOL_VERSION));
    }
    if let Some(given) = only(headers, &METHOD)?
        && !message.method().is_some_and(|method| says(given, method))
    {
        return Err(differs(&METHOD));
    }
    let Some(given) = only(headers, &NAME)? else {
        return Ok(());
    };
    let given = decode(given).map_err(|fault| format!("the header {NAME}: {fault}"))?;
    match body.name.as_deref() {
        Some(name) if given == name => Ok(()),
        // What a method of others means by it cannot be known.
        None if !body.named => Ok(()),
        _ => Err(differs(&NAME)),
    }
}

fn differs(name: &HeaderName) -> String {
    format!("the header {name} does not say what the body says")
}

#[cfg(test)]
mod tests {
    use super::*;

    use bytes::Bytes;

    use crate::message::Direction;

    fn call(name: &str) -> Message {
        let body = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "_meta": {META_VERSION: "2026-07-28", META_CAPABILITIES: {}}},
        });
        Message::read(Bytes::from(body.to_string()), Direction::ToServer).unwrap()
    }

    fn headers(of: &[(HeaderName, &str)]) -> HeaderMap {
        of.iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn checked(message: &Message, of: &[(HeaderName, &str)]) -> Result<(), String> {
        check(&headers(of), message, &Mirrored::of(message))
    }

    /// The table of the specification, *Value Encoding*.
    #[test]
    fn values_are_encoded_as_the_specification_says() {
        for (value, carried) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            let encoded = encode(value).unwrap();
            assert_eq!(encoded, carried);
            assert_eq!(decode(&encoded).unwrap(), value);
        }
    }

    #[test]
    fn bad_base64_is_not_guessed_at_and_halves_of_the_sentinel_are_literal() {
        for bad in [
            "=?base64?SGVsbG8?=",
            "=?base64?SGVs!!!bG8=?=",
            "=?base64?/w==?=",
        ] {
            assert!(decode(&HeaderValue::from_static(bad)).is_err(), "{bad}");
        }
        for literal in ["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?base64?="] {
            assert_eq!(decode(&HeaderValue::from_static(literal)).unwrap(), literal);
        }
        assert!(decode(&HeaderValue::from_bytes(b"caf\xe9").unwrap()).is_err());
    }

    #[test]
    fn each_header_must_say_what_the_body_says() {
        let message = call("weather");
        let right = [
            (PROTOCOL_VERSION, "2026-07-28"),
            (METHOD, "tools/call"),
            (NAME, "weather"),
        ];
        assert_eq!(checked(&message, &right), Ok(()));
        for (at, wrong) in [(0, "2025-11-25"), (1, "TOOLS/CALL"), (2, "Weather")] {
            let mut headers = right.clone();
            headers[at].1 = wrong;
            assert!(checked(&message, &headers).is_err(), "{wrong}");
            let mut missing = right.to_vec();
            missing.remove(at);
            assert!(checked(&message, &missing).is_err(), "without {at}");
            let mut twice = right.to_vec();
            twice.push(right[at].clone());
            assert!(checked(&message, &twice).is_err(), "twice {at}");
        }
    }

    #[test]
    fn headers_that_nobody_asked_for_must_say_what_the_body_says() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
        let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let own = r#"{"jsonrpc":"2.0","id":1,"method":"vendor/own","params":{"name":"a"}}"#;
        for (body, given, is_fine) in [
            (call, &[][..], true),
            (call, &[(METHOD, "tools/call"), (NAME, "a")], true),
            (call, &[(PROTOCOL_VERSION, "2025-11-25")], true),
            (call, &[(METHOD, "ping")], false),
            (call, &[(METHOD, "")], false),
            (call, &[(NAME, "b")], false),
            (call, &[(NAME, "=?base64?!?=")], false),
            (call, &[(NAME, "a"), (NAME, "a")], false),
            (call, &[(METHOD, "tools/call"), (METHOD, "ping")], false),
            (note, &[(METHOD, "notifications/cancelled")], true),
            (note, &[(METHOD, "tools/call")], false),
            (note, &[(PROTOCOL_VERSION, "2026-07-29")], false),
            (answer, &[], true),
            (answer, &[(METHOD, "tools/call")], false),
            (
                own,
                &[(METHOD, "vendor/own"), (NAME, "what it means")],
                true,
            ),
        ] {
            let message = Message::read(Bytes::from(body), Direction::ToServer).unwrap();
            let checked = check_given(&headers(given), &message, &Mirrored::of(&message));
            assert_eq!(checked.is_ok(), is_fine, "{body} {given:?}");
        }
    }

    #[test]
    fn a_name_that_no_header_carries_is_compared_after_decoding() {
        let message = call("wetter für heute");
        let encoded = encode("wetter für heute").unwrap();
        let headers = [
            (PROTOCOL_VERSION, "2026-07-28"),
            (METHOD, "tools/call"),
            (NAME, encoded.to_str().unwrap()),
        ];
        assert_eq!(checked(&message, &headers), Ok(()));
    }
}
