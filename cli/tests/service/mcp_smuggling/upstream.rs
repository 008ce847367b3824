//! The server: this test, behind a shell that hands it every byte.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::hostile::CANARY;
use crate::support::serve::sernixa;

/// A server behind two pipes, which keeps every byte that it gets.
pub struct Upstream {
    folder: tempfile::TempDir,
    seen: Arc<Mutex<Vec<u8>>>,
    serves: Option<JoinHandle<()>>,
}

impl Upstream {
    pub fn new() -> Self {
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
    pub fn proxy(&self, options: &[&str]) -> Command {
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
    pub fn saw(mut self) -> Vec<Value> {
        self.serves.take().unwrap().join().unwrap();
        let seen = self.seen.lock().unwrap();
        let text = std::str::from_utf8(&seen).unwrap();
        assert!(!text.contains(CANARY), "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
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
        if message["id"].is_null() || message["method"].is_null() {
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
