//! `sernixa mcp proxy` on stdio, as a process with a real server behind it.
//!
//! The server is a Python script that says each line it was given to a file, and does what the tests
//! need: it answers, is slow, goes away, or does not read.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::serve::sernixa;
use super::support::until;

mod ends;
mod load;

/// A server of few words. `tools/list` and `ping` are answered at once; `read` answers, `slow` waits for
/// a cancellation and answers then, `die` ends the process, `stuck` never answers.
const SERVER: &str = r#"
import json, sys, os
log = open(sys.argv[1], "a", buffering=1)
def say(message):
    sys.stdout.write(json.dumps(message) + "\n"); sys.stdout.flush()
slow = {}
tools = [{"name": name, "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
         for name in ("read", "slow", "die", "stuck", "steps")]
tools.append({"name": "write", "inputSchema": {"type": "object"}})
for line in sys.stdin:
    log.write(line)
    message = json.loads(line)
    method, id = message.get("method"), message.get("id")
    params = message.get("params") or {}
    if method == "notifications/cancelled":
        if params["requestId"] in slow:
            say({"jsonrpc": "2.0", "id": params["requestId"], "error": {"code": 0, "message": "cancelled"}})
    elif id is None or method is None:
        pass
    elif method == "initialize":
        say({"jsonrpc": "2.0", "id": id, "result": {"protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}}, "serverInfo": {"name": "few words", "version": "1"}}})
    elif method == "tools/list":
        say({"jsonrpc": "2.0", "id": id, "result": {"tools": tools}})
    elif method == "tools/call":
        name = params["name"]
        if name == "die":
            os._exit(3)
        elif name == "slow":
            slow[id] = True
            token = params.get("_meta", {}).get("progressToken")
            if token == "begun":
                say({"jsonrpc": "2.0", "method": "notifications/progress",
                     "params": {"progressToken": token, "progress": 0}})
        elif name == "steps":
            token = params["_meta"]["progressToken"]
            for step in range(3):
                say({"jsonrpc": "2.0", "method": "notifications/progress",
                     "params": {"progressToken": token, "progress": step}})
            say({"jsonrpc": "2.0", "id": id, "result": {"content": []}})
        elif name != "stuck":
            say({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": name}]}})
    else:
        say({"jsonrpc": "2.0", "id": id, "result": {}})
log.write("end of input\n")
"#;

/// A proxy with the server behind it, and the host in front.
struct Proxy {
    folder: tempfile::TempDir,
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<Value>,
    notes: Receiver<String>,
}

impl Proxy {
    fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("server.py");
        fs::write(&script, SERVER).unwrap();
        let log = folder.path().join("log");
        let server = ["python3".into(), script, log].map(PathBuf::into_os_string);
        Self::of(folder, options, &server)
    }

    fn of(folder: tempfile::TempDir, options: &[&str], server: &[std::ffi::OsString]) -> Self {
        let mut proxy = Self::bare(folder, options, server);
        let (sender, said) = channel();
        let output = BufReader::new(proxy.child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // stdout is the protocol's: every line is a message.
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        proxy.said = said;
        proxy
    }

    /// Without anybody who reads what it says to the host.
    fn bare(folder: tempfile::TempDir, options: &[&str], server: &[std::ffi::OsString]) -> Self {
        let mut child = Self::command(folder.path(), options, server)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, notes) = channel();
        let output = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            folder,
            input: child.stdin.take(),
            child,
            said: channel().1,
            notes,
        }
    }

    fn command(folder: &Path, options: &[&str], server: &[std::ffi::OsString]) -> Command {
        let config = folder.join("sernixa.toml");
        fs::write(&config, "[mcp.servers.few]\ntrust_annotations = true\n").unwrap();
        let mut command: Command = sernixa();
        command
            .args(["mcp", "proxy", "--server", "few", "--config"])
            .arg(&config)
            .arg("--store")
            .arg(folder.join("agents.db"))
            .args(options)
            .arg("--")
            .args(server)
            .env("HOME", folder);
        command
    }

    fn say(&mut self, text: &str) {
        writeln!(self.input.as_mut().unwrap(), "{text}").unwrap();
    }

    fn ask(&mut self, id: u64, method: &str, params: &Value) {
        self.say(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        );
    }

    fn call(&mut self, id: u64, tool: &str) {
        let params = json!({"name": tool, "arguments": {"n": id}, "_meta": {"progressToken": id}});
        self.ask(id, "tools/call", &params);
    }

    fn hear(&self) -> Value {
        self.said
            .recv_timeout(Duration::from_secs(30))
            .expect("a message in time")
    }

    /// What the server was given, line by line.
    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn approvals(&self) -> Vec<Value> {
        let output = sernixa()
            .args(["approvals", "list", "--json", "--store"])
            .arg(self.folder.path().join("agents.db"))
            .output()
            .unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let rows = list.get("approvals").unwrap_or(&list);
        rows.as_array().cloned().unwrap_or_default()
    }

    fn approve(&self) {
        let id = until("a call waits for a person", || {
            let id = self.approvals().first()?["approval_id"]
                .as_str()?
                .to_owned();
            Some(id)
        });
        let output = sernixa()
            .args(["approvals", "approve", &id, "--reason", "a test", "--store"])
            .arg(self.folder.path().join("agents.db"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Closes its input, and gives its exit code and what it said besides.
    fn close(mut self) -> (Option<i32>, Vec<Value>, Vec<String>) {
        drop(self.input.take());
        let status = until("the proxy ends", || self.child.try_wait().unwrap());
        (status.code(), self.said.iter().collect(), self.log())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn other_messages_pass_in_order_while_a_call_waits_for_a_person() {
    let mut proxy = Proxy::start(&[]);
    proxy.call(1, "write");
    for id in 2..50 {
        proxy.ask(
            id,
            if id % 2 == 0 {
                "ping"
            } else {
                "resources/list"
            },
            &json!({}),
        );
    }
    for id in 2..50 {
        let heard = loop {
            let heard = proxy.hear();
            if heard.get("id").is_some() {
                break heard;
            }
            assert_eq!(heard["method"], "notifications/progress");
            assert!(heard["params"]["progress"].as_f64().unwrap() < 0.0);
        };
        assert_eq!(heard["id"], id);
    }
    assert!(!proxy.log().iter().any(|line| line.contains("tools/call")));
    proxy.approve();
    let answer = loop {
        let heard = proxy.hear();
        if heard.get("id").is_some() {
            break heard;
        }
    };
    assert_eq!(answer["result"]["content"][0]["text"], "write");
    let (code, _, log) = proxy.close();
    assert_eq!(code, Some(0));
    let calls = log.iter().filter(|line| line.contains("tools/call"));
    assert_eq!(calls.count(), 1);
    assert_eq!(log.last().map(String::as_str), Some("end of input"));
}

#[test]
fn the_servers_own_progress_passes_and_overlong_and_odd_messages_do_not() {
    let mut proxy = Proxy::start(&[]);
    proxy.call(1, "steps");
    for step in 0..3 {
        let heard = proxy.hear();
        assert_eq!(
            (
                &heard["params"]["progress"],
                &heard["params"]["progressToken"]
            ),
            (&step.into(), &1.into())
        );
    }
    assert_eq!(proxy.hear()["id"], 1);
    let before = proxy.log().len();
    let overlong = format!(
        r#"{{"jsonrpc":"2.0","method":"ping","params":{{"x":"{}"}},"id":5}}"#,
        "y".repeat(10 << 20)
    );
    proxy.say(&overlong);
    let refused = proxy.hear();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&5.into(), &(-32600).into())
    );
    proxy.say("[]");
    assert_eq!(proxy.hear()["error"]["code"], -32600);
    proxy.ask(6, "vendor/method", &json!({}));
    assert_eq!(proxy.hear()["error"]["code"], -32601);
    // The id of a call that runs is taken.
    proxy.call(7, "stuck");
    until("the call arrives", || {
        (proxy.log().len() > before).then_some(())
    });
    proxy.call(7, "read");
    assert_eq!(proxy.hear()["error"]["code"], -32600);
    let (_, _, lines) = proxy.close();
    assert_eq!(lines.len(), before + 2, "{lines:?}");
}

#[test]
fn a_cancelled_held_call_never_reaches_the_server_and_a_running_one_hears_of_it() {
    let mut proxy = Proxy::start(&[]);
    proxy.call(1, "write");
    until("a call waits", || {
        (!proxy.approvals().is_empty()).then_some(())
    });
    let cancel = |id: u64| {
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
            .to_string()
    };
    proxy.say(&cancel(1));
    proxy.call(2, "slow");
    until("the call arrives", || {
        proxy
            .log()
            .iter()
            .any(|line| line.contains("slow"))
            .then_some(())
    });
    proxy.say(&cancel(2));
    let answer = loop {
        let heard = proxy.hear();
        if heard.get("id").is_some() {
            break heard;
        }
    };
    assert_eq!(
        (&answer["id"], &answer["error"]["message"]),
        (&2.into(), &"cancelled".into())
    );
    // The approval of the first stays for the next identical call.
    proxy.approve();
    proxy.ask(
        3,
        "tools/call",
        &json!({"name": "write", "arguments": {"n": 1}}),
    );
    assert_eq!(proxy.hear()["result"]["content"][0]["text"], "write");
    let (_, _, log) = proxy.close();
    let cancelled: Vec<_> = log
        .iter()
        .filter(|line| line.contains("notifications/cancelled"))
        .collect();
    assert_eq!(cancelled.len(), 1, "{log:?}");
    assert!(cancelled[0].contains("\"requestId\":2"));
}

#[test]
fn when_the_server_dies_every_request_is_answered_and_the_proxy_ends() {
    let mut proxy = Proxy::start(&[]);
    proxy.call(1, "write");
    until("a call waits", || {
        (!proxy.approvals().is_empty()).then_some(())
    });
    proxy.call(2, "stuck");
    until("the call arrives", || {
        let log = proxy.log();
        log.iter().any(|line| line.contains("stuck")).then_some(())
    });
    proxy.call(3, "die");
    let mut answered = Vec::new();
    while answered.len() < 3 {
        let heard = proxy.hear();
        if let Some(id) = heard.get("id") {
            let message = heard["error"]["message"].as_str().unwrap();
            assert!(
                message.contains("the MCP server ended (exit status: 3)"),
                "{message}"
            );
            answered.push(id.as_u64().unwrap());
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
    let status = until("the proxy ends", || proxy.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let notes: Vec<String> = proxy.notes.iter().collect();
    assert!(
        notes.iter().any(|note| note.contains("has ended")),
        "{notes:?}"
    );
    // Whether the two did anything cannot be known, and the record says so.
    let output = sernixa()
        .args(["audit", "list", "--json", "--store"])
        .arg(proxy.folder.path().join("agents.db"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let unknown = text.matches(r#"\"outcome\":\"outcome_unknown\""#).count();
    assert_eq!(unknown, 2, "{text}");
}

#[test]
fn children_end_with_the_proxy_even_those_that_do_not_want_to() {
    // A shell that starts a child of its own; both ignore the end of input and being told to end.
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!(
        "trap '' TERM HUP; (trap '' TERM HUP; while :; do sleep 1; done) & echo $$ $! > {0}.new; mv {0}.new {0}; while :; do sleep 1; done",
        pids.display()
    );
    let server = ["sh", "-c", &script].map(Into::into);
    let proxy = Proxy::of(folder, &[], &server);
    let text = until("the server runs", || fs::read_to_string(&pids).ok());
    let pids: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(pids.len(), 2);
    let before = Instant::now();
    let (code, ..) = proxy.close();
    assert_eq!(code, Some(0));
    assert!(
        before.elapsed() < Duration::from_secs(15),
        "{:?}",
        before.elapsed()
    );
    for pid in pids {
        let gone = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // Killed, and not yet waited for by whoever inherits it.
            (state.is_empty() || state.contains(") Z ")).then_some(())
        };
        until("a process of the server's is gone", gone);
    }
}

#[test]
fn a_command_that_cannot_be_run_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = ["/nowhere/server".into()];
    let mut proxy = Proxy::of(folder, &[], &server);
    let status = until("the proxy ends", || proxy.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(2));
    let notes: Vec<String> = proxy.notes.iter().collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("could not be started")),
        "{notes:?}"
    );
}
