//! Questions, notifications and answers: what each must have, their ids, and what a refusal says.

use super::{call, refused, refused_seven, to_host, to_server};
use crate::message::{Code, Id, Kind};

#[test]
fn a_tool_call_needs_a_name_and_objects() {
    for params in [
        "{}",
        "null",
        "[]",
        r#"["a"]"#,
        r#""a""#,
        "7",
        r#"{"name":null}"#,
        r#"{"name":7}"#,
        r#"{"name":["a"]}"#,
        r#"{"name":{"name":"a"}}"#,
        r#"{"arguments":{"name":"a"}}"#,
        r#"{"name":"a\u0000"}"#,
        r#"{"name":"rm\u0000harmless"}"#,
        r#"{"name":"a","arguments":[]}"#,
        r#"{"name":"a","arguments":"{}"}"#,
        r#"{"name":"a","_meta":[]}"#,
        r#"{"name":"a","_meta":{"progressToken":{}}}"#,
        r#"{"name":"a","_meta":{"progressToken":1.5}}"#,
    ] {
        refused_seven(call(params), Code::Params);
    }
    refused_seven(
        to_server(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call"}"#),
        Code::Params,
    );
    refused_seven(
        to_server(r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":[]}"#),
        Code::Params,
    );
    assert_eq!(call(r#"{"name":""}"#).unwrap().method(), Some("tools/call"));
}

#[test]
fn a_tool_call_without_an_id_is_no_notification() {
    for text in [
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","method":"ping"}"#,
    ] {
        refused(to_server(text), Code::Invalid);
    }
    refused_seven(
        to_server(
            r#"{"jsonrpc":"2.0","id":7,"method":"notifications/cancelled","params":{"requestId":1}}"#,
        ),
        Code::Invalid,
    );
}

#[test]
fn an_id_is_a_short_string_or_an_integer_that_every_reader_keeps() {
    let long = "x".repeat(256);
    for id in [
        "0",
        "-1",
        "9007199254740991",
        "-9007199254740991",
        r#""""#,
        r#""\u0000""#,
        &format!("\"{long}\""),
    ] {
        let message = to_server(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        assert!(matches!(message.unwrap().kind(), Kind::Request { .. }));
    }
    for id in [
        "1.0",
        "1e2",
        "-0",
        "9007199254740992",
        "-9007199254740992",
        "123456789012345678901234567890",
        &"9".repeat(1000),
        "true",
        "{}",
        "[1]",
        "null",
        &format!("\"{long}x\""),
        &format!("\"{}\"", "é".repeat(129)),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let refused = refused(to_server(&text), Code::Invalid);
        assert_eq!(refused.id, None);
        assert!(refused.is_answered());
        if id != "null" {
            let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
            assert!(to_host(&answer).is_err());
        }
    }
    assert_ne!(
        to_server(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
            .unwrap()
            .id(),
        to_server(r#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#)
            .unwrap()
            .id(),
    );
    assert_eq!(
        to_server(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#)
            .unwrap()
            .id(),
        to_server(r#"{"jsonrpc":"2.0","id":"\u0061","method":"ping"}"#)
            .unwrap()
            .id(),
    );
}

#[test]
fn what_is_neither_question_nor_answer_or_both_is_refused() {
    for text in [
        "{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
        r#"{"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":null}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":"no"}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
    ] {
        refused(to_server(text), Code::Invalid);
        refused(to_host(text), Code::Invalid);
    }
}

#[test]
fn another_id_changes_nothing_else() {
    let text =
        r#" { "id" :  "a\u0062c" , "jsonrpc":"2.0","method":"ping","params":{"id":"abc"} } "#;
    let message = to_server(text).unwrap();
    let other = message.with_id(&Id::Number("12".into()));
    assert_eq!(other.bytes(), &text.replace(r#""a\u0062c""#, "12"));
    assert_eq!(other.id(), Some(&Id::Number("12".into())));
    let back = other.with_id(&Id::Text("\"\n\u{0}".into()));
    assert_eq!(
        back.bytes(),
        &text.replace(r#""a\u0062c""#, r#""\"\n\u0000""#)
    );
    assert_eq!(
        to_server(std::str::from_utf8(back.bytes()).unwrap()).unwrap(),
        back
    );
}

#[test]
fn refusals_say_nothing_of_the_message() {
    let secret = "sk_live_secret";
    for text in [
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","{secret}":1,"{secret}":2}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":7,"params":"{secret}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{secret}" oops"#),
    ] {
        let refused = to_server(&text).unwrap_err();
        assert!(!refused.to_message().contains(secret));
        assert!(!format!("{refused:?}").contains(secret));
    }
    let message = to_server(&format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"x":"{secret}"}}}}"#
    ));
    assert!(!format!("{:?}", message.unwrap()).contains(secret));
}
