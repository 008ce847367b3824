//! What the tests stand on: a real store in a file, the real command, a terminal, odd services.

pub mod served;
pub mod stub;
pub mod terminal;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sernixa_engine::{
    ApprovalId, Decision, Engine, Moment, Principal, Record, Request, Settings, Timestamp,
};
use sernixa_store::SqliteStore;
use tempfile::TempDir;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An embedded engine on a file, as another process has it open.
pub struct House {
    folder: TempDir,
    pub engine: Engine,
}

impl House {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let engine = open(&folder.path().join("agents.db"));
        Self { folder, engine }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("agents.db")
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Something that waits for a decision; its id.
    pub fn ask(&self, ask: &Ask) -> String {
        self.ask_before(ask, Duration::ZERO)
    }

    /// The same, asked so long ago.
    pub fn ask_before(&self, ask: &Ask, ago: Duration) -> String {
        let request = Request::Submit { body: &ask.body() };
        let mut moment = moment();
        let millis = u64::try_from(ago.as_millis()).unwrap();
        moment.now = Timestamp::from_millis(moment.now.millis() - millis);
        let answer = self.engine.handle(&Principal::local(), request, &moment);
        assert_eq!(answer.status, 202, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        body["approval_id"].as_str().unwrap().to_owned()
    }

    pub fn decide(&self, id: &str, decision: Decision, reason: &str) {
        let id = ApprovalId::parse(id).unwrap();
        self.engine
            .decide(&Principal::local(), id, decision, reason, &moment())
            .unwrap();
    }

    pub fn record(&self, id: &str) -> Record {
        let id = ApprovalId::parse(id).unwrap();
        let auditor = Principal::new("local", "a-test").with(sernixa_engine::Role::Auditor);
        self.engine.record(&auditor, id, &moment()).unwrap()
    }

    /// The command on this file.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sernixa(arguments);
        command.arg("--store").arg(self.file());
        command
    }

    /// Runs the command on this file.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }
}

fn open(file: &Path) -> Engine {
    Engine::builder()
        .store(SqliteStore::open(file).unwrap())
        .settings(Settings::local())
        .build()
        .unwrap()
}

/// A submission.
pub struct Ask {
    pub intent: String,
    pub action: String,
    pub risk: &'static str,
    pub metadata: Value,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            intent: "billing-adjustment".to_owned(),
            action: "billing.adjust_invoice".to_owned(),
            risk: "high",
            metadata: json!({"summary": "adjust inv_1 by 1250 cents"}),
        }
    }
}

impl Ask {
    pub fn body(&self) -> String {
        let mut metadata = self.metadata.clone();
        let governance = json!({
            "risk_level": self.risk, "operation_class": "financial",
            "data_sensitivity": "financial", "systems_touched": ["stripe", "postgres"],
        });
        for (name, value) in governance.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        json!({"intent_id": self.intent, "action_id": self.action, "metadata": metadata})
            .to_string()
    }
}

/// Now, with randomness that no other test draws.
pub fn moment() -> Moment {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    seed[8..24].copy_from_slice(&since.as_nanos().to_be_bytes());
    seed[24..28].copy_from_slice(&std::process::id().to_be_bytes());
    let millis = u64::try_from(since.as_millis()).unwrap();
    Moment::new(Timestamp::from_millis(millis), seed)
}

/// The command, without anything of this process's environment that it would read.
pub fn sernixa(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sernixa"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("SERNIXA_") || name.ends_with("_PROXY") || name.ends_with("_proxy") {
            command.env_remove(&*name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The answer as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Nothing that a terminal would obey, and no line that hides.
    #[track_caller]
    pub fn safe(self) -> Self {
        for text in [&self.stdout, &self.stderr] {
            let odd = text
                .chars()
                .find(|c| *c != '\n' && sernixa_protocol::display::hides(*c));
            assert_eq!(odd, None, "{text:?}");
        }
        self
    }
}

#[track_caller]
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().expect("it was not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A command that runs on while the test goes on; killed when the test ends before it does.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line of its output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(
            line.ends_with('\n'),
            "it ended: {:?}",
            self.child.try_wait()
        );
        line.trim_end().to_owned()
    }

    /// The next line that is no part of its answer.
    #[track_caller]
    pub fn remark(&mut self) -> String {
        let stderr = self.child.stderr.as_mut().unwrap();
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            stderr.read_exact(&mut byte).expect("it goes on");
            line.extend(byte);
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Its end.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut stderr).unwrap();
        let code = status.code().expect("it was not killed");
        Ran {
            code,
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
