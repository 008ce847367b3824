//! A message as text: taken as it came, on one line, and refused where it is no JSON of ours.

use super::{call, read, refused, refused_seven, to_server};
use crate::message::{Code, DEEPEST, Direction, LONGEST, Refused};

#[test]
fn a_message_is_taken_as_the_bytes_that_came() {
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#" {"method" : "tools/call","params":{"arguments":{"Name":1.0,"x":[]},"name":"a","_meta":{"progressToken":"t","Own":1}},"id":"é","jsonrpc":"2.0" } "#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x/unknown","params":{"anything":{"a":1,"b":2}},"extra":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null,"_meta":null}}"#,
    ] {
        for direction in [Direction::ToServer, Direction::ToHost] {
            let message = read(text, direction).unwrap();
            assert_eq!(message.bytes(), text);
        }
    }
}

#[test]
fn a_message_is_one_line_however_it_came() {
    // On a pipe, the middle line would be a call of its own.
    let text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":[\r\n\
                {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"rm\"}}\n]}}\n";
    let message = to_server(text).unwrap();
    assert!(!message.bytes().iter().any(|byte| b"\r\n".contains(byte)));
    let (came, goes): (serde_json::Value, serde_json::Value) = (
        serde_json::from_str(text).unwrap(),
        serde_json::from_slice(message.bytes()).unwrap(),
    );
    assert_eq!(came, goes);
    assert_eq!(message.bytes().len(), text.len());
}

#[test]
fn what_is_not_one_object_is_refused() {
    for (text, code) in [
        ("", Code::Parse),
        ("nonsense", Code::Parse),
        ("{", Code::Parse),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"ping"} {}"#,
            Code::Parse,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"method":"ping",}"#, Code::Parse),
        ("[]", Code::Invalid),
        (
            r#"[{"jsonrpc":"2.0","id":7,"method":"ping"}]"#,
            Code::Invalid,
        ),
        ("null", Code::Invalid),
        ("7", Code::Invalid),
        (r#""tools/call""#, Code::Invalid),
    ] {
        for direction in [Direction::ToServer, Direction::ToHost] {
            let refused = refused(read(text, direction), code);
            assert!(refused.is_answered());
            assert!(!refused.to_message().contains(r#""id""#), "{text}");
        }
    }
}

#[test]
fn text_that_is_not_utf8_or_begins_with_a_mark_is_refused() {
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let marked = refused(to_server(&format!("\u{feff}{ping}")), Code::Parse);
    assert_eq!(marked.reason, "it begins with a byte order mark");
    for odd in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80"] {
        let mut bytes = br#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":""#.to_vec();
        bytes.extend_from_slice(odd);
        bytes.extend_from_slice(br#""}}"#);
        let refused = refused(read(bytes, Direction::ToServer), Code::Parse);
        assert_eq!(refused.reason, "it is not UTF-8");
    }
    let utf16: Vec<u8> = ping.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused(read(utf16, Direction::ToServer), Code::Parse);
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    let text = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"\ud83d"}}"#;
    refused_seven(to_server(text), Code::Parse);
}

#[test]
fn what_is_too_deep_is_refused_under_its_id() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        call(&format!(
            r#"{{"name":"a","arguments":{{"x":{open}{close}}}}}"#
        ))
    };
    nested(DEEPEST - 3).unwrap();
    refused_seven(nested(DEEPEST - 2), Code::Invalid);
    refused_seven(nested(100_000), Code::Invalid);
}

#[test]
fn what_is_too_long_is_refused_unread() {
    let of = |length: usize| {
        let empty = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":""}}"#.len();
        let filler = "x".repeat(length - empty);
        to_server(&format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"x":"{filler}"}}}}"#
        ))
    };
    of(LONGEST).unwrap();
    for length in [LONGEST + 1, 10_000_000] {
        let refused = refused(of(length), Code::Invalid);
        assert_eq!(refused, Refused::too_long());
        assert!(refused.is_answered());
    }
}
