//! Connections: taken while there is room, each with its limits, finished at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tower::Service as _;

use crate::app::App;
use crate::outer::Peer;
use crate::stall::Stall;

/// The most headers that are parsed at all. Fewer are taken; between the two there is an answer in
/// JSON, past this one the connection ends.
const HEADERS_PARSED: usize = 256;
/// The same for the bytes of a head.
const HEAD_PARSED: usize = 256 << 10;

/// Takes connections and serves them.
pub(crate) struct Connections {
    app: App,
    router: Router,
    http: http1::Builder,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    pub(crate) fn new(app: App, router: Router) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(app.config.limits.head_timeout)
            .max_headers(HEADERS_PARSED)
            .max_buf_size(HEAD_PARSED)
            // A client that closes its side has gone: its stream ends and gives its place back. What
            // the engine was asked runs to its end all the same.
            .half_close(false);
        Self {
            places: Arc::new(Semaphore::new(app.config.limits.connections as usize)),
            graceful: GracefulShutdown::new(),
            app,
            router,
            http,
        }
    }

    /// Takes connections until `shutdown` ends, then closes the socket.
    pub(crate) async fn take(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Self {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return self,
                taken = next(&listener, &self.places) => {
                    if let Some((stream, peer, place)) = taken {
                        self.serve(stream, peer, place);
                    }
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer.ip()));
            // A router is always ready.
            router.clone().call(request)
        });
        let stream = Stall::new(stream, self.app.config.limits.write_timeout);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        let app = Arc::clone(&self.app);
        app.metrics.connections.inc();
        tokio::spawn(async move {
            // A client that breaks off, or speaks something else, is no fault of the service.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            app.metrics.connections.dec();
            drop(place);
        });
    }

    /// Waits until every connection has ended; each ends after the answer it is at.
    pub(crate) async fn finish(self) {
        self.graceful.shutdown().await;
    }
}

/// The next connection, once there is a place for it. Others wait in the system's queue.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and wanted at once.
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
