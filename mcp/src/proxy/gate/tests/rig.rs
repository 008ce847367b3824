//! What the tests of the gate stand on.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use sernixa::embedded::engine::{ApprovalId, Decision, Moment, Principal, Timestamp};
use sernixa::embedded::{self, Engine, Record};
use sernixa::{ClientBuilder, Sleep};
use tempfile::TempDir;

use super::super::*;
use crate::message::Direction;
use crate::proxy::config::Config;
use crate::proxy::seam::{Generation, Gone, Started};

/// An engine, the state that all gates on it share, and what they are made of.
pub(super) struct Rig {
    pub(super) engine: Engine,
    pub(super) folder: Arc<TempDir>,
    pub(super) server: Arc<Server>,
    pub(super) hold: Duration,
    pub(super) console: Option<Url>,
    pub(super) config: String,
    pub(super) name: String,
    pub(super) capture: bool,
    clock: Clock,
}

/// A server, as far as the gate can see it.
pub(super) struct Server {
    /// The pages of its list; `None`: it does not answer.
    pub(super) pages: Mutex<Option<Vec<Value>>>,
    pub(super) asked: AtomicUsize,
    pub(super) told: Mutex<Vec<String>>,
}

impl Line for Server {
    fn progress(&self, message: &str) {
        self.told.lock().unwrap().push(message.to_owned());
    }

    fn ask<'a>(&'a self, method: &'a str, params: String) -> Later<'a, Result<Message, Gone>> {
        assert_eq!(method, "tools/list");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let params: Value = serde_json::from_str(&params).unwrap();
        let page = params["cursor"]
            .as_str()
            .map_or(0, |cursor| cursor.parse().unwrap());
        let pages = self.pages.lock().unwrap();
        let answer = pages.as_ref().map(|pages| {
            let next = (page + 1 < pages.len()).then(|| (page + 1).to_string());
            list(&pages[page], next.as_deref())
        });
        Box::pin(async move { answer.ok_or(Gone) })
    }
}

/// The system's clock; but where it hurries, time passes as soon as somebody waits for that.
#[derive(Clone, Debug)]
struct Clock {
    begin: Instant,
    skipped: Arc<Mutex<Duration>>,
    hurries: bool,
}

impl Clock {
    fn new() -> Self {
        Self {
            begin: Instant::now(),
            skipped: Arc::default(),
            hurries: false,
        }
    }
}

impl sernixa::Clock for Clock {
    fn unix_millis(&self) -> u64 {
        u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.begin.elapsed() + *self.skipped.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        if self.hurries {
            *self.skipped.lock().unwrap() += duration;
            return Box::pin(tokio::task::yield_now());
        }
        Box::pin(tokio::time::sleep(duration))
    }
}

/// An answer to `tools/list`.
pub(super) fn list(tools: &Value, next: Option<&str>) -> Message {
    let mut result = json!({ "tools": tools });
    if let Some(next) = next {
        result["nextCursor"] = next.into();
    }
    to_host(&json!({"jsonrpc": "2.0", "id": 1, "result": result}))
}

pub(super) fn to_host(message: &Value) -> Message {
    Message::read(message.to_string().into(), Direction::ToHost).unwrap()
}

/// A tool without annotations and output schema.
pub(super) fn tool(name: &str) -> Value {
    json!({"name": name, "description": "as it is", "inputSchema": {"type": "object"}})
}

impl Rig {
    /// A server with one tool, `write`.
    pub(super) fn new() -> Self {
        Self {
            engine: Engine::in_memory(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
            server: Arc::new(Server {
                pages: Mutex::new(Some(vec![json!([tool("write")])])),
                asked: AtomicUsize::new(0),
                told: Mutex::default(),
            }),
            hold: Duration::from_mins(1),
            console: None,
            config: String::new(),
            name: "files".to_owned(),
            capture: false,
            clock: Clock::new(),
        }
    }

    pub(super) fn config(mut self, config: &str) -> Self {
        self.config = config.to_owned();
        self
    }

    /// Holds calls so long; without a hold nobody decides while a call is held.
    pub(super) fn hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        if hold.is_zero() {
            return self.undecided();
        }
        self
    }

    /// Nobody decides while a call is held, so that no time need pass.
    pub(super) fn undecided(mut self) -> Self {
        self.clock.hurries = true;
        self
    }

    pub(super) fn tools(self, tools: Value) -> Self {
        *self.server.pages.lock().unwrap() = Some(vec![tools]);
        self
    }

    pub(super) fn state(&self) -> State {
        State::at(self.folder.path().join("mcp.db")).unwrap()
    }

    /// A gate in a process of its own, as far as that can be had here.
    pub(super) fn gate(&self) -> ToolGate {
        let state = self.state();
        let client = Client::builder()
            .environment(|_| None)
            .binding_key(state.binding_key())
            .clock(self.clock.clone())
            .capture_arguments(self.capture);
        let client = client
            .engine(self.engine.clone())
            .reviewer(|_: &Record| embedded::Decision::leave());
        self.gate_of(client.build().unwrap(), state)
    }

    pub(super) fn gate_with(&self, client: ClientBuilder) -> ToolGate {
        let state = self.state();
        let client = client
            .environment(|_| None)
            .binding_key(state.binding_key());
        self.gate_of(client.build().unwrap(), state)
    }

    pub(super) fn gate_of(&self, client: Client, state: State) -> ToolGate {
        let config = Config::parse(Path::new("sernixa.toml"), &self.config).unwrap();
        ToolGate::new(Settings {
            server: self.name.clone(),
            client,
            rules: config.server("files"),
            state,
            hold: self.hold,
            console: self.console.clone(),
            decide: "sernixa approvals approve".to_owned(),
            way_out: String::new(),
        })
    }

    pub(super) fn pending(&self) -> Vec<Record> {
        self.engine
            .pending(&Principal::local(), 100, &moment())
            .unwrap()
    }

    /// The one that waits.
    pub(super) fn waiting(&self) -> Record {
        let mut pending = self.pending();
        assert_eq!(pending.len(), 1, "one call waits");
        pending.remove(0)
    }

    pub(super) fn record(&self, id: ApprovalId) -> Record {
        self.engine
            .record(&Principal::local(), id, &moment())
            .unwrap()
    }

    pub(super) fn execution(&self, id: &str) -> &'static str {
        self.record(ApprovalId::parse(id).unwrap())
            .execution()
            .as_str()
    }

    /// How a call ended is reported behind its answer.
    pub(super) fn assert_ends(&self, id: &str, expected: &str) {
        let end = Instant::now() + Duration::from_secs(15);
        while self.execution(id) != expected {
            assert!(Instant::now() < end, "{}", self.execution(id));
            std::thread::yield_now();
        }
    }

    pub(super) fn decide(&self, id: ApprovalId, decision: Decision) {
        self.engine
            .decide(
                &Principal::local(),
                id,
                decision,
                "as the test says",
                &moment(),
            )
            .unwrap();
    }

    pub(super) fn approve(&self) -> String {
        let id = self.waiting().approval_id();
        self.decide(id, Decision::Approve);
        id.to_string()
    }

    /// Approves whatever is asked from now on.
    pub(super) fn approve_all(&self) -> Deciding {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let engine = self.engine.clone();
        let thread = std::thread::spawn(move || {
            let pause = Duration::from_millis(5);
            while stopped.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                for asked in engine.pending(&Principal::local(), 100, &moment()).unwrap() {
                    let id = asked.approval_id();
                    let why = "as the test says";
                    engine
                        .decide(&Principal::local(), id, Decision::Approve, why, &moment())
                        .unwrap();
                }
            }
        });
        Deciding(Some((stop, thread)))
    }

    /// Everything that was submitted, as records: metadata included.
    pub(super) fn metadata(&self, id: ApprovalId) -> Value {
        serde_json::from_str(self.record(id).metadata()).unwrap()
    }
}

/// Somebody decides until it is dropped.
pub(super) struct Deciding(Option<(std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>)>);

impl Drop for Deciding {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }
}

pub(super) fn moment() -> Moment {
    static NTH: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let millis = u64::try_from(now.as_millis()).unwrap();
    let mut seed = [9; 32];
    let nth = NTH.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    seed[..8].copy_from_slice(&nth);
    Moment::new(Timestamp::from_millis(millis), seed)
}

/// A `tools/call`.
pub(super) fn call(generation: Generation, params: &Value) -> ToolCall {
    let request = json!({"jsonrpc": "2.0", "id": "c-1", "method": "tools/call", "params": params});
    ToolCall {
        request: Message::read(request.to_string().into(), Direction::ToServer).unwrap(),
        generation,
        host_name: Some("host".to_owned()),
        elicits_url: false,
    }
}

pub(super) fn old(params: &Value) -> ToolCall {
    call(Generation::Sessions, params)
}

pub(super) fn new(params: &Value) -> ToolCall {
    call(Generation::Stateless, params)
}

/// A call of `write`.
pub(super) fn write() -> Value {
    json!({"name": "write", "arguments": {"path": "/srv/a", "text": "hunter2"}})
}

/// What the server would get.
pub(super) struct Forwarded {
    pub(super) message: Value,
    pub(super) started: Box<dyn Started>,
}

impl Forwarded {
    /// The server answers; what the host gets.
    pub(super) fn answer(self, result: &Value) -> Value {
        let answer = to_host(&json!({"jsonrpc": "2.0", "id": "c-1", "result": result}));
        serde_json::from_slice(&self.started.answered(&answer)).unwrap()
    }
}

pub(super) fn forwarded(verdict: Verdict) -> Forwarded {
    match verdict {
        Verdict::Forward { message, started } => Forwarded {
            message: serde_json::from_slice(message.bytes()).unwrap(),
            started,
        },
        Verdict::Answer(answer) => panic!("not forwarded: {answer:?}"),
    }
}

/// What the host is told; nothing was forwarded.
pub(super) fn answered(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Answer(answer) => {
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(
                (&answer["jsonrpc"], &answer["id"]),
                (&json!("2.0"), &json!("c-1"))
            );
            answer
        }
        Verdict::Forward { .. } => panic!("it was forwarded"),
    }
}

/// The decision of a refusal.
pub(super) fn decision(verdict: Verdict) -> Value {
    let answer = answered(verdict);
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Not run"), "{text}");
    answer["result"]["_meta"]["sernixa/decision"].clone()
}

pub(super) fn status(verdict: Verdict) -> String {
    decision(verdict)["status"].as_str().unwrap().to_owned()
}
