//! Calls of 2026-07-28 that come back (Multi Round-Trip Requests), through the real command: for a
//! person's decision with a sealed state, and for a server that asks for input itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use sernixa_engine::Decision;

use crate::support::house::House;
use crate::support::mcp::{Host, Person, told};
use crate::support::serve::{Serve, sernixa};

/// A server of 2026-07-28: `note` does what it is told, the others ask first who is there. Each call
/// that arrives is a line of its journal.
const SERVER: &str = r#"
import json, sys
journal = open(sys.argv[1], "a", buffering=1)
TOOLS = [{"name": name, "description": "as it says", "inputSchema": {"type": "object"}}
         for name in ("note", "ask", "grave")]
ASKS = {"resultType": "input_required", "requestState": "theirs",
        "inputRequests": {"who": {"method": "elicitation/create", "params": {
            "mode": "form", "message": "who is there?", "requestedSchema": {"type": "object", "properties": {}}}}}}
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    params = message.get("params", {})
    result = {"resultType": "complete"}
    if message["method"] == "tools/list":
        result.update(tools=TOOLS, ttlMs=0, cacheScope="private")
    elif message["method"] == "tools/call":
        said = {key: params[key] for key in ("name", "requestState", "inputResponses") if key in params}
        journal.write(json.dumps(said) + "\n")
        result["content"] = [{"type": "text", "text": "done"}]
        if params["name"] != "note" and "inputResponses" not in params:
            result = ASKS
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

/// A folder with the server, its journal, the settings and the approvals.
struct Table {
    folder: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        let table = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(table.file("server.py"), SERVER).unwrap();
        let settings = "[mcp.servers.table.tools.grave]\nrisk_level = \"high\"\n";
        std::fs::write(table.file("sernixa.toml"), settings).unwrap();
        table
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A host on the embedded file.
    fn host(&self, options: &[&str]) -> Host {
        let store = self.file("agents.db");
        let mut all = vec!["--store", store.to_str().unwrap()];
        all.extend(options);
        self.host_with(&all, &[])
    }

    fn host_with(&self, options: &[&str], environment: &[(&str, &str)]) -> Host {
        let mut command = sernixa();
        command
            .args(["mcp", "proxy", "--server", "table", "--config"])
            .arg(self.file("sernixa.toml"))
            .args(options)
            .args(["--", "python3"])
            .args([self.file("server.py"), self.file("journal")])
            .env("HOME", self.folder.path())
            .env_remove("XDG_STATE_HOME")
            .envs(environment.iter().copied());
        Host::start(command)
    }

    /// Approves whatever is asked, and counts.
    fn person(&self) -> (Person, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let person = Person::start(&self.file("agents.db"), {
            let asked = Arc::clone(&asked);
            move |_| {
                asked.fetch_add(1, Ordering::Relaxed);
                Some(Decision::Approve)
            }
        });
        (person, asked)
    }

    fn approve(&self, id: &str) {
        let mut approve = sernixa();
        approve
            .args(["approvals", "approve", id, "--reason", "seen by a test"])
            .arg("--store")
            .arg(self.file("agents.db"));
        let decided = approve.output().unwrap();
        assert!(decided.status.success(), "{decided:?}");
    }

    /// The metadata of everything that was submitted, in order.
    fn submitted(&self) -> Vec<Value> {
        let store = rusqlite::Connection::open(self.file("agents.db")).unwrap();
        let query = "SELECT metadata FROM submissions ORDER BY approval";
        let mut statement = store.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        let rows = rows.unwrap().map(|row| row.unwrap());
        rows.map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    }

    /// The calls that reached the server.
    fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("journal")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The params of a call, of a host that opens URLs or does not.
fn call(tool: &str, opens_urls: bool) -> Value {
    let can = if opens_urls {
        json!({"elicitation": {"form": {}, "url": {}}})
    } else {
        json!({"elicitation": {"form": {}}})
    };
    json!({
        "name": tool,
        "arguments": {"text": "a"},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": can,
            "io.modelcontextprotocol/clientInfo": {"name": "a test", "version": "1"},
        },
    })
}

/// The same call, back with the state of an answer, and with answers.
fn back(call: &Value, answer: &Value, inputs: Option<Value>) -> Value {
    let mut call = call.clone();
    let state = &answer["result"]["requestState"];
    assert!(state.is_string(), "{answer}");
    call["requestState"] = state.clone();
    if let Some(inputs) = inputs {
        call["inputResponses"] = inputs;
    }
    call
}

fn ask(host: &mut Host, id: u64, params: &Value) -> Value {
    host.ask(id, "tools/call", params);
    host.answer(id).expect("the proxy lives")
}

#[track_caller]
fn is_refused_state(answer: &Value) {
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("requestState"), "{message}");
}

fn who() -> Value {
    json!({"who": {"action": "accept", "content": {"name": "Ada"}}})
}

#[test]
fn a_host_that_opens_urls_is_sent_to_the_console_and_comes_back_with_its_state() {
    let table = Table::new();
    let options = ["--hold", "0s", "--console", "https://console.example/"];
    let mut host = table.host(&options);
    let params = call("note", true);
    let answer = ask(&mut host, 1, &params);
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    let asked = &answer["result"]["inputRequests"]["sernixa_review"];
    assert_eq!(asked["method"], "elicitation/create");
    let url = asked["params"]["url"].as_str().unwrap();
    let id = url
        .strip_prefix("https://console.example/#/approvals/")
        .unwrap();
    assert!(table.journal().is_empty());
    table.approve(id);
    let accepted = json!({"sernixa_review": {"action": "accept"}});
    let again = back(&params, &answer, Some(accepted));
    // In another process than the one that gave it.
    assert!(host.close().success());
    let mut host = table.host(&options);
    assert_eq!(told(&ask(&mut host, 2, &again)), ("done".to_owned(), false));
    is_refused_state(&ask(&mut host, 3, &again));
    assert_eq!(table.journal(), [json!({"name": "note"})]);
}

#[test]
fn a_host_that_opens_none_comes_back_eight_times_and_is_then_told_to_call_again() {
    let table = Table::new();
    let options = ["--hold", "1s", "--console", "https://console.example/"];
    let mut host = table.host(&options);
    let params = call("note", false);
    let mut next = params.clone();
    for id in 1..=8 {
        let answer = ask(&mut host, id, &next);
        assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
        assert!(answer["result"].get("inputRequests").is_none(), "{answer}");
        next = back(&params, &answer, None);
    }
    let last = ask(&mut host, 9, &next);
    let decision = &last["result"]["_meta"]["sernixa/decision"];
    assert_eq!(decision["status"], "pending_review", "{last}");
    assert_eq!(last["result"]["resultType"], "complete");
    assert!(table.journal().is_empty());
    let ids: Vec<_> = table.submitted();
    assert_eq!(ids.len(), 1, "all were one approval");
    table.approve(decision["approval_id"].as_str().unwrap());
    let done = ask(&mut host, 10, &params);
    assert_eq!(told(&done), ("done".to_owned(), false));
    assert_eq!(table.journal(), [json!({"name": "note"})]);
}

#[test]
fn a_server_that_asks_is_answered_unasked_at_medium_and_after_another_question_at_high() {
    for (tool, questions) in [("ask", 1), ("grave", 2)] {
        let table = Table::new();
        // The first proxy makes the file on which the person decides.
        let mut host = table.host(&["--hold", "30s"]);
        let (person, asked) = table.person();
        let params = call(tool, false);
        let answer = ask(&mut host, 1, &params);
        assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
        assert!(answer["result"]["inputRequests"]["who"].is_object());
        let state = answer["result"]["requestState"].as_str().unwrap();
        assert!(!state.contains("theirs"));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        let again = back(&params, &answer, Some(who()));
        let done = ask(&mut host, 2, &again);
        assert_eq!(told(&done), ("done".to_owned(), false), "{tool}");
        assert_eq!(asked.load(Ordering::Relaxed), questions, "{tool}");
        is_refused_state(&ask(&mut host, 3, &again));
        drop(person);
        let expected = [
            json!({"name": tool}),
            json!({"name": tool, "requestState": "theirs", "inputResponses": who()}),
        ];
        assert_eq!(table.journal(), expected);
        let submitted = table.submitted();
        assert_eq!(submitted.len(), usize::try_from(questions).unwrap());
        // What was asked anew was bound to the answers, and did not show them.
        for (nth, metadata) in submitted.iter().enumerate() {
            assert_eq!(metadata.get("mcp_input_digest").is_some(), nth == 1);
            assert!(!metadata.to_string().contains("Ada"));
        }
    }
}

#[test]
fn a_state_of_one_service_and_credential_opens_at_no_other() {
    let table = Table::new();
    let houses = [House::production(), House::production()];
    let serves = houses.each_ref().map(House::serve);
    let ann = houses[0].key("agent", "ann", &[]);
    let bob = houses[0].key("agent", "bob", &[]);
    let eve = houses[1].key("agent", "eve", &[]);
    let urls = serves.each_ref().map(Serve::url);
    // All on the one state of this user.
    let start = |url: &str, key: &str| {
        let options = ["--hold", "0s", "--base-url", url];
        table.host_with(&options, &[("SERNIXA_ACCESS_TOKEN", key)])
    };
    let mut host = start(&urls[0], &ann);
    let params = call("ask", false);
    let waits = ask(&mut host, 1, &params);
    let id = waits["result"]["_meta"]["sernixa/decision"]["approval_id"].as_str();
    let reviewer = houses[0].key("reviewer", "rita", &[]);
    serves[0].caller(&reviewer).approve(id.unwrap());
    let answer = ask(&mut host, 2, &params);
    assert!(host.close().success());
    let again = back(&params, &answer, Some(who()));
    for (url, key) in [(&urls[1], &eve), (&urls[0], &bob), (&urls[1], &ann)] {
        let mut other = start(url, key);
        is_refused_state(&ask(&mut other, 1, &again));
        assert!(other.close().success());
    }
    assert_eq!(table.journal().len(), 1, "nothing more reached the server");
    let mut same = start(&urls[0], &ann);
    assert_eq!(told(&ask(&mut same, 1, &again)).0, "done");
    assert_eq!(table.journal().len(), 2);
}
