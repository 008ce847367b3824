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

mod desk;
mod moments;
mod reviewer;
mod terminal;
mod transport;

use std::io::IsTerminal as _;
use std::sync::Arc;

/// The engine's own words, for programs that decide, read or audit through it.
pub use sernixa_engine as engine;
pub use sernixa_engine::{Engine, MemoryStore, Record, Store};

pub use reviewer::{Decision, Reviewer};
pub use terminal::TerminalReviewer;

use crate::client::Client;
use crate::config::{ClientBuilder, Settings};
use crate::digest::BindingKey;
use crate::error::{Error, Refusal};
use desk::Desk;
use moments::Moments;
use transport::EmbeddedTransport;

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

/// The client of an embedded engine.
///
/// # Errors
/// `Configuration` when the system gives no randomness, or the engine's store no binding key.
pub(crate) fn client(
    mut settings: Settings,
    engine: Option<Engine>,
    reviewer: Option<Arc<dyn Reviewer>>,
) -> Result<Client, Error> {
    let engine = engine.unwrap_or_else(Engine::in_memory);
    let moments = Arc::new(Moments::new(settings.clock.clone())?);
    if !settings.binding.lasts() {
        // None is configured: a store that outlives the process has one of its own.
        let mut entropy = moments.now().entropy;
        let key = engine.binding_key(&mut entropy).map_err(|error| {
            let message = "the embedded store gives no binding key; set SERNIXA_BINDING_KEY";
            Error::Configuration(Refusal::new(message).caused_by(error).boxed())
        })?;
        if let Some(key) = key {
            settings.binding = BindingKey::of_store(key.expose());
        }
    }
    let reviewer = reviewer.unwrap_or_else(default_reviewer);
    let desk = Desk::new(engine.clone(), reviewer, moments.clone(), settings.log);
    let transport = EmbeddedTransport::new(engine, desk, moments);
    Ok(Client::with_transport(settings, Arc::new(transport)))
}

/// The terminal where there is one. A pipe is never taken for a person by default.
fn default_reviewer() -> Arc<dyn Reviewer> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        Arc::new(TerminalReviewer::new())
    } else {
        Arc::new(reviewer::Nobody)
    }
}
