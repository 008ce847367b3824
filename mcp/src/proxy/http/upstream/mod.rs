//! An upstream server over streamable HTTP.
//!
//! Each message is a POST of its own. A request whose `_meta` names its version stands for itself
//! (2026-07-28 on): its headers are made from its body, and its stream is closed to cancel it. Any
//! other belongs to the session that `initialize` began.

mod address;
mod events;
mod exchange;
mod handed;
mod listen;
mod tools;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Body, Method, Request};
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use url::Url;

use super::JSON;
use super::headers::{METHOD, Mirrored, NAME, PROTOCOL_VERSION, SESSION, encode};
use crate::message::{Id, Kind, Message};
use crate::proxy::seam::{Gone, Later, Relay, Server};
pub(crate) use address::UpstreamOptions;
use exchange::Asked;
use handed::Handed;
use tools::Tools;

/// So long the next message waits for a notification to be taken.
const TAKEN: Duration = Duration::from_secs(2);
/// How long a message that gets no answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of a session may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// See the [module](self).
pub(crate) struct Upstream(Arc<Line>);

/// The sessions that are being ended: whoever ends the process waits for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Farewells(Arc<watch::Sender<usize>>);

impl Farewells {
    /// Done when none is being ended any more, which takes a few seconds at most.
    pub(crate) async fn all_said(&self) {
        // The sender is ours: it cannot be gone.
        let _ = self.0.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// What the tasks of one upstream share.
struct Line {
    client: reqwest::Client,
    url: Url,
    relay: OnceLock<Weak<dyn Relay>>,
    tools: Tools,
    farewells: Farewells,
    session: Mutex<Session>,
    /// The requests that wait for their answers.
    running: Mutex<HashMap<Id, Running>>,
    listening: Mutex<Option<AbortHandle>>,
}

/// A request that waits for its answer.
struct Running {
    task: AbortHandle,
    in_session: bool,
}

/// The session with the upstream.
#[derive(Default)]
struct Session {
    /// Both are known from the answer to `initialize` on; not every server gives an id.
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
    is_over: bool,
}

impl Upstream {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub(crate) fn new(
        options: &UpstreamOptions,
        farewells: &Farewells,
    ) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self(Arc::new(Line {
            client: options.client()?,
            url: options.url.clone(),
            relay: OnceLock::new(),
            tools: Tools::default(),
            farewells: farewells.clone(),
            session: Mutex::default(),
            running: Mutex::default(),
            listening: Mutex::default(),
        }))))
    }

    /// Where what comes from the upstream goes. Once, before the first message.
    pub(crate) fn attach(&self, relay: Weak<dyn Relay>) {
        let _ = self.0.relay.set(relay);
    }
}

impl Server for Upstream {
    fn send(&self, message: Message) -> Later<'_, Result<(), Gone>> {
        Box::pin(async move {
            let line = &self.0;
            if line.session().is_over {
                return Err(Gone);
            }
            match message.kind().clone() {
                Kind::Request { id, method } => line.ask(id, &method, message).await,
                Kind::Notification { method } => line.say(&message, &method).await,
                Kind::Answer { .. } => line.say(&message, "").await,
            }
        })
    }

    fn forget(&self, request: &Id) {
        self.0.forget(request);
    }

    fn close(&self) {
        self.0.close();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Line {
    fn relay(&self) -> Option<Arc<dyn Relay>> {
        self.relay.get()?.upgrade()
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Id, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listening(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request. Done as soon as the server may have it; the answer comes by itself.
    async fn ask(self: &Arc<Self>, id: Id, method: &str, message: Message) -> Result<(), Gone> {
        let mirrored = Mirrored::of(&message);
        let headers = match &mirrored.version {
            Some(_) => self.mirror(&message, &mirrored)?,
            None => self.session().headers(),
        };
        let asked = Asked {
            id: id.clone(),
            in_session: mirrored.version.is_none(),
            initializes: method == "initialize",
            lists_tools: method == "tools/list",
            is_handed: Arc::new(AtomicBool::new(false)),
        };
        let handed = Arc::clone(&asked.is_handed);
        let (body, told) = Handed::new(message.bytes().clone(), handed);
        let request = self.post(body, headers);
        {
            let mut running = self.running();
            let task = tokio::spawn(Arc::clone(self).run(request, asked));
            let running_now = Running {
                task: task.abort_handle(),
                in_session: mirrored.version.is_none(),
            };
            running.insert(id.clone(), running_now);
        }
        if told.await.is_err() {
            // Nothing of it arrived.
            self.running().remove(&id);
            return Err(Gone);
        }
        Ok(())
    }

    /// The headers of a request that stands for itself.
    fn mirror(&self, message: &Message, mirrored: &Mirrored) -> Result<HeaderMap, Gone> {
        let mut headers = HeaderMap::new();
        let version = mirrored.version.as_deref().and_then(encode);
        headers.extend(version.map(|version| (PROTOCOL_VERSION, version)));
        let method = message.method().and_then(encode);
        headers.extend(method.map(|method| (METHOD, method)));
        let name = mirrored.name.as_deref().and_then(encode);
        headers.extend(name.map(|name| (NAME, name)));
        if message.method() == Some("tools/call") {
            let params = self.tools.headers(message).map_err(|reason| {
                tracing::warn!(reason, "a tool cannot be called over HTTP");
                Gone
            })?;
            headers.extend(params);
        }
        Ok(headers)
    }

    /// Closes the stream of a request.
    fn forget(&self, request: &Id) {
        if let Some(running) = self.running().remove(request) {
            running.task.abort();
        }
    }

    /// The request that a cancellation names, where closing its stream is how it is cancelled.
    fn closes(&self, message: &Message) -> Option<Id> {
        let named = message.look(|root| Id::read(root.get("params")?.get("requestId")?));
        named.flatten().filter(|id| {
            let running = self.running();
            running.get(id).is_some_and(|running| !running.in_session)
        })
    }

    /// Sends a message that gets no answer. The next one waits for it, for a short while.
    async fn say(self: &Arc<Self>, message: &Message, method: &str) -> Result<(), Gone> {
        if method == "notifications/cancelled"
            && let Some(request) = self.closes(message)
        {
            self.forget(&request);
            return Ok(());
        }
        let headers = {
            let session = self.session();
            if session.version.is_none() {
                // Outside a session nothing is said without being asked.
                return Ok(());
            }
            session.headers()
        };
        let handed = Arc::default();
        let (body, told) = Handed::new(message.bytes().clone(), handed);
        let request = self.post(body, headers);
        let starts = method == "notifications/initialized";
        let (done, is_done) = oneshot::channel();
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let answer = timeout(PATIENCE, line.client.execute(request)).await;
            match answer {
                Ok(Ok(response)) if line.ended_with(&response) => line.session_lost(),
                Ok(Ok(response)) if response.status().is_success() => {
                    if starts {
                        line.listen();
                    }
                }
                Ok(Ok(response)) => {
                    let status = response.status().as_u16();
                    tracing::warn!(status, "the upstream did not take a notification");
                }
                Ok(Err(_)) | Err(_) => tracing::warn!("a notification may not have arrived"),
            }
            let _ = done.send(());
        });
        told.await.map_err(|_| Gone)?;
        let _ = timeout(TAKEN, is_done).await;
        Ok(())
    }

    /// Sends a message of the proxy's own, if it can.
    fn say_at_all(self: &Arc<Self>, text: String) {
        let (body, _) = Handed::new(Bytes::from(text), Arc::default());
        let request = self.post(body, self.session().headers());
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, line.client.execute(request)).await;
        });
    }

    fn post(&self, body: Handed, headers: HeaderMap) -> Request {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = headers;
        let json = HeaderValue::from_static(JSON);
        request.headers_mut().insert(CONTENT_TYPE, json);
        *request.body_mut() = Some(Body::wrap(body));
        request
    }

    /// Whether an answer says that the session has ended.
    fn ended_with(&self, response: &reqwest::Response) -> bool {
        response.status() == reqwest::StatusCode::NOT_FOUND && self.session().id.is_some()
    }

    fn session_lost(&self) {
        self.session().is_over = true;
        if let Some(relay) = self.relay() {
            relay.server_gone("the upstream server ended its session");
        }
    }

    /// Ends what runs, and the session.
    fn close(self: &Arc<Self>) {
        let headers = {
            let mut session = self.session();
            if std::mem::replace(&mut session.is_over, true) {
                return;
            }
            session.id.is_some().then(|| session.headers())
        };
        for (_, running) in self.running().drain() {
            running.task.abort();
        }
        if let Some(listening) = self.listening().take() {
            listening.abort();
        }
        // What ran is not heard of any more.
        if let Some(relay) = self.relay() {
            relay.server_gone("the session with the upstream server has ended");
        }
        let Some(headers) = headers else {
            return;
        };
        // Without a runtime the process ends, and the session ends by its own timeout.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let mut request = Request::new(Method::DELETE, self.url.clone());
            *request.headers_mut() = headers;
            let ending = self.client.execute(request);
            let farewells = self.farewells.clone();
            farewells.0.send_modify(|open| *open += 1);
            runtime.spawn(async move {
                let _ = timeout(FAREWELL, ending).await;
                farewells.0.send_modify(|open| *open -= 1);
            });
        }
    }
}

impl Session {
    /// The headers of a request that belongs to it.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.extend(self.id.clone().map(|id| (SESSION, id)));
        let version = self.version.clone();
        headers.extend(version.map(|version| (PROTOCOL_VERSION, version)));
        headers
    }
}
