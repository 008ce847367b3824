//! Messages that two readers could read in two ways, and whatever else might slip past the gate: each
//! is refused with its reason, the connection goes on, and the server saw nothing of it.

mod hostile;
mod hosts;
mod upstream;

use serde_json::{Value, json};

use hostile::{CANARY, UNANSWERED, answered, call};
use hosts::{Host, Listening, answer_of};
use upstream::Upstream;

/// The methods among these messages.
fn methods(saw: &[Value]) -> Vec<&str> {
    saw.iter()
        .map(|message| message["method"].as_str().unwrap())
        .collect()
}

#[test]
fn over_stdio_nothing_is_smuggled_and_the_connection_goes_on() {
    let upstream = Upstream::new();
    let mut host = Host::start(upstream.proxy(&[]));
    let mut pings = 0;
    for hostile in answered() {
        let answer = host.answer_to(&hostile.bytes);
        hostile.check(&answer.unwrap_or_default());
        pings += 1;
    }
    for text in UNANSWERED {
        assert_eq!(host.answer_to(text.as_bytes()), None, "{text}");
        pings += 1;
    }
    host.close();
    let saw = upstream.saw();
    let mut expected = vec!["initialize", "notifications/initialized"];
    expected.resize(2 + pings, "ping");
    assert_eq!(methods(&saw), expected);
}

#[test]
fn an_id_in_flight_is_not_taken_again() {
    let upstream = Upstream::new();
    let mut host = Host::start(upstream.proxy(&["--hold", "20s"]));
    // It waits for a person, and its id is taken meanwhile.
    host.say(call(r#"{"name":"note","arguments":{}}"#).as_bytes());
    for again in [
        call(r#"{"name":"smuggled"}"#),
        r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"smuggled"}}"#
            .to_owned(),
    ] {
        let answer = host.answer_to(again.as_bytes()).unwrap();
        assert_eq!(answer["error"]["code"], -32600, "{answer}");
    }
    host.close();
    let saw = upstream.saw();
    assert!(!methods(&saw).contains(&"tools/call"), "{saw:?}");
}

#[test]
fn what_a_server_forges_never_reaches_the_host() {
    let upstream = Upstream::new();
    let mut host = Host::start(upstream.proxy(&[]));
    for forged in [
        r#"{"jsonrpc":"2.0","id":7,"result":{"a":1},"result":{"forged":1}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"a":1},"error":{"code":1,"message":"forged"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"messages":[{"role":"user","role":"forged"}]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"a":1,"A":"forged"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"Messages":[],"messages":["forged"]}}"#,
        r#"{"jsonrpc":"2.0","id":7,"Result":{"forged":1}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"a\u0000":"forged"}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"_meta":{"Sernixa/Decision":"forged"}}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","MESSAGE":"forged"}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":"forged"}"#,
    ] {
        let asks = json!({
            "jsonrpc": "2.0", "id": 7, "method": "prompts/get", "params": {"name": forged},
        });
        let answer = host.answer_to(asks.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|| panic!("no answer for {forged}"));
        assert_eq!(answer["id"], 7, "{answer}");
        assert!(answer["error"]["code"].is_i64(), "{answer}");
        assert!(!answer.to_string().contains("forged"), "{answer}");
    }
    host.close();
}

#[test]
fn a_servers_own_request_is_refused_to_it_when_it_can_be_read_in_two_ways() {
    let upstream = Upstream::new();
    let mut host = Host::start(upstream.proxy(&[]));
    let forged = [
        r#"{"messages":[{"role":"user","Role":"forged"}]}"#,
        r#"{"messages":[],"metadata":{"a":[{"b\u0000":"forged"}]}}"#,
        r#"{"messages":[],"maxTokens":1,"MaxTokens":"forged"}"#,
        r#"{"messages":[],"metadata":{"a":1,"a":"forged"}}"#,
    ];
    for (at, params) in forged.iter().enumerate() {
        let forged = format!(
            r#"{{"jsonrpc":"2.0","id":"own {at}","method":"sampling/createMessage","params":{params}}}"#
        );
        let asks = json!({
            "jsonrpc": "2.0", "id": at, "method": "prompts/get", "params": {"name": forged},
        });
        assert_eq!(host.answer_to(asks.to_string().as_bytes()), None);
    }
    host.close();
    let saw = upstream.saw();
    let told: Vec<_> = saw.iter().filter(|said| said["method"].is_null()).collect();
    assert_eq!(told.len(), forged.len(), "{saw:?}");
    for (at, told) in told.iter().enumerate() {
        assert_eq!(told["id"], format!("own {at}"));
        assert_eq!(told["error"]["code"], -32600, "{told}");
        let text = told.to_string();
        assert!(!text.contains("forged"), "{text}");
    }
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;

/// A session over HTTP: its headers.
fn session(proxy: &Listening) -> [(&'static str, String); 2] {
    let hello = proxy.post(&[], HELLO.as_bytes()).expect(200);
    assert!(answer_of(&hello)["result"].is_object());
    let name = hello.header("mcp-session-id").unwrap().to_owned();
    [
        ("mcp-session-id", name),
        ("mcp-protocol-version", "2025-11-25".to_owned()),
    ]
}

#[test]
fn over_http_nothing_is_smuggled_and_the_session_goes_on() {
    let upstream = Upstream::new();
    let proxy = Listening::start(upstream.proxy(&["--listen", "127.0.0.1:0"]));
    let headers = session(&proxy);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let ping = || {
        let answer = answer_of(&proxy.post(&headers, PING.as_bytes()).expect(200));
        assert_eq!(answer["id"], "p", "the session goes on: {answer}");
    };
    let mut pings = 0;
    for mut hostile in answered() {
        let refused = proxy.post(&headers, &hostile.bytes);
        if refused.status == 413 {
            assert!(hostile.bytes.len() > 8 << 20);
            hostile.has_id = None;
        } else if hostile.code == -32601 {
            // Of a method that nobody knows the relay says so, as a server would.
            assert!([200, 400, 404].contains(&refused.status), "{refused:?}");
        } else {
            assert_eq!(refused.status, 400, "{refused:?}");
        }
        hostile.check(&answer_of(&refused));
        ping();
        pings += 1;
    }
    for text in UNANSWERED {
        let refused = proxy.post(&headers, text.as_bytes());
        // Taken and dropped (202), or refused.
        assert!([202, 400].contains(&refused.status), "{text}\n{refused:?}");
        assert!(!refused.body.contains(CANARY), "{refused:?}");
        ping();
        pings += 1;
    }
    proxy.end();
    let saw = upstream.saw();
    let mut expected = vec!["initialize"];
    expected.resize(1 + pings, "ping");
    assert_eq!(methods(&saw), expected);
}

#[test]
fn in_a_session_headers_and_body_say_the_same_or_nothing_passes() {
    let upstream = Upstream::new();
    let proxy = Listening::start(upstream.proxy(&["--listen", "127.0.0.1:0", "--hold", "0s"]));
    let session = session(&proxy);
    let smuggled = call(r#"{"name":"smuggled"}"#);
    let note =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"smuggled"}}"#;
    for (header, value, body) in [
        ("mcp-method", "ping", &*smuggled),
        ("mcp-name", "note", &*smuggled),
        ("mcp-method", "notifications/initialized", note),
    ] {
        let mut headers: Vec<(&str, &str)> = session.iter().map(|(n, v)| (*n, &**v)).collect();
        headers.push((header, value));
        let refused = proxy.post(&headers, body.as_bytes());
        assert_eq!(refused.status, 400, "{header} {refused:?}");
        assert_eq!(answer_of(&refused)["error"]["code"], -32020, "{refused:?}");
    }
    proxy.end();
    assert_eq!(methods(&upstream.saw()), ["initialize"]);
}

#[test]
fn a_body_of_several_lines_is_one_message_for_a_server_on_stdio() {
    let upstream = Upstream::new();
    let proxy = Listening::start(upstream.proxy(&["--listen", "127.0.0.1:0"]));
    let headers = session(&proxy);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    // On the server's input, each line would be a message: the second one a call that nobody saw.
    for line_break in ["\n", "\r", "\r\n"] {
        let body = [
            r#"{"jsonrpc":"2.0","id":2,"method":"ping","params":{"a":["#,
            r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"note"}}"#,
            "]}}",
        ]
        .join(line_break);
        let answer = answer_of(&proxy.post(&headers, body.as_bytes()).expect(200));
        assert_eq!(answer["id"], 2);
    }
    proxy.end();
    assert_eq!(
        methods(&upstream.saw()),
        ["initialize", "ping", "ping", "ping"]
    );
}

#[test]
fn without_sessions_headers_and_body_say_the_same_or_nothing_passes() {
    let upstream = Upstream::new();
    let proxy = Listening::start(upstream.proxy(&["--listen", "127.0.0.1:0", "--hold", "0s"]));
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"}}"#;
    let version = ("mcp-protocol-version", "2026-07-28");
    let call = |name: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{{name},{meta}}}}}"#)
    };
    for (headers, body, code) in [
        // The header names the harmless one.
        (
            &[version, ("mcp-method", "tools/call"), ("mcp-name", "note")][..],
            call(r#""name":"smuggled""#),
            -32020,
        ),
        (
            &[version, ("mcp-method", "ping"), ("mcp-name", "smuggled")],
            call(r#""name":"smuggled""#),
            -32020,
        ),
        (
            &[version, ("mcp-method", "tools/call")],
            call(r#""name":"smuggled""#),
            -32020,
        ),
        (
            &[
                version,
                ("mcp-method", "tools/call"),
                ("mcp-name", "note"),
                ("mcp-name", "smuggled"),
            ],
            call(r#""name":"smuggled""#),
            -32020,
        ),
        (
            &[
                ("mcp-protocol-version", "2025-11-25"),
                ("mcp-method", "tools/call"),
                ("mcp-name", "smuggled"),
            ],
            call(r#""name":"smuggled""#),
            -32020,
        ),
        // The headers are in order, the body is not.
        (
            &[version, ("mcp-method", "tools/call"), ("mcp-name", "note")],
            call(r#""name":"note","name":"smuggled""#),
            -32600,
        ),
        (
            &[version, ("mcp-method", "tools/call"), ("mcp-name", "note")],
            call(r#""name":"note","Name":"smuggled""#),
            -32600,
        ),
        (
            &[
                version,
                ("mcp-method", "tools/call"),
                ("mcp-name", "smuggled"),
            ],
            call(r#""nAme":"smuggled""#),
            -32600,
        ),
    ] {
        let refused = proxy.post(headers, body.as_bytes());
        assert_eq!(refused.status, 400, "{headers:?} {refused:?}");
        let answer = answer_of(&refused);
        assert_eq!(answer["error"]["code"], code, "{headers:?} {answer}");
        assert!(!answer.to_string().contains(CANARY), "{answer}");
    }
    // What is in order goes on being answered.
    let list = format!(r#"{{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{{{meta}}}}}"#);
    let headers = [version, ("mcp-method", "tools/list")];
    let listed = answer_of(&proxy.post(&headers, list.as_bytes()).expect(200));
    assert_eq!(listed["result"]["tools"][0]["name"], "note", "{listed}");
    proxy.end();
    let saw = upstream.saw();
    assert!(
        methods(&saw).iter().all(|method| *method == "tools/list"),
        "{saw:?}"
    );
}
