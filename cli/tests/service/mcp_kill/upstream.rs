//! A server over HTTP that can be killed: what reached it is on disk before it does anything.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Reached;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/service/mcp_kill/upstream.py"
);

pub(super) struct Upstream {
    child: Child,
    pub(super) url: String,
}

impl Upstream {
    pub(super) fn start(journal: &Path) -> Self {
        let mut child = Command::new("python3")
            .arg(SCRIPT)
            .arg(journal)
            .stdout(Stdio::piped())
            // It complains of connections that end with a killed proxy.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}/mcp", port.trim());
        Self { child, url }
    }

    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What reached it, and others with this journal. A retry of `ask_gravely` counts as a call: each of
/// them is asked about.
pub(super) fn reached(journal: &Path) -> Vec<Reached> {
    let text = std::fs::read_to_string(journal).unwrap();
    let calls = text.lines().map(|line| {
        let call: Value = serde_json::from_str(line).unwrap();
        let state = call["state"].as_str().map(str::to_owned);
        let state = state.filter(|_| call["tool"] != "ask_gravely");
        let text = call["text"].as_str().unwrap().to_owned();
        Reached { text, state }
    });
    calls.collect()
}
