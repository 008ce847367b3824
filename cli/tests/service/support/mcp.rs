//! An MCP host of ours, line by line, with `sernixa mcp proxy` as its server; the notes server behind
//! it; and a person who decides on an embedded file.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sernixa_engine::{Decision, Engine, Moment, Principal, Settings, Timestamp};
use sernixa_store::SqliteStore;

use super::serve::sernixa;
use super::until;

/// The MCP server of the examples.
const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/mcp_notes_server.py"
);

/// Notes and approvals of one test.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // `read_notes` says that it only reads, and is believed.
        let settings = "[mcp.servers.notes]\ntrust_annotations = true\n";
        std::fs::write(folder.path().join("sernixa.toml"), settings).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> PathBuf {
        self.path().join("agents.db")
    }

    /// What the server was told to note, line by line: it counts what reached it.
    pub fn notes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path().join("notes.txt")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The arguments of `sernixa` that put the server behind the proxy, with these options.
    pub fn arguments(&self, options: &[&str]) -> Vec<String> {
        let mut arguments = self.head(options);
        arguments.extend(["--", "python3", SERVER].map(str::to_owned));
        arguments.push(text(&self.path().join("notes.txt")));
        arguments
    }

    fn head(&self, options: &[&str]) -> Vec<String> {
        let settings = self.path().join("sernixa.toml");
        let head = ["mcp", "proxy", "--server", "notes", "--config"];
        let mut arguments: Vec<String> = head.map(str::to_owned).into();
        arguments.push(text(&settings));
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        arguments
    }

    /// The proxy as a command that a host starts.
    pub fn command(&self, options: &[&str]) -> Command {
        self.starting(&self.arguments(options))
    }

    /// The same in front of a server over HTTP.
    pub fn command_to(&self, upstream: &str, options: &[&str]) -> Command {
        let mut arguments = self.head(options);
        arguments.extend(["--upstream", upstream].map(str::to_owned));
        self.starting(&arguments)
    }

    fn starting(&self, arguments: &[String]) -> Command {
        let mut command = sernixa();
        command.args(arguments).env("HOME", self.path());
        command.env_remove("XDG_STATE_HOME");
        command
    }

    /// The options of the embedded file.
    pub fn embedded(&self) -> [String; 2] {
        ["--store".to_owned(), text(&self.store())]
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A host with one proxy.
pub struct Host {
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Heard>,
    reader: Option<JoinHandle<()>>,
}

/// The answers so far, by id; and whether there will be more.
#[derive(Default)]
struct Heard {
    answers: Mutex<(HashMap<u64, Value>, bool)>,
    grown: Condvar,
}

impl Host {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let heard = Arc::new(Heard::default());
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn({
            let heard = Arc::clone(&heard);
            move || {
                for line in output.lines() {
                    let Ok(line) = line else { break };
                    // Whoever is killed may leave half a line.
                    let Ok(message) = serde_json::from_str::<Value>(&line) else {
                        break;
                    };
                    if let (Some(id), None) = (message["id"].as_u64(), message.get("method")) {
                        let again = heard.answers.lock().unwrap().0.insert(id, message);
                        assert!(again.is_none(), "answered twice: {again:?}");
                        heard.grown.notify_all();
                    }
                }
                heard.answers.lock().unwrap().1 = true;
                heard.grown.notify_all();
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            heard,
            reader: Some(reader),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The servers that the proxy started.
    pub fn servers(&self) -> Vec<u32> {
        let id = self.id();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task"));
        let children = tasks.into_iter().flatten().filter_map(|task| {
            let task = task.ok()?.path();
            std::fs::read_to_string(task.join("children")).ok()
        });
        let children: Vec<String> = children.collect();
        let ids = children.iter().flat_map(|ids| ids.split_whitespace());
        ids.map(|id| id.parse().unwrap()).collect()
    }

    /// Sends a message. A proxy that has gone does not read it.
    pub fn send(&mut self, message: &Value) {
        if let Some(input) = &mut self.input {
            let _ = writeln!(input, "{message}");
        }
    }

    pub fn ask(&mut self, id: u64, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    pub fn initialize(&mut self, id: u64) {
        let client = json!({"name": "a test", "version": "1"});
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client,
        });
        self.ask(id, "initialize", &params);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    pub fn call(&mut self, id: u64, tool: &str, arguments: &Value) {
        self.ask(
            id,
            "tools/call",
            &json!({"name": tool, "arguments": arguments}),
        );
    }

    /// The answer to a request; `None` if the proxy ends without one.
    pub fn answer(&self, id: u64) -> Option<Value> {
        let end = Instant::now() + Duration::from_secs(30);
        let mut heard = self.heard.answers.lock().unwrap();
        loop {
            if let Some(answer) = heard.0.get(&id) {
                return Some(answer.clone());
            }
            if heard.1 {
                return None;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "request {id} is not answered: {heard:?}");
            heard = self.heard.grown.wait_timeout(heard, left).unwrap().0;
        }
    }

    /// `kill -9` of the proxy.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Closes the proxy's input, as hosts do, and waits for its end.
    pub fn close(mut self) -> ExitStatus {
        drop(self.input.take());
        let status = until("the proxy ends with its host", || {
            self.child.try_wait().unwrap()
        });
        self.reader.take().unwrap().join().unwrap();
        status
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The text of a tool's answer, and whether it is an error.
pub fn told(answer: &Value) -> (String, bool) {
    if answer.get("error").is_some() {
        return (
            answer["error"]["message"].as_str().unwrap().to_owned(),
            true,
        );
    }
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str();
    let text = text.unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text, result["isError"] == true)
}

/// Decides on an embedded file what `decide` says of each arguments' text, until dropped.
pub struct Person {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Person {
    pub fn start(store: &Path, decide: impl Fn(&str) -> Option<Decision> + Send + 'static) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let store = SqliteStore::open(store).unwrap();
        let thread = std::thread::spawn({
            let done = Arc::clone(&done);
            move || {
                let engine = Engine::builder().store(store).settings(Settings::local());
                let engine = engine.build().unwrap();
                let person = Principal::local();
                while !done.load(Ordering::Relaxed) {
                    for record in engine.pending(&person, 100, &moment()).unwrap() {
                        if let Some(decision) = decide(&arguments(record.metadata())) {
                            let id = record.approval_id();
                            // It may have been withdrawn meanwhile.
                            let _ =
                                engine.decide(&person, id, decision, "seen by a test", &moment());
                        }
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        });
        Self {
            done,
            thread: Some(thread),
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            assert!(std::thread::panicking(), "the person panicked");
        }
    }
}

/// The captured text that is to be noted.
pub fn arguments(metadata: &str) -> String {
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    let arguments = &metadata["mcp_arguments"];
    arguments["text"].as_str().unwrap_or_default().to_owned()
}

fn moment() -> Moment {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&since.as_nanos().to_be_bytes());
    seed[16..20].copy_from_slice(&std::process::id().to_be_bytes());
    let unique = super::asked::unique();
    seed[20..32].copy_from_slice(&unique.as_bytes()[..12]);
    let millis = u64::try_from(since.as_millis()).unwrap();
    Moment::new(Timestamp::from_millis(millis), seed)
}
