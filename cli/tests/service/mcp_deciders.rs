//! The real proxy and whoever decides: policies that hide a tool, a service that resumes nothing, and
//! no service at all.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use sernixa_protocol::body_hash;

use super::support::house::House;
use super::support::mcp::{Desk, Host, told};
use super::support::serve::sernixa;

const HIDES: &str = "@id(\"nobody-deletes\")\n\
    forbid (principal, action == Sernixa::Action::\"request\", \
    resource == Sernixa::Tool::\"mcp.notes.delete_notes\");\n";
const DEFAULT_POLICY: &str = include_str!("../../../engine/src/cedar/default.cedar");

/// What holds of a tool that a policy forbids, whoever has the policy.
fn delete_notes_is_hidden_and_refused(desk: &Desk, command: Command) {
    fs::write(desk.path().join("notes.txt"), "kept\n").unwrap();
    let mut host = Host::start(command);
    host.initialize(0);
    host.ask(1, "tools/list", &json!({}));
    let listed = host.answer(1).unwrap();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["read_notes", "add_note"]);
    // Whoever knows the name is refused by the policy, which is on record.
    host.call(2, "delete_notes", &json!({}));
    let refused = host.answer(2).unwrap();
    let (text, is_error) = told(&refused);
    assert!(is_error, "{refused}");
    assert!(text.contains("a policy forbids this call"), "{text}");
    let decision = &refused["result"]["_meta"]["sernixa/decision"];
    assert_eq!(decision["status"], "blocked", "{refused}");
    host.call(3, "read_notes", &json!({}));
    assert_eq!(told(&host.answer(3).unwrap()), ("kept\n".to_owned(), false));
    assert!(host.close().success());
    assert_eq!(desk.notes(), ["kept"], "the server was not called");
}

/// The tool and the policy's name stand in the audit log that this command lists.
fn the_refusal_is_on_record(mut audit: Command) {
    let listed = audit.args(["audit", "list", "--json"]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(text.contains("mcp.notes.delete_notes"), "{text}");
    assert!(text.contains("nobody-deletes"), "{text}");
}

#[test]
fn a_tool_that_a_policy_forbids_is_not_shown_and_refused_when_it_is_called() {
    let desk = Desk::new();
    let policies = desk.path().join("policies");
    fs::create_dir(&policies).unwrap();
    fs::write(policies.join("default.cedar"), DEFAULT_POLICY).unwrap();
    fs::write(policies.join("hides.cedar"), HIDES).unwrap();
    let settings = desk.path().join("sernixa.toml");
    let own = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("policies = \"policies\"\n{own}")).unwrap();
    let embedded = desk.embedded();
    let embedded: Vec<&str> = embedded.iter().map(String::as_str).collect();
    delete_notes_is_hidden_and_refused(&desk, desk.command(&embedded));
    let mut audit = sernixa();
    audit.args(embedded);
    the_refusal_is_on_record(audit);
}

#[test]
fn a_tool_that_a_services_policy_forbids_is_not_shown_either() {
    let desk = Desk::new();
    let house = House::production();
    house.write_policy("hides.cedar", HIDES);
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let mut command = desk.command(&["--base-url", &serve.url()]);
    command.env("SERNIXA_ACCESS_TOKEN", agent);
    delete_notes_is_hidden_and_refused(&desk, command);
    let mut audit = sernixa();
    audit.args(["--base-url", &serve.url()]);
    audit.env("SERNIXA_ACCESS_TOKEN", house.key("auditor", "otto", &[]));
    the_refusal_is_on_record(audit);
}

/// A service by hand, with these capabilities, that lets everything wait for ever.
struct Scripted {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(capabilities: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (keeps, bound) = (Arc::clone(&seen), Arc::<OnceLock<String>>::default());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (keeps, bound) = (Arc::clone(&keeps), Arc::clone(&bound));
                std::thread::spawn(move || take(&stream, capabilities, &keeps, &bound));
            }
        });
        Self { address, seen }
    }

    /// How many requests came whose first line ends in this path.
    fn saw(&self, path: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|line| line.ends_with(path)).count()
    }
}

/// Answers one request; `bound` is what the one submission is bound to.
fn take(
    stream: &TcpStream,
    capabilities: &[&str],
    seen: &Mutex<Vec<String>>,
    bound: &OnceLock<String>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let asked = head.lines().next()?.strip_suffix(" HTTP/1.1")?;
    let asked = asked.split('?').next()?;
    seen.lock().unwrap().push(asked.to_owned());
    let (status, answer) = match asked {
        "GET /ready" => {
            let ready = json!({"status": "ready", "checks": {}, "capabilities": capabilities});
            (200, ready)
        }
        "POST /api/actions/execute" => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap();
            let metadata = body["metadata"].as_object().unwrap();
            let hash = body_hash(text("intent_id"), text("action_id"), metadata);
            bound.set(hash.clone()).unwrap();
            let answer = json!({
                "status": "pending_review", "approval_id": "apr-1", "body_hash": hash,
                "request_id": body["request_id"], "capabilities": capabilities,
                "claim_token": "token", "expires_at": "2999-01-01T00:00:00Z",
            });
            (202, answer)
        }
        "GET /api/approvals/apr-1" | "POST /api/approvals/apr-1/withdraw" => {
            let record = json!({
                "approval_id": "apr-1", "status": "pending_review", "body_hash": bound.get(),
            });
            (200, record)
        }
        // Nobody has decided.
        "POST /api/approvals/apr-1/claim" => {
            let detail = json!({"status": "pending_review", "reason": "not approved"});
            (409, json!({ "detail": detail }))
        }
        _ => (404, json!({"detail": "Not Found"})),
    };
    let answer = answer.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{answer}",
        answer.len()
    )
    .ok()
}

/// A proxy whose words for people are heard, too.
struct Spoken {
    child: Child,
    notes: BufReader<std::process::ChildStderr>,
}

impl Spoken {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let notes = BufReader::new(child.stderr.take().unwrap());
        Self { child, notes }
    }

    /// The first thing it says to people that holds this.
    fn says(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.notes.read_line(&mut line).unwrap() > 0,
                "nothing of {words}"
            );
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Calls `add_note`, and gives the result; it ends with that.
    fn calls(mut self) -> (Value, String) {
        let params = json!({"name": "add_note", "arguments": {"text": "never"}});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        writeln!(self.child.stdin.as_mut().unwrap(), "{call}").unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        let mut notes = String::new();
        self.notes.read_to_string(&mut notes).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        (answer["result"].clone(), notes)
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn that_a_service_resumes_nothing_is_said_at_the_start_and_a_held_call_ends_as_expired() {
    for (capabilities, withdrawals) in [
        (&["claim", "outcome", "withdraw"][..], 1),
        (&["claim", "outcome"], 0),
    ] {
        let service = Scripted::start(capabilities);
        let desk = Desk::new();
        let url = format!("http://{}", service.address);
        let mut proxy = Spoken::start(desk.command(&["--base-url", &url, "--hold", "1s"]));
        proxy.says("does not say that it resumes approvals");
        let (result, _) = proxy.calls();
        assert_eq!(result["isError"], true, "{result}");
        let decision = &result["_meta"]["sernixa/decision"];
        assert_eq!(decision["status"], "expired", "{result}");
        assert_eq!(desk.notes(), [""; 0], "the server was not called");
        assert_eq!(service.saw("/withdraw"), withdrawals, "{capabilities:?}");
    }
}

#[test]
fn of_a_service_that_resumes_nothing_of_it_is_said_and_a_held_call_waits_on() {
    let service = Scripted::start(&["claim", "outcome", "withdraw", "resume"]);
    let desk = Desk::new();
    let url = format!("http://{}", service.address);
    let proxy = Spoken::start(desk.command(&["--base-url", &url, "--hold", "1s"]));
    let (result, notes) = proxy.calls();
    let decision = &result["_meta"]["sernixa/decision"];
    assert_eq!(decision["status"], "pending_review", "{result}");
    assert!(!notes.contains("warning"), "{notes}");
    assert_eq!((service.saw("/ready"), service.saw("/withdraw")), (1, 0));
}

#[test]
fn without_a_service_the_host_is_told_both_ways_out() {
    let desk = Desk::new();
    // The port of `discard`: nobody is given it by chance.
    let nobody = "http://127.0.0.1:9";
    let mut command = desk.command(&[]);
    command.env("SERNIXA_BASE_URL", nobody);
    let mut proxy = Spoken::start(command);
    let said = proxy.says("does not answer");
    assert!(
        said.contains(nobody) && said.contains("--store"),
        "people are told, too: {said}"
    );
    let (result, _) = proxy.calls();
    assert_eq!(result["isError"], true, "{result}");
    let decision = &result["_meta"]["sernixa/decision"];
    assert_eq!(decision["status"], "unavailable", "{result}");
    let text = result["content"][0]["text"].as_str().unwrap();
    for way_out in [nobody, "sernixa serve", "--store FILE"] {
        assert!(text.contains(way_out), "{text}");
    }
    assert_eq!(desk.notes(), [""; 0], "the server was not called");
    // The key with which the same call is known again is the user's alone.
    let state = desk.path().join(".local/state/sernixa/mcp.db");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(state).unwrap());
    assert_eq!(mode & 0o777, 0o600);
}
