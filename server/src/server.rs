//! The server: from a configuration to a socket that answers, and to its end.

use std::net::SocketAddr;
use std::sync::Arc;

use sernixa_engine::cedar::{PolicySet, Sources};
use sernixa_engine::{Engine, Events, Settings, Store as _};
use sernixa_store::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::app::{App, Shared};
use crate::closing::{Close, Closing, closing};
use crate::config::{Config, StoreAt, check_private, open_audit_key};
use crate::connections::Connections;
use crate::events::{self, Hub};
use crate::health::Health;
use crate::local::{UTC, open_policies};
use crate::metrics::Metrics;
use crate::moments::Moments;
use crate::pool::Pool;
use crate::rates::Rates;
use crate::start::StartError;
use crate::webhook;
use crate::{Mode, background, banner, routes};

/// How many bundles are verified at once: each may be 64 MiB.
const BUNDLES_AT_ONCE: usize = 2;

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
        config.check()?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            let message = format!(
                "cannot listen on {}; choose another address with --listen",
                config.listen
            );
            StartError::new(message).caused_by(error)
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::new("the socket has no address").caused_by(error))?;
        let (close, closing) = closing();
        // Opening the store may wait for its disk, and for another process.
        let app = tokio::task::spawn_blocking(move || open(config, closing))
            .await
            .map_err(|error| StartError::new("the service failed inside").caused_by(error))??;
        banner::tell(&app, address);
        Ok(Self {
            app: Arc::new(app),
            close,
            listener,
            address,
        })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` ends, then takes no more, finishes what is in flight, ends the
    /// streams and signs the audit: within [`Limits::shutdown`](crate::Limits::shutdown).
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            app,
            close,
            listener,
            ..
        } = self;
        let mut tasks = background::start(&app);
        let connections = Connections::new(Arc::clone(&app), routes::router(Arc::clone(&app)));
        let connections = connections.take(listener, shutdown).await;
        tracing::info!("the service ends: it finishes what is in flight");
        close.now();
        app.hub.close();
        let ended = timeout(app.config.limits.shutdown, async {
            connections.finish().await;
            while tasks.join_next().await.is_some() {}
            // Also the calls whose client has gone.
            app.pool.drain().await;
        });
        if ended.await.is_err() {
            tracing::warn!("some requests did not end in time; they are cut off");
        }
        tasks.shutdown().await;
        let ended = tokio::task::spawn_blocking(move || {
            let signed = app.engine.checkpoint(&app.moments.now());
            app.hub.join();
            // What it was the last to hold: the store closes, with all of it in its one file.
            drop(app);
            signed
        });
        match ended.await {
            Ok(Ok(_)) => tracing::info!("the service has ended"),
            Ok(Err(error)) => tracing::error!(%error, "the audit could not be signed at the end"),
            Err(error) => tracing::error!(%error, "the audit could not be signed at the end"),
        }
    }
}

/// Everything behind the socket.
pub(crate) fn open(config: Config, closing: Closing) -> Result<Shared, StartError> {
    let moments = Moments::new().map_err(|error| {
        StartError::new("the system gives no random numbers; check its random source")
            .caused_by(error)
    })?;
    let engine = open_engine(&config, &moments)?;
    let policies = match &config.policies {
        Some(folder) => {
            let zone = config.zone.as_deref();
            Some(Arc::new(open_policies(&engine, folder, zone)?))
        }
        None => None,
    };
    let (notices, mut metrics) = (webhook::Counts::default(), Metrics::new());
    notices.register(metrics.registry());
    let watcher = webhook::start(&config.webhooks, &notices, &closing).map_err(|error| {
        StartError::new("the webhooks' HTTP client cannot be set up").caused_by(error)
    })?;
    let hub = Hub::start(engine.clone(), events::Limits::default(), watcher)
        .map_err(|error| StartError::new("the audit log cannot be followed").caused_by(error))?;
    Ok(Shared {
        pool: Pool::new(config.limits.engine_calls, config.limits.engine_patience),
        bundles: Semaphore::new(BUNDLES_AT_ONCE),
        rates: Rates::new(&config.limits),
        metrics,
        health: Health::default(),
        config,
        engine,
        moments,
        policies,
        hub,
        closing,
    })
}

/// The engine on its store, with its keys.
fn open_engine(config: &Config, moments: &Moments) -> Result<Engine, StartError> {
    let settings = Settings {
        events: Events::Offered,
        ..config.settings.clone()
    };
    let mut builder = Engine::builder()
        .settings(settings)
        .keyring(config.keyring.clone());
    if let StoreAt::File(path) = &config.store {
        let what = || format!("the store {} cannot be opened", path.display());
        if config.mode == Mode::Production
            && let Ok(file) = std::fs::File::open(path)
        {
            check_private(path, &file)?;
        }
        let store =
            SqliteStore::open(path).map_err(|error| StartError::new(what()).caused_by(error))?;
        // Every request needs it: a damaged one is told now, not to whoever asks first.
        store
            .claim_key(&mut moments.now().entropy)
            .map_err(|error| StartError::new(what()).caused_by(error))?;
        builder = builder.store(store);
    }
    if let Some(path) = &config.audit_key {
        let (key, origin) = open_audit_key(path)?;
        banner::audit_key(path, origin);
        builder = builder.audit_key(key);
    }
    if config.policies.is_none() {
        builder = builder.policy(default_policy(config)?);
    }
    builder
        .build()
        .map_err(|error| StartError::new(error.to_string()))
}

/// The policy of a service that is given none.
fn default_policy(config: &Config) -> Result<Arc<PolicySet>, StartError> {
    let zone = config.zone.as_deref().unwrap_or(UTC);
    let sources = Sources::new().policies("default.cedar", PolicySet::DEFAULT);
    PolicySet::load(&sources.zone(zone))
        .map(Arc::new)
        .map_err(|error| StartError::new(format!("the default policy cannot be loaded: {error}")))
}
