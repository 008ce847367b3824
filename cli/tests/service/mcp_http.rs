//! The real proxy with hosts over HTTP: sessions with servers of their own, calls that a person decides,
//! and who may call at all.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use sernixa_engine::Decision;

use super::support::http::{self, Answer};
use super::support::mcp::{Desk, Person, told};
use super::support::until;

/// A proxy that serves hosts over HTTP.
struct Listening {
    child: Child,
    address: SocketAddr,
}

impl Listening {
    fn start(desk: &Desk, options: &[&str], environment: &[(&str, &str)]) -> Self {
        let embedded = desk.embedded();
        let mut all: Vec<&str> = embedded.iter().map(String::as_str).collect();
        all.extend(["--hold", "20s"]);
        all.extend(options);
        let mut child = desk
            .command(&all)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, url) = line.split_once("http://")?;
            url.strip_suffix("/mcp")
                .map(|address| address.parse().unwrap())
        });
        // Read on, so that nobody waits for room.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("it did not say where it listens");
        Self { child, address }
    }

    fn send(&self, method: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{method} /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             {headers}content-length: {length}\r\n\r\n{body}"
        );
        http::raw(self.address, request.as_bytes()).unwrap()
    }

    /// Begins a session and gives its id.
    fn session(&self) -> String {
        let client = json!({"name": "a test", "version": "1"});
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client,
        });
        let begun = self
            .send("POST", "", &request(0, "initialize", &params))
            .expect(200);
        let id = begun.header("mcp-session-id").unwrap().to_owned();
        let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.send("POST", &session(&id), &told.to_string())
            .expect(202);
        id
    }

    /// Calls a tool in a session.
    fn call(&self, id: &str, tool: &str, text: &str) -> Value {
        let params = json!({"name": tool, "arguments": {"text": text}});
        let stream = self.send("POST", &session(id), &request(1, "tools/call", &params));
        let stream = stream.expect(200);
        let last = stream.body.lines().rev();
        let mut data = last.filter_map(|line| line.strip_prefix("data: {"));
        let data = data.next().unwrap_or_else(|| panic!("{}", stream.body));
        serde_json::from_str(&format!("{{{data}")).unwrap()
    }

    /// The servers that it started.
    fn servers(&self) -> usize {
        let id = self.child.id();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let children = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        children.map(|ids| ids.split_whitespace().count()).sum()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(id: u32, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

fn session(id: &str) -> String {
    format!("mcp-session-id: {id}\r\nmcp-protocol-version: 2025-11-25\r\n")
}

#[test]
fn each_session_has_a_server_of_its_own_that_ends_with_it() {
    let desk = Desk::new();
    let proxy = Listening::start(&desk, &["--listen", "127.0.0.1:0"], &[]);
    let one = proxy.session();
    let other = proxy.session();
    assert_ne!(one, other);
    assert_eq!(proxy.servers(), 2);
    proxy.send("DELETE", &session(&one), "").expect(204);
    until("its server ends", || (proxy.servers() == 1).then_some(()));
    proxy
        .send("POST", &session(&one), &request(1, "ping", &json!({})))
        .expect(404);
    proxy
        .send("POST", &session(&other), &request(1, "ping", &json!({})))
        .expect(200);
}

#[test]
fn a_call_over_http_runs_once_a_person_approved_it_and_never_when_refused() {
    let desk = Desk::new();
    let proxy = Listening::start(
        &desk,
        &["--listen", "127.0.0.1:0"],
        &[("SERNIXA_CAPTURE_ARGUMENTS", "true")],
    );
    let _person = Person::start(&desk.store(), |text| {
        Some(if text.starts_with("good") {
            Decision::Approve
        } else {
            Decision::Reject
        })
    });
    let id = proxy.session();
    let (text, is_error) = told(&proxy.call(&id, "add_note", "good"));
    assert_eq!((text.as_str(), is_error), ("added: good", false));
    let (_, is_error) = told(&proxy.call(&id, "add_note", "bad"));
    assert!(is_error);
    assert_eq!(desk.notes(), ["good"]);
}

#[test]
fn beyond_this_machine_it_listens_with_a_token_and_a_name_alone() {
    let desk = Desk::new();
    let token = [("SERNIXA_LISTEN_TOKEN", "0123456789abcdef")];
    for (options, environment, missing) in [
        (&["--listen", "0.0.0.0:0"][..], &[][..], "token"),
        (&["--listen", "0.0.0.0:0"], &token[..], "allow"),
        (
            &["--listen", "0.0.0.0:0", "--allow-host", "a.example"],
            &[],
            "token",
        ),
        (
            &["--listen", "127.0.0.1:0"],
            &[("SERNIXA_LISTEN_TOKEN", "short")],
            "longer",
        ),
    ] {
        let output = desk
            .command(options)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(missing), "{said}");
    }
    let options = ["--listen", "0.0.0.0:0", "--allow-host", "a.example"];
    let mut proxy = Listening::start(&desk, &options, &token);
    proxy.address.set_ip([127, 0, 0, 1].into());
    let ping = request(1, "ping", &json!({}));
    proxy.send("POST", "", &ping).expect(401);
    proxy
        .send("POST", "authorization: Bearer 0123456789abcdeg\r\n", &ping)
        .expect(401);
    // Let in; there is no session.
    proxy
        .send("POST", "authorization: Bearer 0123456789abcdef\r\n", &ping)
        .expect(400);
    let named = |host: &str| {
        let request = format!(
            "DELETE /mcp HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             authorization: Bearer 0123456789abcdef\r\n\r\n"
        );
        http::raw(proxy.address, request.as_bytes()).unwrap().status
    };
    assert_eq!((named("a.example"), named("b.example")), (400, 403));
}
