//! The endpoint that hosts call: `POST`, `GET` and `DELETE` on `/mcp`.
//!
//! Each request says which generation it speaks: with a protocol version in its `_meta` it stands
//! for itself (2026-07-28 on); without one it belongs to a session, which `initialize` begins.

mod body;
mod guard;
mod post;
mod reply;
mod session;
mod stateless;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, sleep, timeout};

use super::super::seam::Connect;
use super::SESSION_VERSIONS;
use super::headers::{LAST_EVENT_ID, PROTOCOL_VERSION, SESSION, only};
use crate::message::Code;
pub(crate) use guard::Access;
use reply::No;
use session::{Session, Sessions};
use stateless::Shared;
use stream::Beginning;

/// The path of the endpoint.
pub(crate) const PATH: &str = "/mcp";

/// So often sessions that nobody uses are looked for.
const SWEEP: Duration = Duration::from_secs(15);
/// So long requests may take to end once the proxy is told to.
const FAREWELL: Duration = Duration::from_secs(5);

/// How much an endpoint takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Sessions at once; each may have a child process.
    pub(crate) sessions: usize,
    /// A session ends when nobody has called it for so long, and nobody reads a stream of it.
    pub(crate) idle: Duration,
    /// Connections at once; more wait.
    pub(crate) connections: usize,
    /// How long the head of a request may take, and its body.
    pub(crate) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 64,
            idle: Duration::from_mins(30),
            connections: 1024,
            patience: Duration::from_secs(30),
        }
    }
}

/// What an endpoint is made of.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
}

struct Endpoint {
    access: Access,
    limits: Limits,
    sessions: Sessions,
    shared: Shared,
}

/// Serves hosts until `shutdown` ends; then every session ends.
///
/// # Errors
/// When it must not listen there ([`Access::check`]).
pub(crate) async fn serve(
    listener: TcpListener,
    options: Options,
    connect: Arc<dyn Connect>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    options.access.check(address).map_err(io::Error::other)?;
    let endpoint = Arc::new(Endpoint {
        access: options.access,
        limits: options.limits,
        sessions: Sessions::new(Arc::clone(&connect), options.limits),
        shared: Shared::new(connect),
    });
    let router = Router::new()
        .route(PATH, post(post::post).get(get).delete(delete))
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(Arc::clone(&endpoint), admit))
        .with_state(Arc::clone(&endpoint));
    let connections = Connections::new(router, options.limits);
    let graceful = connections.take(listener, &endpoint, shutdown).await;
    endpoint.sessions.close();
    endpoint.shared.close().await;
    // Streams have ended with their sessions; whoever still reads slowly is not waited for.
    let _ = timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}

/// Lets in who may call.
async fn admit(State(endpoint): State<Arc<Endpoint>>, request: Request, next: Next) -> Response {
    let admitted = endpoint.access.admit(request.headers(), request.uri());
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(no) => no.into_response(),
    };
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn nothing() -> No {
    let reason = format!("the MCP endpoint is {PATH}");
    No::new(StatusCode::NOT_FOUND, Code::Invalid, reason)
}

async fn not_allowed() -> No {
    No::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::Invalid,
        "messages are sent with POST",
    )
}

/// A stream of what the server sends on its own account, or the rest of one that broke off.
async fn get(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Result<Response, No> {
    let session = endpoint.session(&headers)?;
    body::must_accept_events(&headers)?;
    let (reader, beginning) = match only(&headers, &LAST_EVENT_ID).map_err(No::bad)? {
        // It goes on where the last reader was; nothing of it is told twice.
        None => (session.streams.standing().read_on(), primed(&headers)),
        Some(id) => {
            let unknown = || No::bad("no stream of this session has that Last-Event-ID any more");
            let (number, place) = id
                .to_str()
                .ok()
                .and_then(stream::place)
                .ok_or_else(unknown)?;
            let stream = session.streams.find(number).ok_or_else(unknown)?;
            (stream.read(place), primed(&headers))
        }
    };
    Ok(reply::events(stream::body(beginning, reader, ())))
}

/// Ends a session.
async fn delete(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Result<Response, No> {
    endpoint.session(&headers)?;
    if let Ok(Some(id)) = only(&headers, &SESSION) {
        endpoint.sessions.end(id.to_str().unwrap_or_default());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whether the host of this request knows what an event without data is: since 2025-11-25.
fn primed(headers: &HeaderMap) -> Beginning {
    match headers.get(&PROTOCOL_VERSION) {
        Some(version) if version == "2025-11-25" => Beginning::Primed,
        _ => Beginning::Plain,
    }
}

impl Endpoint {
    /// The session that a request belongs to.
    fn session(&self, headers: &HeaderMap) -> Result<Arc<Session>, No> {
        let version = only(headers, &PROTOCOL_VERSION).map_err(No::bad)?;
        let is_known = version.is_none_or(|version| SESSION_VERSIONS.iter().any(|v| version == v));
        let Some(id) = only(headers, &SESSION).map_err(No::bad)? else {
            return Err(if is_known {
                No::bad("the header mcp-session-id is missing; `initialize` begins a session")
            } else {
                No::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    Code::Invalid,
                    "there are no sessions in this version; send a request with POST",
                )
            });
        };
        if !is_known {
            return Err(No::bad(format!(
                "sessions speak {}; the header {PROTOCOL_VERSION} names another version",
                SESSION_VERSIONS.join(", ")
            )));
        }
        let id = id.to_str().unwrap_or_default();
        self.sessions.find(id).ok_or_else(|| {
            let reason = "there is no such session, or it has ended; begin another one";
            No::new(StatusCode::NOT_FOUND, Code::Invalid, reason)
        })
    }
}

/// Takes connections and serves them.
struct Connections {
    router: Router,
    http: http1::Builder,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(router: Router, limits: Limits) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.patience)
            // A host that closes its side has gone: for 2026-07-28 that is a cancellation.
            .half_close(false);
        Self {
            router,
            http,
            places: Arc::new(Semaphore::new(limits.connections)),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Takes connections until `shutdown` ends, then closes the socket.
    async fn take(
        self,
        listener: TcpListener,
        endpoint: &Endpoint,
        shutdown: impl Future<Output = ()> + Send,
    ) -> GracefulShutdown {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut sweep = interval(SWEEP);
        loop {
            tokio::select! {
                () = &mut shutdown => return self.graceful,
                _ = sweep.tick() => endpoint.sessions.sweep(),
                taken = next(&listener, &self.places) => {
                    if let Some((stream, _, place)) = taken {
                        self.serve(stream, place);
                    }
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            // A host that breaks off is no fault of the proxy.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            // Out of files, for instance: others need time to close.
            sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
