//! A proxy that hosts reach over HTTP.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::http::{Answer, raw};
use super::until;

/// A proxy that hosts reach over HTTP.
pub struct Listening {
    child: Child,
    address: SocketAddr,
}

impl Listening {
    pub fn start(mut command: Command) -> Self {
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

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_post(headers, body).unwrap()
    }

    /// The whole answer to a message, or why there is none.
    pub fn try_post(&self, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let mut request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        raw(self.address, &[request.as_bytes(), body].concat())
    }

    /// `kill -9`. The servers that it started end by themselves.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it, and with it the servers that it started.
    pub fn end(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
        let ended = until("the proxy ends", || self.child.try_wait().unwrap());
        assert!(ended.success());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The message that answers, as JSON or as the last event of a stream.
#[track_caller]
pub fn answer_of(answer: &Answer) -> Value {
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
