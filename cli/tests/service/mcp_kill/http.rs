//! Hosts over HTTP in front of a server over HTTP: sessions of 2025-11-25, and 2026-07-28, where the
//! server's own questions and a person's decision are under way in sealed states.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::upstream::{Upstream, reached};
use super::{CALLS, Moments, Service, captured, check};
use crate::support::listening::{Listening, answer_of};
use crate::support::mcp::Desk;
use crate::support::rounds;

const VERSION: &str = "2026-07-28";

/// How often a host comes back for a person's decision alone, and how often at all.
const PATIENCE: (u32, u32) = (1, 12);

/// What is called by which request. The third waits, see [`super::verdict`].
const TOOLS: [(u64, &str); 5] = [
    (1, "ask"),
    (2, "ask"),
    (3, "add_note"),
    (4, "add_note"),
    (CALLS + 1, "ask_gravely"),
];

/// A host that is connected.
struct Web<'a> {
    proxy: &'a Listening,
    /// The session; none in 2026-07-28.
    session: Option<String>,
}

impl<'a> Web<'a> {
    fn connect(proxy: &'a Listening, sessions: bool) -> Self {
        let client = json!({"name": "a test", "version": "1"});
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client,
        });
        let session = sessions.then(|| {
            let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
            let answer = proxy.post(&[], body.to_string().as_bytes()).expect(200);
            answer.header("mcp-session-id").unwrap().to_owned()
        });
        Self { proxy, session }
    }

    /// The answer to a request: there is one, unless the proxy has gone.
    fn ask(&self, id: u64, method: &str, mut params: Value) -> Option<Value> {
        let mut headers = Vec::new();
        if let Some(session) = &self.session {
            headers.push(("mcp-session-id", session.as_str()));
            headers.push(("mcp-protocol-version", "2025-11-25"));
        } else {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": VERSION,
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
            });
            headers.push(("mcp-protocol-version", VERSION));
            headers.push(("mcp-method", method));
        }
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        if self.session.is_none() && !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answer = match self.proxy.try_post(&headers, body.to_string().as_bytes()) {
            Ok(answer) => answer_of(&answer),
            Err(error) => {
                let silent = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
                assert!(!silent.contains(&error.kind()), "unanswered: {body}");
                return None;
            }
        };
        let answers = answer["result"].is_object() || answer["error"].is_object();
        assert!(answers && answer["id"] == id, "{body}: {answer}");
        Some(answer)
    }

    /// Calls a tool as hosts do: what a server asks is answered, and whoever is asked to come back
    /// does. What is left open when the proxy goes.
    fn call(&self, id: u64, mut params: Value) -> Result<Value, Value> {
        let (mut comes_back, asks) = PATIENCE;
        for _ in 0..asks {
            let Some(answer) = self.ask(id, "tools/call", params.clone()) else {
                return Err(params);
            };
            let result = &answer["result"];
            if result["resultType"] != "input_required" {
                return Ok(answer);
            }
            params["requestState"] = result["requestState"].clone();
            if result["inputRequests"]["who"].is_object() {
                params["inputResponses"] = json!({"who": {"action": "accept", "content": {}}});
            } else if comes_back == 0 {
                return Ok(answer);
            } else {
                comes_back -= 1;
                params.as_object_mut().unwrap().remove("inputResponses");
            }
        }
        panic!("round after round: {params}");
    }

    /// All calls at once, and a request beside them. What was left open by which.
    fn calls(&self, calls: Vec<(u64, Value)>) -> Vec<(u64, Value)> {
        std::thread::scope(|scope| {
            scope.spawn(|| self.ask(0, "tools/list", json!({})));
            let calls: Vec<_> = calls
                .into_iter()
                .map(|(id, params)| scope.spawn(move || (id, self.call(id, params))))
                .collect();
            let ended = calls.into_iter().map(|call| call.join().unwrap());
            ended
                .filter_map(|(id, ended)| Some((id, ended.err()?)))
                .collect()
        })
    }
}

fn all(round: usize) -> Vec<(u64, Value)> {
    let call = |(id, tool)| {
        let text = format!("round {round} call {id}");
        (id, json!({"name": tool, "arguments": {"text": text}}))
    };
    TOOLS.into_iter().map(call).collect()
}

/// A desk with another server.
struct Place {
    desk: Desk,
    journal: PathBuf,
}

impl Place {
    fn new() -> Self {
        let desk = Desk::new();
        let settings = "[mcp.servers.notes.tools.ask_gravely]\nrisk_level = \"high\"\n";
        std::fs::write(desk.path().join("sernixa.toml"), settings).unwrap();
        let journal = desk.path().join("journal");
        Self { desk, journal }
    }

    fn upstream(&self) -> Upstream {
        Upstream::start(&self.journal)
    }

    fn proxy(&self, upstream: &Upstream) -> Listening {
        let options = self.desk.options();
        Listening::start(captured(self.command(upstream, &options)))
    }

    fn command(&self, upstream: &Upstream, options: &[String]) -> std::process::Command {
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        options.extend(["--listen", "127.0.0.1:0"]);
        self.desk.command_to(&upstream.url, &options)
    }
}

#[test]
fn killing_a_listening_proxy_starts_nothing_unapproved_or_twice() {
    let place = Place::new();
    let _person = place.desk.person();
    let upstream = place.upstream();
    let mut moments = Moments(5);
    let (mut cut, rounds) = (0, rounds(4, 250));
    for round in 0..rounds {
        let sessions = round % 2 == 1;
        let mut proxy = place.proxy(&upstream);
        let host = Web::connect(&proxy, sessions);
        let process = proxy.id();
        let open = std::thread::scope(|scope| {
            let calls = scope.spawn(|| host.calls(all(round)));
            std::thread::sleep(moments.next(400));
            super::kill(process);
            calls.join().unwrap()
        });
        proxy.kill();
        cut += open.len();
        // Where another listens, the host asks again what it has no answer to, as far as it came.
        let proxy = place.proxy(&upstream);
        let open = Web::connect(&proxy, sessions).calls(open);
        assert!(open.is_empty(), "unanswered: {open:?}");
    }
    assert!(cut > 0, "nothing was under way when it was killed");
    drop(upstream);
    let reached = reached(&place.journal);
    assert!(
        reached.iter().any(|call| call.state.is_some()),
        "no server asked"
    );
    check(&reached, &place.desk.store(), rounds);
}

#[test]
fn killing_a_server_that_asks_itself_leaves_no_request_unanswered() {
    let place = Place::new();
    let _person = place.desk.person();
    let mut moments = Moments(6);
    let rounds = rounds(4, 250);
    for round in 0..rounds {
        let mut upstream = place.upstream();
        let proxy = place.proxy(&upstream);
        let host = Web::connect(&proxy, round % 2 == 1);
        let open = std::thread::scope(|scope| {
            let calls = scope.spawn(|| host.calls(all(round)));
            std::thread::sleep(moments.next(1_000));
            upstream.kill();
            calls.join().unwrap()
        });
        assert!(open.is_empty(), "unanswered: {open:?}");
        proxy.end();
    }
    check(&reached(&place.journal), &place.desk.store(), rounds);
}

#[test]
fn killing_the_service_while_a_server_asks_leaves_no_request_unanswered() {
    let place = Place::new();
    let mut service = Service::new();
    let upstream = place.upstream();
    let mut moments = Moments(7);
    let rounds = rounds(4, 250);
    for round in 0..rounds {
        let command = place.command(&upstream, &service.options());
        let proxy = Listening::start(service.asked_by(command));
        let host = Web::connect(&proxy, round % 2 == 1);
        let open = std::thread::scope(|scope| {
            let calls = scope.spawn(|| host.calls(all(round)));
            scope.spawn(|| service.decide());
            std::thread::sleep(moments.next(1_000));
            super::kill(service.serve.id());
            calls.join().unwrap()
        });
        assert!(open.is_empty(), "unanswered: {open:?}");
        service.kill();
        service.restart();
        proxy.end();
    }
    service.kill();
    check(&reached(&place.journal), &service.house.store(), rounds);
}
