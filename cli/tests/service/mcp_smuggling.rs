//! Messages that two readers could read in two ways, and whatever else might slip past the gate: each
//! is refused with its reason, the connection goes on, and the server saw nothing of it.
//!
//! The server is this test: `sernixa mcp proxy` starts a shell that hands it every byte.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::http::{Answer, raw};
use crate::support::serve::sernixa;

const PATIENCE: Duration = Duration::from_secs(30);

/// What every hostile message holds, and the server must never see.
const CANARY: &str = "smuggled";

/// A server behind two pipes, which keeps every byte that it gets.
struct Upstream {
    folder: tempfile::TempDir,
    seen: Arc<Mutex<Vec<u8>>>,
    serves: Option<JoinHandle<()>>,
}

impl Upstream {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for pipe in ["to", "from"] {
            let made = Command::new("mkfifo")
                .arg(folder.path().join(pipe))
                .status();
            assert!(made.unwrap().success());
        }
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let serves = std::thread::spawn({
            let (to, from) = (folder.path().join("to"), folder.path().join("from"));
            let seen = Arc::clone(&seen);
            move || serve(&to, &from, &seen)
        });
        Self {
            folder,
            seen,
            serves: Some(serves),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The proxy in front of it.
    fn proxy(&self, options: &[&str]) -> Command {
        let path = self.path();
        let mut command = sernixa();
        command
            .args(["mcp", "proxy", "--server", "recorder", "--store"])
            .arg(path.join("agents.db"))
            .args(options)
            .args([
                "--",
                "sh",
                "-c",
                "cat \"$1/from\" & exec cat > \"$1/to\"",
                "sh",
            ])
            .arg(path)
            .env("HOME", path)
            .env_remove("XDG_STATE_HOME");
        command
    }

    /// The messages that it got, once it gets no more.
    #[track_caller]
    fn saw(mut self) -> Vec<Value> {
        self.serves.take().unwrap().join().unwrap();
        let seen = self.seen.lock().unwrap();
        let text = std::str::from_utf8(&seen).unwrap();
        assert!(!text.contains(CANARY), "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The methods among these messages.
fn methods(saw: &[Value]) -> Vec<&str> {
    saw.iter()
        .map(|message| message["method"].as_str().unwrap())
        .collect()
}

/// Answers like a server with one tool, until its input ends.
fn serve(to: &Path, from: &Path, seen: &Mutex<Vec<u8>>) {
    let mut input = BufReader::new(File::open(to).unwrap());
    let mut output = OpenOptions::new().write(true).open(from).unwrap();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).unwrap() > 0 {
        seen.lock().unwrap().extend_from_slice(&line);
        let message: Value = serde_json::from_slice(&line).unwrap_or_default();
        line.clear();
        if message["id"].is_null() {
            continue;
        }
        // It may be asked to answer with whatever text it is given.
        if message["method"] == "prompts/get" {
            let answer = message["params"]["name"].as_str().unwrap();
            let _ = writeln!(output, "{answer}");
            continue;
        }
        let result = match message["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "recorder", "version": "1"},
            }),
            Some("tools/list") => json!({"tools": [{
                "name": "note", "inputSchema": {"type": "object"},
                "annotations": {"destructiveHint": true},
            }]}),
            Some("tools/call") => json!({"content": [{"type": "text", "text": "noted"}]}),
            _ => json!({}),
        };
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        // A proxy that has gone reads no answer.
        if writeln!(output, "{answer}").is_err() {
            break;
        }
    }
}

/// A host that says what it likes, and hears the lines that come back.
struct Host {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    pings: u64,
}

impl Host {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = told.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut host = Self {
            input: child.stdin.take(),
            child,
            lines,
            pings: 0,
        };
        host.say(br#"{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#);
        assert_eq!(host.hear()["id"], "hello");
        host.say(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        host
    }

    fn say(&mut self, message: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(message).unwrap();
        input.write_all(b"\n").unwrap();
    }

    /// The next message, progress apart.
    #[track_caller]
    fn hear(&self) -> Value {
        loop {
            let message = self.lines.recv_timeout(PATIENCE).unwrap();
            if message["method"] != "notifications/progress" {
                return message;
            }
        }
    }

    /// What is answered before the server answers a ping: nothing, or one message.
    #[track_caller]
    fn answer_to(&mut self, hostile: &[u8]) -> Option<Value> {
        self.say(hostile);
        self.pings += 1;
        let ping = format!("ping {}", self.pings);
        self.say(
            json!({"jsonrpc": "2.0", "id": ping, "method": "ping"})
                .to_string()
                .as_bytes(),
        );
        let first = self.hear();
        if first["id"] == ping.as_str() {
            return None;
        }
        assert_eq!(self.hear()["id"], ping.as_str(), "the connection goes on");
        Some(first)
    }

    /// Closes its side, and waits for the proxy.
    fn close(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A hostile message, and the code of its refusal.
struct Hostile {
    bytes: Vec<u8>,
    code: i64,
    /// Whether its id, which is 7, can be told; of one that is too long it may be.
    has_id: Option<bool>,
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
    fn check(&self, answer: &Value) {
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

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#)
}

/// Every hostile message that gets an answer.
fn answered() -> Vec<Hostile> {
    let mut all = Vec::new();
    // A member twice, at every level.
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
    // A name that differs in case, by a letter that folds, or by U+0000: beside its twin, and alone.
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
    // What is not one object, and what has no id that counts.
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
    // Both question and answer; another protocol; too deep.
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
    // Methods that only look like the gated one, or are nobody's.
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
    // A tool call that names no tool, or two ways of saying what it is given.
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
const UNANSWERED: &[&str] = &[
    // A call without an id would run as well as one with it.
    r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"smuggled"}}"#,
    r#"{"jsonrpc":"2.0","method":"TOOLS/CALL","params":{"name":"smuggled"}}"#,
    r#"{"jsonrpc":"2.0","method":"smuggled/notification"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"a":{"smuggled":1,"Smuggled":2}}}"#,
    // Answers to what nobody asked, or to two questions.
    r#"{"jsonrpc":"2.0","id":7,"result":{"smuggled":1}}"#,
    r#"{"jsonrpc":"2.0","id":7,"result":{"smuggled":1},"error":{"code":1,"message":"smuggled"}}"#,
];

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

/// A proxy that hosts reach over HTTP.
struct Listening {
    child: Child,
    address: SocketAddr,
}

impl Listening {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            let address = line.strip_prefix("Hosts connect to http://")?;
            Some(address.strip_suffix("/mcp")?.parse().unwrap())
        });
        // What it says later goes somewhere, too.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self {
            child,
            address: address.unwrap(),
        }
    }

    fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        raw(self.address, &[request.as_bytes(), body].concat()).unwrap()
    }

    /// Ends it, and with it the servers that it started.
    fn end(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The message that answers, as JSON or as the last event of a stream.
#[track_caller]
fn answer_of(answer: &Answer) -> Value {
    if answer.header("content-type") == Some("application/json") {
        return answer.json();
    }
    let last = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str(data).ok())
        .next_back();
    last.unwrap_or_else(|| panic!("{answer:?}"))
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
