//! A proxy between a host and an upstream, all over real HTTP on loopback. The upstream says what the
//! test tells it to, request by request; the gate lets calls through, or holds them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use sse_stream::{Sse, SseByteStream};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::super::host::{Options, serve};
use super::super::upstream::{Farewells, Upstream, UpstreamOptions};
use crate::message::{Direction, Generation, Message};
use crate::proxy::relay::{MessageRelay, Settings, Sharing};
use crate::proxy::seam::{
    Connect, Gate, Gone, Host, Later, Line, Relay, Server, Started, ToolCall, Verdict,
};

/// Longer than anything here takes.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// Waits for what must come.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LONG, what).await.expect("it did not come in time")
}

/// What became of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Held,
    Detached,
    Answered,
    Lost,
    NotStarted,
}

/// Lets calls through; the ones of the tool `held` never.
pub(super) struct OpenGate {
    fates: mpsc::UnboundedSender<Fate>,
    tool: Option<Value>,
}

impl Gate for OpenGate {
    fn call<'a>(&'a self, call: ToolCall, _: &'a dyn Line) -> Later<'a, Verdict> {
        let fates = self.fates.clone();
        let name = call.request.look(|root| {
            let name = root.get("params")?.get("name")?;
            Some(name.as_str()?.into_owned())
        });
        Box::pin(async move {
            if name.flatten().as_deref() == Some("held") {
                let _detached = Detached(fates.clone());
                fates.send(Fate::Held).unwrap();
                std::future::pending::<()>().await;
            }
            let started = Box::new(Call(fates));
            Verdict::Forward {
                message: call.request,
                started,
            }
        })
    }

    fn listed<'a>(&'a self, answer: &'a Message) -> Later<'a, Bytes> {
        let answer = answer.bytes().clone();
        Box::pin(async move { answer })
    }

    fn tool<'a>(&'a self, _: &'a Message, _: &'a dyn Line) -> Later<'a, Option<Bytes>> {
        let tool = self.tool.as_ref().map(|tool| Bytes::from(tool.to_string()));
        Box::pin(async move { tool })
    }

    fn tools_changed(&self) {}
}

struct Detached(mpsc::UnboundedSender<Fate>);

impl Drop for Detached {
    fn drop(&mut self) {
        let _ = self.0.send(Fate::Detached);
    }
}

struct Call(mpsc::UnboundedSender<Fate>);

impl Started for Call {
    fn answered(self: Box<Self>, answer: &Message) -> Bytes {
        let _ = self.0.send(Fate::Answered);
        answer.bytes().clone()
    }

    fn lost(self: Box<Self>) {
        let _ = self.0.send(Fate::Lost);
    }

    fn not_started(self: Box<Self>) {
        let _ = self.0.send(Fate::NotStarted);
    }
}

/// A host on stdio, as far as the relay sees it: it keeps what it is told.
pub(super) struct Pipe(mpsc::UnboundedSender<Value>);

impl Pipe {
    pub(super) fn open() -> (Arc<dyn Host>, mpsc::UnboundedReceiver<Value>) {
        let (tell, told) = mpsc::unbounded_channel();
        (Arc::new(Self(tell)), told)
    }
}

impl Host for Pipe {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        let message = serde_json::from_slice(&message).unwrap();
        self.0.send(message).map_err(|_| Gone)
    }
}

/// A relay with one host in front of an upstream, as stdio hosts have it.
pub(super) async fn relay(upstream: &str, host: &Arc<dyn Host>) -> Arc<dyn Relay> {
    let (fates, _) = mpsc::unbounded_channel();
    let connect = ToUpstream {
        url: upstream.to_owned(),
        token: None,
        gate: Arc::new(OpenGate { fates, tool: None }),
        fails: Arc::default(),
        farewells: Farewells::default(),
    };
    let connected = connect.connect(Generation::Sessions, Arc::clone(host));
    connected.await.unwrap()
}

/// A message of a host's.
pub(super) fn read(message: &Value) -> Message {
    Message::read(Bytes::from(message.to_string()), Direction::ToServer).unwrap()
}

struct ToUpstream {
    url: String,
    token: Option<&'static str>,
    gate: Arc<OpenGate>,
    fails: Arc<AtomicBool>,
    farewells: Farewells,
}

impl Connect for ToUpstream {
    fn connect(
        &self,
        generation: Generation,
        standing: Arc<dyn Host>,
    ) -> Later<'_, Result<Arc<dyn Relay>, String>> {
        Box::pin(async move {
            if self.fails.load(Ordering::Relaxed) {
                return Err("the server does not start".to_owned());
            }
            let options = UpstreamOptions {
                url: self.url.parse().unwrap(),
                token: self.token.map(Into::into),
                headers: Vec::new(),
                allow_insecure: false,
            };
            let upstream = Upstream::new(&options, &self.farewells)?;
            let sharing = Sharing::of(generation);
            let gate = Arc::clone(&self.gate) as Arc<dyn Gate>;
            let settings = Settings::new(gate, &[]);
            let server = Arc::clone(&upstream) as Arc<dyn Server>;
            let relay: Arc<dyn Relay> =
                Arc::new(MessageRelay::new(settings, sharing, server, standing));
            upstream.attach(Arc::downgrade(&relay));
            Ok(relay)
        })
    }
}

/// A proxy, and what a host needs to call it.
pub(super) struct Proxy {
    pub(super) url: String,
    pub(super) http: reqwest::Client,
    pub(super) fates: mpsc::UnboundedReceiver<Fate>,
    pub(super) fails: Arc<AtomicBool>,
    pub(super) farewells: Farewells,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) done: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// How a proxy is made.
#[derive(Default)]
pub(super) struct Made {
    pub(super) options: Options,
    pub(super) tool: Option<Value>,
    pub(super) token: Option<&'static str>,
}

impl Proxy {
    /// In front of `upstream`.
    pub(super) async fn to(upstream: &str) -> Self {
        Self::made(upstream, Made::default()).await
    }

    pub(super) async fn made(upstream: &str, made: Made) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (fates, told) = mpsc::unbounded_channel();
        let gate = Arc::new(OpenGate {
            fates,
            tool: made.tool,
        });
        let fails = Arc::new(AtomicBool::new(false));
        let farewells = Farewells::default();
        let connect = Arc::new(ToUpstream {
            url: upstream.to_owned(),
            token: made.token,
            gate,
            fails: Arc::clone(&fails),
            farewells: farewells.clone(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(serve(listener, made.options, connect, async {
            let _ = stopped.await;
        }));
        Self {
            url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            fates: told,
            fails,
            farewells,
            stop: Some(stop),
            done,
        }
    }

    /// A POST with the usual headers of a session, and these.
    pub(super) fn post(&self, body: &Value, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }

    /// A request of 2026-07-28, with the headers that its body asks for.
    pub(super) fn modern(&self, body: &Value) -> reqwest::RequestBuilder {
        let method = body["method"].as_str().unwrap();
        let name = body["params"]["name"].as_str();
        let request = self.post(
            body,
            &[
                ("mcp-protocol-version", "2026-07-28"),
                ("mcp-method", method),
            ],
        );
        match name {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    pub(super) async fn fate(&mut self) -> Fate {
        soon(self.fates.recv()).await.unwrap()
    }

    /// Begins a session with an upstream that gives it the id `up` and offers no GET.
    pub(super) async fn session(&self, upstream: &mut Script) -> String {
        let asked = self.post(&initialize(), &[]).send();
        let (answer, ()) = tokio::join!(asked, async {
            let asked = upstream.next().await;
            assert_eq!(asked.body["method"], "initialize");
            asked.answer_with(&[("mcp-session-id", "up")], &initialized());
        });
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        let id = answer.headers()["mcp-session-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let headers = [
            ("mcp-session-id", &*id),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        let told = self.post(&told, &headers).send();
        let (told, ()) = tokio::join!(told, async {
            upstream.next().await.status(202);
        });
        assert_eq!(told.unwrap().status(), 202);
        id
    }

    /// A POST in a session.
    pub(super) fn in_session(&self, id: &str, body: &Value) -> reqwest::RequestBuilder {
        let headers = [
            ("mcp-session-id", id),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        self.post(body, &headers)
    }

    /// A GET in a session.
    pub(super) fn get(&self, id: &str, after: Option<&str>) -> reqwest::RequestBuilder {
        let request = self
            .http
            .get(&self.url)
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", id);
        match after {
            Some(after) => request.header("last-event-id", after),
            None => request,
        }
    }
}

/// The events of a host's stream.
pub(super) struct Stream(SseByteStream<std::pin::Pin<Box<dyn Chunks>>>);

pub(super) trait Chunks: futures_util::Stream<Item = reqwest::Result<Bytes>> + Send {}
impl<S: futures_util::Stream<Item = reqwest::Result<Bytes>> + Send> Chunks for S {}

impl Stream {
    pub(super) fn of(answer: reqwest::Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(SseByteStream::new(Box::pin(answer.bytes_stream())))
    }

    /// The next event, whatever it is; `None` at the end.
    pub(super) async fn event(&mut self) -> Option<Sse> {
        soon(self.0.next()).await.map(Result::unwrap)
    }

    /// The next event with a message, and its id.
    pub(super) async fn message(&mut self) -> Option<(Value, Option<String>)> {
        loop {
            let event = self.event().await?;
            let data = event.data.unwrap_or_default();
            if !data.is_empty() {
                return Some((serde_json::from_str(&data).unwrap(), event.id));
            }
        }
    }

    pub(super) async fn says(&mut self) -> Value {
        self.message().await.expect("the stream ended").0
    }
}

/// The answer of a POST, whether it came as JSON or as a stream.
pub(super) async fn answer(response: reqwest::Response) -> Value {
    if response.headers()["content-type"] == "application/json" {
        return serde_json::from_slice(&soon(response.bytes()).await.unwrap()).unwrap();
    }
    let mut stream = Stream::of(response);
    loop {
        let message = stream.says().await;
        if message.get("method").is_none() {
            return message;
        }
    }
}

/// An upstream that does what it is told.
pub(super) struct Script {
    pub(super) url: String,
    seen: mpsc::UnboundedReceiver<Seen>,
}

/// A request that the upstream got.
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    reply: oneshot::Sender<Response>,
}

impl Script {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/up", listener.local_addr().unwrap());
        let (tell, seen) = mpsc::unbounded_channel();
        let router = Router::new().fallback(take).with_state(tell);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// The next request; a GET is answered with 405, unless the test takes them itself.
    pub(super) async fn next(&mut self) -> Seen {
        loop {
            let seen = self.any().await;
            if seen.method == Method::GET {
                seen.status(405);
            } else {
                return seen;
            }
        }
    }

    pub(super) async fn any(&mut self) -> Seen {
        soon(self.seen.recv()).await.unwrap()
    }

    /// Whether no message has come so far.
    pub(super) fn saw_nothing(&mut self) -> bool {
        while let Ok(seen) = self.seen.try_recv() {
            if seen.method != Method::GET {
                return false;
            }
        }
        true
    }
}

async fn take(State(tell): State<mpsc::UnboundedSender<Seen>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let (reply, replied) = oneshot::channel();
    let seen = Seen {
        method: head.method,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        reply,
    };
    if tell.send(seen).is_err() {
        return Response::new(Body::empty());
    }
    // A test that drops a request leaves it without an answer for ever.
    match replied.await {
        Ok(response) => response,
        Err(_) => std::future::pending().await,
    }
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("there is no {name}"))
            .to_str()
            .unwrap()
    }

    pub(super) fn raw(self, status: u16, headers: &[(&str, &str)], body: impl Into<Body>) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        // The proxy may have gone.
        let _ = self.reply.send(response.body(body.into()).unwrap());
    }

    pub(super) fn status(self, status: u16) {
        self.raw(status, &[], Body::empty());
    }

    /// Answers with JSON, under this status.
    pub(super) fn json(self, status: StatusCode, body: &Value) {
        let headers = [("content-type", "application/json")];
        self.raw(status.as_u16(), &headers, body.to_string());
    }

    /// Answers with a result.
    pub(super) fn result(self, result: &Value) {
        self.answer_with(&[], result);
    }

    pub(super) fn answer_with(self, headers: &[(&str, &str)], result: &Value) {
        let body = json!({"jsonrpc": "2.0", "id": self.body["id"], "result": result});
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.raw(200, &all, body.to_string());
    }

    /// Answers with a stream of events.
    pub(super) fn events(self) -> Events {
        let (tell, told) = mpsc::unbounded_channel::<Bytes>();
        let told = Arc::new(Mutex::new(told));
        let body = futures_util::stream::poll_fn(move |context| {
            let next = told.lock().unwrap().poll_recv(context);
            next.map(|chunk| chunk.map(Ok::<_, std::io::Error>))
        });
        let body = Body::from_stream(body);
        self.raw(200, &[("content-type", "text/event-stream")], body);
        Events(tell)
    }
}

/// A stream that the upstream writes; dropped, it ends.
pub(super) struct Events(mpsc::UnboundedSender<Bytes>);

impl Events {
    pub(super) fn raw(&self, text: &str) {
        let _ = self.0.send(Bytes::copy_from_slice(text.as_bytes()));
    }

    pub(super) fn say(&self, message: &Value) {
        self.raw(&format!("data: {message}\n\n"));
    }

    /// When the proxy has closed it.
    pub(super) async fn closed(&self) {
        soon(self.0.closed()).await;
    }
}

pub(super) fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }})
}

pub(super) fn initialized() -> Value {
    json!({
        "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
        "serverInfo": {"name": "up", "version": "1"},
    })
}

/// A request of a session.
pub(super) fn request(id: u32, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// A request of 2026-07-28.
pub(super) fn modern(id: u32, method: &str, params: &Value) -> Value {
    let mut body = request(id, method, params);
    let meta = &mut body["params"]["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    body
}

pub(super) fn tool(id: u32, name: &str) -> Value {
    request(id, "tools/call", &json!({"name": name, "arguments": {}}))
}

pub(super) fn modern_tool(id: u32, name: &str) -> Value {
    modern(id, "tools/call", &json!({"name": name, "arguments": {}}))
}

/// The code of an error.
pub(super) fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_default()
}
