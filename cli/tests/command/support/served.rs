//! The real service as a process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Ask, sernixa};

/// The key of a local demonstration.
pub const KEY: &str = "e2e-admin";

/// A service on a file.
pub struct Served {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Served {
    /// Starts one, on any free port or on a certain one.
    pub fn start(store: &Path, port: &str) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let mut child = sernixa(&["serve", "--listen", &listen, "--store"])
            .arg(store)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, rest) = line.split_once("http://")?;
            Some(rest.split_whitespace().next().unwrap().to_owned())
        });
        let address = address.expect("it says where it listens");
        // Whoever reads nothing more would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }

    /// The command for this service.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sernixa(arguments);
        command
            .env("SERNIXA_BASE_URL", self.url())
            .env("SERNIXA_ACCESS_TOKEN", KEY);
        command
    }

    /// Something that waits for a decision; its id.
    pub fn ask(&self, ask: &Ask) -> String {
        let (status, body) = self.send("POST", "/api/actions/execute", &ask.body());
        assert_eq!(status, 202, "{body}");
        body["approval_id"].as_str().unwrap().to_owned()
    }

    /// A request and its answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\
             \r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// A stream of events that is open.
    pub fn listen(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(
            stream,
            "GET /api/approvals/events HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {KEY}\r\n\r\n"
        )
        .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        stream
    }

    /// Ends it in order, with SIGTERM.
    pub fn end(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
