//! What is taken, what is refused, and what its sender is told.

use bytes::Bytes;

use super::{
    Code, DEEPEST, Direction, Generation, Id, Kind, LONGEST, Message, Refused, Seems, spec,
};

fn read(text: impl Into<Bytes>, direction: Direction) -> Result<Message, Refused> {
    Message::read(text.into(), direction)
}

fn to_server(text: &str) -> Result<Message, Refused> {
    read(text.to_owned(), Direction::ToServer)
}

fn to_host(text: &str) -> Result<Message, Refused> {
    read(text.to_owned(), Direction::ToHost)
}

fn call(params: &str) -> Result<Message, Refused> {
    to_server(&format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#
    ))
}

#[track_caller]
fn refused(read: Result<Message, Refused>, code: Code) -> Refused {
    let refused = read.expect_err("this must not be taken");
    assert_eq!(refused.code, code, "{refused:?}");
    refused
}

/// A request that is refused, and answered under its id.
#[track_caller]
fn refused_seven(read: Result<Message, Refused>, code: Code) {
    let refused = refused(read, code);
    assert_eq!(refused.id, Some(Id::Number("7".into())), "{refused:?}");
    assert_eq!(refused.seems, Seems::Request);
    assert!(
        refused
            .to_message()
            .starts_with(r#"{"jsonrpc":"2.0","id":7,"error":"#)
    );
}

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
fn a_member_that_is_there_twice_is_refused_at_any_depth_either_way() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","m\u0065thod":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"y":{"z":1,"z":1}}]}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"p":1,"p":2}}}"#,
    ] {
        refused_seven(to_server(text), Code::Invalid);
        refused_seven(to_host(text), Code::Invalid);
    }
    let answer =
        r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"a","text":"b"}]}}"#;
    for direction in [Direction::ToServer, Direction::ToHost] {
        let refused = refused(read(answer, direction), Code::Invalid);
        assert_eq!(refused.seems, Seems::Answer);
        assert_eq!(refused.id, Some(Id::Number("7".into())));
        assert!(!refused.is_answered());
    }
}

#[test]
fn an_id_that_is_there_twice_is_nobodys() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"ID":8,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","Id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id\u0000":7,"method":"ping"}"#,
    ] {
        let refused = refused(to_server(text), Code::Invalid);
        assert_eq!(refused.id, None, "{text}");
        assert!(refused.is_answered());
    }
}

#[test]
fn names_that_fold_to_one_are_refused_at_any_depth_of_a_request() {
    for (a, b) in [
        ("path", "Path"),
        ("path", "PATH"),
        ("path", r"path\u0000"),
        ("path", r"\u0000pa\u0000th"),
        (r"path\u0000", r"path\u0000\u0000"),
        ("size", "ſize"),
        ("key", "\u{212a}ey"),
        ("straße", "STRASSE"),
        ("straße", "stra\u{1e9e}e"),
        ("id", "ıd"),
        ("id", "İd"),
        ("İd", "ıd"),
        ("İd", "i\u{307}d"),
        ("σ", "ς"),
        ("ω", "\u{2126}"),
        ("å", "\u{212b}"),
        ("ﬁle", "file"),
        ("ꭰ", "Ꭰ"),
        (r"p\u0061th", "PATH"),
    ] {
        for params in [
            format!(r#"{{"name":"t","{a}":1,"{b}":2}}"#),
            format!(r#"{{"name":"t","arguments":{{"{b}":1,"{a}":2}}}}"#),
            format!(
                r#"{{"name":"t","arguments":{{"deep":[[{{"{a}":{{}},"other":0,"{b}":2}}]]}}}}"#
            ),
            format!(r#"{{"name":"t","_meta":{{"{a}":1,"{b}":2}}}}"#),
        ] {
            refused_seven(call(&params), Code::Invalid);
            // A server's request is one, too.
            let asks = format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{params}}}"#
            );
            refused_seven(to_host(&asks), Code::Invalid);
        }
        let notification = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"x":{{"{a}":1,"{b}":2}}}}}}"#
        );
        let refused = refused(to_server(&notification), Code::Invalid);
        assert_eq!(refused.seems, Seems::Notification);
        assert!(!refused.is_answered());
    }
}

#[test]
fn a_name_with_u0000_is_refused_alone() {
    // Some readers leave it out, others stop there.
    for name in [r"\u0000", r"x\u0000", r"x\u0000y", r"name\u0000x"] {
        for params in [
            format!(r#"{{"name":"t","{name}":1}}"#),
            format!(r#"{{"name":"t","arguments":{{"x":[{{"{name}":1}}]}}}}"#),
        ] {
            refused_seven(call(&params), Code::Invalid);
            let asks = format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{params}}}"#
            );
            refused_seven(to_host(&asks), Code::Invalid);
        }
        let answer = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"{name}":1}}}}"#);
        refused(to_host(&answer), Code::Invalid);
        let below = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"x":{{"{name}":1}}}}}}"#);
        to_host(&below).unwrap();
    }
}

#[test]
fn answers_and_logs_may_hold_such_names_where_nobody_acts_on_them() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"result":{"structuredContent":{"id":1,"ID":2}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"t","inputSchema":{"properties":{"a":{},"A":{}}}}]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","data":{"a":1,"A":2}}}"#,
    ] {
        to_host(text).unwrap();
        to_server(text).unwrap();
    }
    to_host(
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":{"a":1,"A":2}}}"#,
    )
    .unwrap();
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"result":{},"x":1,"X":2}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"own":1,"Own":2}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"own":1,"Own":2}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","own":1,"oWn":2}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"own":1,"OWN":2}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"_meta":{"own":1,"OWN":2}}}"#,
    ] {
        refused(to_host(text), Code::Invalid);
    }
}

#[test]
fn a_name_that_only_looks_like_one_that_matters_is_refused_alone() {
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"Method":"tools/call","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"METHOD":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","Params":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","param\u0000s":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","paramſ":{}}"#,
        r#"{"JSONRPC":"2.0","id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"nAme":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","argument\u017f":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","Arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","tasK":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_META":{}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"progresstoken":1}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"progressToKen":1}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolversion":""}}}"#,
    ] {
        refused_seven(to_server(text), Code::Invalid);
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"Tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"iserror":true}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"resulttype":"complete"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"Sernixa/decision":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"Code":1,"message":""}}"#,
    ] {
        refused(to_host(text), Code::Invalid);
        refused(to_server(text), Code::Invalid);
    }
}

#[test]
fn a_method_that_only_looks_like_one_is_refused() {
    for method in [
        "Tools/Call",
        "TOOLS/CALL",
        r"tools/call\u0000",
        r"\u0000tools/call",
        r"tools/call\u0000x",
        r"x/own\u0000",
        r"tool\u017f/call",
        "toolſ/call",
        "Ping",
        "logging/setlevel",
        "tasKs/get",
        "tas\u{212a}s/get",
        "İnitialize",
        "ınıtıalıze",
    ] {
        refused_seven(
            to_server(&format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{"name":"a"}}}}"#
            )),
            Code::Method,
        );
        let notification = format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#);
        refused(to_server(&notification), Code::Method);
        refused(to_host(&notification), Code::Method);
    }
}

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

/// The tables against the schemas: each method stands where its type says, and in no other table.
#[test]
fn methods_are_known_by_generation_and_direction() {
    use Direction::{ToHost, ToServer};
    use Generation::{Sessions, Stateless};
    let everywhere = [
        (Sessions, ToServer),
        (Sessions, ToHost),
        (Stateless, ToServer),
        (Stateless, ToHost),
    ];
    for (method, known) in [
        ("initialize", &everywhere[..1]),
        ("server/discover", &everywhere[2..3]),
        ("ping", &everywhere[..2]),
        ("tools/call", &[(Sessions, ToServer), (Stateless, ToServer)]),
        ("sampling/createMessage", &everywhere[1..2]),
        ("elicitation/create", &everywhere[1..2]),
        ("roots/list", &everywhere[1..2]),
        ("tasks/result", &everywhere[..2]),
        // In 2026-07-28 tasks are an extension.
        ("tasks/get", &everywhere[..2]),
        ("tasks/list", &everywhere[..2]),
        ("tasks/cancel", &everywhere[..2]),
        ("tasks/update", &[]),
        ("notifications/tasks/status", &everywhere[..2]),
        ("notifications/tasks", &[]),
        ("subscriptions/listen", &everywhere[2..3]),
        ("resources/subscribe", &everywhere[..1]),
        ("logging/setLevel", &everywhere[..1]),
        ("notifications/cancelled", &everywhere),
        ("notifications/initialized", &everywhere[..1]),
        (
            "notifications/progress",
            &[
                (Sessions, ToServer),
                (Sessions, ToHost),
                (Stateless, ToHost),
            ],
        ),
        ("notifications/subscriptions/acknowledged", &everywhere[3..]),
        ("notifications/elicitation/complete", &everywhere[1..2]),
        ("skills/list", &[]),
        ("x/own", &[]),
        ("", &[]),
        ("Tools/Call", &[]),
    ] {
        for way in everywhere {
            assert_eq!(
                spec::is_known(way.0, way.1, method),
                known.contains(&way),
                "{method} {way:?}"
            );
        }
    }
}

/// Run with `--ignored --nocapture` for the figures.
#[test]
#[ignore = "it measures"]
fn reading_takes_linear_time() {
    type Part<'p> = Box<dyn Fn(usize) -> String + 'p>;
    let filled = |part: &dyn Fn(usize) -> String, length: usize| {
        let mut text = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{"x":["#.to_owned();
        let mut at = 0;
        while text.len() < length {
            text.push_str(&part(at));
            text.push(',');
            at += 1;
        }
        text.push_str("0]}}}");
        text
    };
    let members = |name: &dyn Fn(usize) -> String| {
        let all: Vec<String> = (0..1000).map(|at| format!(r#""{}":1"#, name(at))).collect();
        format!("{{{}}}", all.join(","))
    };
    let parts: [(&str, Part<'_>); 6] = [
        ("numbers", Box::new(|_| "1".to_owned())),
        ("brackets", Box::new(|_| "[[[]]]".to_owned())),
        (
            "text",
            Box::new(|_| format!("\"{}\"", "lorem ipsum ".repeat(100))),
        ),
        (
            "members in lower case",
            Box::new(|_| members(&|at| format!("m{at}"))),
        ),
        (
            "members in upper case",
            Box::new(|_| members(&|at| format!("M{at}"))),
        ),
        (
            "members in Greek, escaped",
            Box::new(|_| members(&|at| format!("\\u03a9Ω{at}"))),
        ),
    ];
    for (called, part) in parts {
        let mut took = Vec::new();
        for length in [2_000_000, 4_000_000, 8_000_000] {
            let bytes = Bytes::from(filled(&*part, length));
            let start = std::time::Instant::now();
            Message::read(bytes, Direction::ToServer).unwrap();
            took.push(start.elapsed());
        }
        println!("{called}: 2, 4, 8 MB in {took:?}");
    }
    let wide: Vec<String> = (0..400_000).map(|at| format!(r#""Ω{at}":1"#)).collect();
    for share in [4, 2, 1] {
        let some = wide.get(..wide.len() / share).unwrap().join(",");
        let text = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"x","params":{{{some}}}}}"#);
        let start = std::time::Instant::now();
        to_server(&text).unwrap();
        println!("one object of {} bytes: {:?}", text.len(), start.elapsed());
    }
}
