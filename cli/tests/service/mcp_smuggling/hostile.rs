//! What is tried: messages that must be refused.

use serde_json::Value;

/// What every hostile message holds, and the server must never see.
pub const CANARY: &str = "smuggled";

/// A hostile message, and the code of its refusal.
#[derive(Clone)]
pub struct Hostile {
    pub bytes: Vec<u8>,
    pub code: i64,
    /// Whether its id, which is 7, can be told; of one that is too long it may be.
    pub has_id: Option<bool>,
}

fn hostile(bytes: impl Into<Vec<u8>>, code: i64, has_id: bool) -> Hostile {
    Hostile {
        bytes: bytes.into(),
        code,
        has_id: Some(has_id),
    }
}

impl Hostile {
    /// Checks how it was refused.
    #[track_caller]
    pub fn check(&self, answer: &Value) {
        let shown = &self.bytes[..self.bytes.len().min(200)];
        let shown = String::from_utf8_lossy(shown);
        assert_eq!(answer["error"]["code"], self.code, "{shown}\n{answer}");
        let has_id = answer["id"] == 7;
        assert!(has_id || answer["id"].is_null(), "{answer}");
        assert!(
            self.has_id.is_none_or(|expected| has_id == expected),
            "{shown}\n{answer}"
        );
        assert!(!answer.to_string().contains(CANARY), "{answer}");
    }
}

pub fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#)
}

/// Every hostile message that gets an answer.
pub fn answered() -> Vec<Hostile> {
    [
        doubled(),
        look_alikes(),
        no_messages(),
        odd_envelopes(),
        not_json(),
        unknown_methods(),
        odd_calls(),
    ]
    .concat()
}

/// A member twice, at every level.
fn doubled() -> Vec<Hostile> {
    let mut all = Vec::new();
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"m\u0065thod":"tools/call","method":"ping","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"note"},"params":{"name":"smuggled"}}"#.to_owned(),
        call(r#"{"name":"note","name":"smuggled"}"#),
        call(r#"{"name":"note","n\u0061me":"smuggled"}"#),
        call(r#"{"name":"note","arguments":{},"arguments":{"smuggled":1}}"#),
        call(r#"{"name":"note","arguments":{"text":"a","text":"smuggled"}}"#),
        call(r#"{"name":"note","arguments":{"a":[[{"b":{"text":"a","text":"smuggled"}}]]}}"#),
        call(r#"{"name":"note","_meta":{"progressToken":1,"progressToken":"smuggled"}}"#),
    ] {
        all.push(hostile(text, -32600, true));
    }
    all
}

/// A name that differs in case, by a letter that folds, or by U+0000: beside its twin, and alone.
fn look_alikes() -> Vec<Hostile> {
    let mut all = Vec::new();
    for text in [
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","Method":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"METHOD":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method\u0000":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method\u0000x":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","paramſ":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"note"},"Params":{"name":"smuggled"}}"#.to_owned(),
        call(r#"{"name":"note","Name":"smuggled"}"#),
        call(r#"{"name":"note","nAme":"smuggled"}"#),
        call(r#"{"NAME":"smuggled"}"#),
        call(r#"{"name":"note","name\u0000":"smuggled"}"#),
        call(r#"{"name":"note","\u0000name":"smuggled"}"#),
        call(r#"{"name":"note","Arguments":{"smuggled":1}}"#),
        call(r#"{"name":"note","argumentſ":{"smuggled":1}}"#),
        call(r#"{"name":"note","arguments":{"text":"a","Text":"smuggled"}}"#),
        call(r#"{"name":"note","arguments":{"a":{"key":1,"Key":"smuggled"}}}"#),
        call(r#"{"name":"note","arguments":{"a":{"text\u0000":"smuggled"}}}"#),
        call(r#"{"name":"note","_meta":{"ProgressToken":"smuggled"}}"#),
    ] {
        all.push(hostile(text, -32600, true));
    }
    all
}

/// What is not one object, and what has no id that counts.
fn no_messages() -> Vec<Hostile> {
    let mut all = Vec::new();
    for text in [
        r#"[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"smuggled"}}]"#
            .to_owned(),
        r#"["smuggled"]"#.to_owned(),
        r#""smuggled""#.to_owned(),
        r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"smuggled"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"tools/call","params":{"name":"smuggled"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"ID":8,"method":"tools/call","params":{"name":"smuggled"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"smuggled"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":{"a":1},"method":"tools/call","params":{"name":"smuggled"}}"#
            .to_owned(),
        format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"ping","params":{{"a":"smuggled"}}}}"#,
            "x".repeat(257)
        ),
        format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"ping","params":{{"a":"smuggled"}}}}"#,
            "9".repeat(257)
        ),
    ] {
        all.push(hostile(text, -32600, false));
    }
    let long = "x".repeat(10_000_000);
    let long =
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"a":"smuggled{long}"}}}}"#);
    all.push(Hostile {
        has_id: None,
        ..hostile(long, -32600, false)
    });
    all
}

/// Another protocol; too deep.
fn odd_envelopes() -> Vec<Hostile> {
    let mut all = Vec::new();
    for text in [
        r#"{"jsonrpc":"1.0","id":7,"method":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"id":7,"method":"tools/call","params":{"name":"smuggled"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":["tools/call"],"params":{"name":"smuggled"}}"#
            .to_owned(),
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"smuggled":{}{}}}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        ),
    ] {
        all.push(hostile(text, -32600, true));
    }
    all
}

/// What is no JSON in UTF-8.
fn not_json() -> Vec<Hostile> {
    let mut all = Vec::new();
    let mut not_utf8 =
        br#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"smuggled":""#.to_vec();
    not_utf8.extend_from_slice(b"\xff\xc0\xaf\"}}");
    all.push(hostile(not_utf8, -32700, false));
    for text in [
        "smuggled",
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"smuggled":}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping"}{"smuggled":1}"#,
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"smuggled\"}",
    ] {
        all.push(hostile(text, -32700, false));
    }
    all
}

/// Methods that only look like the gated one, or are nobody's.
fn unknown_methods() -> Vec<Hostile> {
    let mut all = Vec::new();
    for method in [
        "Tools/Call",
        "TOOLS/CALL",
        r"tools/call\u0000",
        "toolſ/call",
        "smuggled/method",
        "tools/call ",
        "server/discover/smuggled",
    ] {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"{method}","params":{{"name":"smuggled"}}}}"#
        );
        all.push(hostile(text, -32601, true));
    }
    all
}

/// Tool calls that name no tool, or say in no usual way what it is given.
fn odd_calls() -> Vec<Hostile> {
    let mut all = Vec::new();
    for params in [
        r#"{"arguments":{"name":"smuggled"}}"#,
        r#"{"name":["smuggled"]}"#,
        r#"{"name":{"smuggled":1}}"#,
        r#"{"name":"note\u0000smuggled"}"#,
        r#"{"name":"note","arguments":["smuggled"]}"#,
        r#"{"name":"note","_meta":"smuggled"}"#,
        r#"["smuggled"]"#,
        r#""smuggled""#,
    ] {
        all.push(hostile(call(params), -32602, true));
    }
    all
}

/// What is refused, and by the rules of JSON-RPC gets no answer.
pub const UNANSWERED: &[&str] = &[
    // A call without an id would run as well as one with it.
    r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"smuggled"}}"#,
    r#"{"jsonrpc":"2.0","method":"TOOLS/CALL","params":{"name":"smuggled"}}"#,
    r#"{"jsonrpc":"2.0","method":"smuggled/notification"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"a":{"smuggled":1,"Smuggled":2}}}"#,
    // Answers to what nobody asked, or to two questions.
    r#"{"jsonrpc":"2.0","id":7,"result":{"smuggled":1}}"#,
    r#"{"jsonrpc":"2.0","id":7,"result":{"smuggled":1},"error":{"code":1,"message":"smuggled"}}"#,
];
