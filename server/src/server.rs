//! The server: from a configuration to a socket that answers, and to its end.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use sernixa_engine::Engine;
use sernixa_store::SqliteStore;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::app::{App, Shared};
use crate::closing::{Close, closing};
use crate::config::{Config, StoreAt, open_audit_key};
use crate::events::{self, Hub};
use crate::moments::Moments;
use crate::pool::Pool;
use crate::routes;
use crate::start::StartError;

/// A service that listens. [`Server::run`] makes it answer.
pub struct Server {
    app: App,
    close: Close,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the store and the socket. Connections queue from here on.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong and what to do about it.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        config
            .check()
            .map_err(|error| StartError::new(error.to_string()))?;
        let moments = Moments::new().map_err(|error| {
            StartError::new("the system gives no random numbers; check its random source")
                .caused_by(error)
        })?;
        let engine = open_engine(&config)?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            let message = format!(
                "cannot listen on {}: {error}; choose another address with --listen",
                config.listen
            );
            StartError::new(message).caused_by(error)
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::new("the socket has no address").caused_by(error))?;
        let (close, closing) = closing();
        let pool = Pool::new(config.limits.engine_calls, config.limits.engine_patience);
        let hub = Hub::start(engine.clone(), events::Limits::default(), None).map_err(|error| {
            StartError::new("the audit log cannot be followed; see the source of this error")
                .caused_by(error)
        })?;
        let app = Arc::new(Shared {
            config,
            engine,
            moments,
            pool,
            hub,
            closing,
        });
        Ok(Self {
            app,
            close,
            listener,
            address,
        })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` ends, then finishes what is in flight.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            app,
            close,
            listener,
            ..
        } = self;
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(app.config.limits.connections as usize));
        let router = routes::router(Arc::clone(&app));
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(app.config.limits.head_timeout)
            .half_close(true);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let connection = tokio::select! {
                () = &mut shutdown => break,
                connection = accept(&listener, &places) => connection,
            };
            let Some((stream, place)) = connection else {
                continue;
            };
            let service = TowerToHyperService::new(router.clone());
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                let _place = place;
                // A client that breaks off is no fault of the service.
                let _ = connection.await;
            });
        }
        drop(listener);
        close.now();
        app.hub.close();
        let patience = app.config.limits.shutdown;
        let ended = timeout(patience, async {
            graceful.shutdown().await;
            app.pool.drain().await;
        });
        if ended.await.is_err() {
            tracing::warn!("some requests did not end in time; they are cut off");
        }
    }
}

/// The engine on its store, with its keys.
fn open_engine(config: &Config) -> Result<Engine, StartError> {
    let mut builder = Engine::builder()
        .settings(config.settings.clone())
        .keyring(config.keyring.clone());
    if let StoreAt::File(path) = &config.store {
        let store = SqliteStore::open(path).map_err(|error| {
            StartError::new(format!("the store {} cannot be opened", path.display()))
                .caused_by(error)
        })?;
        builder = builder.store(store);
    }
    if let Some(path) = &config.audit_key {
        let (key, _) = open_audit_key(path).map_err(|error| StartError::new(error.to_string()))?;
        builder = builder.audit_key(key);
    }
    builder
        .build()
        .map_err(|error| StartError::new(error.to_string()))
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            // Out of files, for instance: give others time to close.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            None
        }
    }
}
