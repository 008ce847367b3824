//! The hosts: over stdio and over HTTP, by hand.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

pub use crate::support::listening::{Listening, answer_of};

const PATIENCE: Duration = Duration::from_secs(30);

/// A host that says what it likes, and hears the lines that come back.
pub struct Host {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    pings: u64,
}

impl Host {
    pub fn start(mut command: Command) -> Self {
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

    pub fn say(&mut self, message: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(message).unwrap();
        input.write_all(b"\n").unwrap();
    }

    /// The next message, progress apart.
    #[track_caller]
    pub fn hear(&self) -> Value {
        loop {
            let message = self.lines.recv_timeout(PATIENCE).unwrap();
            if message["method"] != "notifications/progress" {
                return message;
            }
        }
    }

    /// What is answered before the server answers a ping: nothing, or one message.
    #[track_caller]
    pub fn answer_to(&mut self, hostile: &[u8]) -> Option<Value> {
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
    pub fn close(mut self) {
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
