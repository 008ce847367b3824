//! Deciding inside the process (DESIGN 4): an engine instead of a service, and a [`Reviewer`] for
//! what the engine leaves to a person.
//!
//! `SERNIXA_BASE_URL=embedded:` is all it takes: approvals are kept in memory, and a person is asked
//! on the terminal, if stdin and stderr are one. With an engine or a reviewer of your own:
//!
//! ```
//! use sernixa_runtime::embedded::{Decision, Engine, Record};
//!
//! # fn main() -> Result<(), sernixa_runtime::Error> {
//! let client = sernixa_runtime::Client::builder()
//!     .engine(Engine::in_memory())
//!     .reviewer(|asked: &Record| match asked.intent_id() {
//!         "restart-staging" => Decision::approve(),
//!         _ => Decision::reject("only staging may be restarted from here"),
//!     })
//!     .build()?;
//! # client.close_blocking();
//! # Ok(())
//! # }
//! ```
//!
//! # A file
//!
//! `embedded:FILE` (feature `sqlite`) keeps approvals, memory, audit and the binding key in an
//! SQLite file and two key files beside it. The text after the colon is the path as it is: relative
//! paths begin at the working directory, blanks inside belong to it, `~` is not expanded. The file
//! is made at first use, for its owner alone; its folder is not.
//!
//! Several processes may share the file. Without a terminal and a reviewer a call waits, until
//! another process decides: `sernixa approvals approve ID --store FILE`, or any program with an
//! engine on the same `SqliteStore`. A call with a `resume_key` that was waiting when its process
//! ended takes its approval up again when it is made again. Each decision is written to disk before
//! it is answered, on the thread that asks: some tenths of a millisecond.
//!
//! # Delegation
//!
//! `SERNIXA_REQUEST_SIGNING_SECRET` (or [`ClientBuilder::request_signing_secret`]) and the key id
//! beside it are both what delegated calls are signed with and what the engine of `embedded:` and
//! `embedded:FILE` verifies them with. An engine of your own verifies with the keys of
//! `Engine::builder().keyring(…)`; one without keys refuses every delegated call.

mod desk;
mod moments;
mod reviewer;
mod terminal;
mod transport;
mod watcher;

use std::io::IsTerminal as _;
use std::sync::Arc;

/// The engine's own words, for programs that decide, read or audit through it.
pub use sernixa_engine as engine;
pub use sernixa_engine::{Engine, MemoryStore, Record, Store};
#[cfg(feature = "sqlite")]
pub use sernixa_store::SqliteStore;

pub use reviewer::{Decision, Reviewer};
pub use terminal::TerminalReviewer;

use crate::client::Client;
#[cfg(feature = "sqlite")]
use crate::config::InProcess;
use crate::config::{Base, ClientBuilder, Settings, Signing, bytes_of};
use crate::digest::BindingKey;
use crate::error::{Error, Refusal};
use desk::Desk;
use moments::Moments;
#[cfg(feature = "sqlite")]
use sernixa_engine::StoreError;
use transport::EmbeddedTransport;
use watcher::Watcher;

impl Client {
    /// A client that decides in `engine`, with everything else from the environment. A person is
    /// asked on the terminal, if there is one: see [`ClientBuilder::reviewer`].
    ///
    /// # Errors
    /// [`Error::Configuration`] for a variable that breaks its rule.
    pub fn embedded(engine: Engine) -> Result<Self, Error> {
        ClientBuilder::new().engine(engine).build()
    }
}

/// The client of an embedded engine: the one that was given, else what the base URL names.
///
/// # Errors
/// `Configuration` when the system gives no randomness, the engine's store no binding key, or the
/// file cannot be opened.
pub(crate) fn client(
    mut settings: Settings,
    engine: Option<Engine>,
    reviewer: Option<Arc<dyn Reviewer>>,
) -> Result<Client, Error> {
    let engine = match engine {
        Some(engine) => engine,
        None => named(&settings)?,
    };
    let moments = Arc::new(Moments::new(settings.clock.clone())?);
    if !settings.binding.lasts() {
        // None is configured: a store that outlives the process has one of its own.
        let mut entropy = moments.now().entropy;
        let key = engine.binding_key(&mut entropy).map_err(|error| {
            let message = format!(
                "the embedded store gives no binding key: {error}; or set SERNIXA_BINDING_KEY"
            );
            Error::Configuration(Refusal::new(message).caused_by(error).boxed())
        })?;
        if let Some(key) = key {
            settings.binding = BindingKey::of_store(key.expose());
        }
    }
    let log = settings.log;
    let watcher = Watcher::new(engine.clone(), Arc::clone(&moments), log);
    let desk = reviewer
        .or_else(|| default_reviewer(watcher.is_shared()))
        .map(|reviewer| Desk::new(engine.clone(), reviewer, Arc::clone(&moments), log));
    let transport = EmbeddedTransport::new(engine, desk, watcher, moments);
    Ok(Client::with_transport(settings, Arc::new(transport)))
}

/// The engine that a base URL names. It verifies what this client signs with its configured secret,
/// and nothing else.
fn named(settings: &Settings) -> Result<Engine, Error> {
    let engine = Engine::builder()
        .settings(engine::Settings::local())
        .keyring(keyring(&settings.signing)?);
    match &settings.base {
        #[cfg(feature = "sqlite")]
        Base::InProcess(InProcess::File { name, path }) => {
            let refused = |error: StoreError| {
                let message = format!("{name} names a file for the embedded engine: {error}");
                Error::Configuration(Refusal::new(message).caused_by(error).boxed())
            };
            let store = SqliteStore::open(path).map_err(refused)?;
            engine.store(store).build().map_err(|error| {
                refused(StoreError::new("its settings do not fit").caused_by(error))
            })
        }
        Base::InProcess(_) | Base::Http { .. } => engine.build().map_err(|error| {
            let refusal = Refusal::new("the embedded engine cannot be made");
            Error::Configuration(refusal.caused_by(error).boxed())
        }),
    }
}

/// The keyring of an embedded engine: the client's own secret, for every agent of this process.
fn keyring(signing: &Signing) -> Result<engine::Keyring, Error> {
    let Some(secret) = &signing.secret else {
        return Ok(engine::Keyring::new());
    };
    engine::SigningKey::new(
        &signing.key_id,
        bytes_of(secret),
        "local",
        engine::Agents::Any,
        engine::SecretRule::Strong,
    )
    .and_then(|key| engine::Keyring::new().with(key))
    .map_err(|error| {
        let message = format!("request signing cannot be set up: {error}");
        Error::Configuration(Refusal::new(message).caused_by(error).boxed())
    })
}

/// The terminal where there is one. A pipe is never taken for a person by default.
///
/// Without a terminal, what waits is left to the other processes on the store; where there can be
/// none, nobody could ever decide, and that is said at once.
fn default_reviewer(is_shared: bool) -> Option<Arc<dyn Reviewer>> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        Some(Arc::new(TerminalReviewer::new()))
    } else if is_shared {
        None
    } else {
        Some(Arc::new(reviewer::Nobody))
    }
}
