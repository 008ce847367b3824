//! What the tests of the relay stand on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::super::*;
use crate::message::Direction;
use crate::proxy::seam::{Gone, Line, Started, ToolCall, Verdict};

pub(super) type Queue<T> = (mpsc::UnboundedSender<T>, mpsc::UnboundedReceiver<T>);

/// How long anything may take that must happen.
const SOON: Duration = Duration::from_secs(10);

pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("in time")
}

/// A side that keeps what it is told.
pub(super) struct Side {
    told: mpsc::UnboundedSender<Bytes>,
    pub(super) is_gone: AtomicBool,
    pub(super) is_closed: AtomicBool,
    pub(super) forgotten: Mutex<Vec<Id>>,
}

/// What a side was told, in order.
pub(super) struct Told(pub(super) mpsc::UnboundedReceiver<Bytes>);

impl Told {
    pub(super) async fn next(&mut self) -> Value {
        let bytes = soon(self.0.recv()).await.expect("a message");
        serde_json::from_slice(&bytes).unwrap()
    }

    /// As it was said, byte for byte.
    pub(super) async fn raw(&mut self) -> String {
        let bytes = soon(self.0.recv()).await.expect("a message");
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Nothing more has come. Whatever should not come would have been said before what the test has
    /// seen already.
    pub(super) fn nothing(&mut self) {
        if let Ok(bytes) = self.0.try_recv() {
            panic!("told {}", String::from_utf8_lossy(&bytes));
        }
    }
}

impl Side {
    pub(super) fn new() -> (Arc<Self>, Told) {
        let (told, messages) = mpsc::unbounded_channel();
        let side = Self {
            told,
            is_gone: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            forgotten: Mutex::default(),
        };
        (Arc::new(side), Told(messages))
    }
}

impl Host for Side {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Gone);
        }
        self.told.send(message).map_err(|_| Gone)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

impl Server for Side {
    fn send(&self, message: Message) -> Later<'_, Result<(), Gone>> {
        Box::pin(async move { Host::tell(self, message.bytes().clone()) })
    }

    fn forget(&self, request: &Id) {
        self.forgotten.lock().unwrap().push(request.clone());
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

/// What the test tells the gate to do with a call.
pub(super) enum Order {
    Progress(&'static str),
    Ask(oneshot::Sender<Result<Message, Gone>>),
    Forward,
    Answer(&'static str),
    Panic,
}

/// A call that waits at the gate.
pub(super) struct AtGate {
    pub(super) call: Seen,
    orders: mpsc::UnboundedSender<Order>,
}

/// What the gate saw of it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) generation: Generation,
    pub(super) host_name: Option<String>,
    pub(super) elicits_url: bool,
}

impl AtGate {
    pub(super) fn order(&self, order: Order) {
        assert!(self.orders.send(order).is_ok(), "the gate let go of it");
    }

    /// The gate has let go of it.
    pub(super) async fn dropped(&self) {
        soon(self.orders.closed()).await;
    }
}

/// A gate that does as it is told.
pub(super) struct Gatekeeper {
    calls: mpsc::UnboundedSender<AtGate>,
    ends: mpsc::UnboundedSender<&'static str>,
    pub(super) changes: AtomicBool,
    pub(super) lists_panic: AtomicBool,
}

struct Ends(mpsc::UnboundedSender<&'static str>);

impl Started for Ends {
    fn answered(self: Box<Self>, answer: &Message) -> Bytes {
        let _ = self.0.send("answered");
        answer.bytes().clone()
    }
    fn lost(self: Box<Self>) {
        let _ = self.0.send("lost");
    }
    fn not_started(self: Box<Self>) {
        let _ = self.0.send("not started");
    }
}

impl Gate for Gatekeeper {
    fn call<'a>(&'a self, call: ToolCall, line: &'a dyn Line) -> Later<'a, Verdict> {
        Box::pin(async move {
            let (sender, mut orders) = mpsc::unbounded_channel();
            let seen = Seen {
                generation: call.generation,
                host_name: call.host_name,
                elicits_url: call.elicits_url,
            };
            let held = AtGate {
                call: seen,
                orders: sender,
            };
            assert!(self.calls.send(held).is_ok(), "the test does not look");
            loop {
                match orders.recv().await {
                    Some(Order::Progress(text)) => line.progress(text),
                    Some(Order::Ask(answer)) => {
                        let _ = answer.send(line.ask("tools/list", "{}".to_owned()).await);
                    }
                    Some(Order::Forward) => {
                        return Verdict::Forward {
                            message: call.request,
                            started: Box::new(Ends(self.ends.clone())),
                        };
                    }
                    Some(Order::Answer(text)) => return Verdict::Answer(text.into()),
                    Some(Order::Panic) => panic!("a bug of the gate's"),
                    None => std::future::pending().await,
                }
            }
        })
    }

    fn listed<'a>(&'a self, answer: &'a Message) -> Later<'a, Bytes> {
        Box::pin(async move {
            assert!(!self.lists_panic.load(Ordering::Relaxed), "a bug");
            String::from_utf8(answer.bytes().to_vec())
                .unwrap()
                .replace("hidden", "shown")
                .into()
        })
    }

    fn tools_changed(&self) {
        self.changes.store(true, Ordering::Relaxed);
    }
}

/// A relay and all around it.
pub(super) struct Rig {
    pub(super) relay: MessageRelay,
    pub(super) gate: Arc<Gatekeeper>,
    pub(super) calls: mpsc::UnboundedReceiver<AtGate>,
    pub(super) ends: mpsc::UnboundedReceiver<&'static str>,
    pub(super) server: Arc<Side>,
    pub(super) to_server: Told,
    pub(super) host: Arc<Side>,
    pub(super) to_host: Told,
}

impl Rig {
    pub(super) fn new(sharing: Sharing) -> Self {
        Self::with(sharing, |_| {})
    }

    pub(super) fn with(sharing: Sharing, set: impl FnOnce(&mut Settings)) -> Self {
        let (call_sender, calls): Queue<AtGate> = mpsc::unbounded_channel();
        let (end_sender, ends): Queue<&'static str> = mpsc::unbounded_channel();
        let gate = Arc::new(Gatekeeper {
            calls: call_sender,
            ends: end_sender,
            changes: AtomicBool::new(false),
            lists_panic: AtomicBool::new(false),
        });
        let (server, to_server) = Side::new();
        let (host, to_host) = Side::new();
        let mut settings = Settings::new(Arc::<Gatekeeper>::clone(&gate), &[]);
        set(&mut settings);
        let relay = MessageRelay::new(
            settings,
            sharing,
            Arc::<Side>::clone(&server),
            Arc::<Side>::clone(&host),
        );
        Self {
            relay,
            gate,
            calls,
            ends,
            server,
            to_server,
            host,
            to_host,
        }
    }

    /// The host says something, on the one stream or the standing one.
    pub(super) async fn host_says(&self, text: &str) {
        self.says_to(text, &self.host).await;
    }

    /// A host says something, and the answer goes to `reply`.
    pub(super) async fn says_to(&self, text: &str, reply: &Arc<Side>) {
        let message = Message::read(text.to_owned().into(), Direction::ToServer).unwrap();
        let reply: Arc<dyn Host> = Arc::<Side>::clone(reply);
        soon(self.relay.from_host(message, reply)).await;
    }

    pub(super) async fn server_says(&self, text: &str) {
        let message = Message::read(text.to_owned().into(), Direction::ToHost).unwrap();
        soon(self.relay.from_server(message, None)).await;
    }

    /// The next call at the gate.
    pub(super) async fn call(&mut self) -> AtGate {
        soon(self.calls.recv()).await.expect("a call at the gate")
    }

    /// How the next call ended that was let through.
    pub(super) async fn end(&mut self) -> &'static str {
        soon(self.ends.recv()).await.expect("an end")
    }

    pub(super) fn is_idle(&self) -> bool {
        self.relay.core.table().is_empty()
    }
}

/// A `tools/call` with a progress token.
pub(super) fn call(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","_meta":{{"progressToken":"p{id}"}}}}}}"#
    )
}
