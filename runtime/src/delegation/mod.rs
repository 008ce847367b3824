//! Delegation: acting for somebody else, within a scope, with every request signed (DESIGN 9).
//!
//! A [`Delegation`] says who acts under which token. Calls made inside its scope carry it:
//!
//! ```
//! use sernixa_runtime::delegation::Delegation;
//!
//! let worker = Delegation::new("worker-agent", "dgt_123")
//!     .chain_id("chn_123")
//!     .signing_secret("a secret of at least 16 bytes");
//! worker.run_blocking(|| {
//!     // governed calls here are signed for `worker-agent`
//! });
//! ```
//!
//! The scope belongs to the thread, or to the task: it is entered whenever the future is polled, so
//! it holds under any executor. A plain `spawn` loses it; [`Delegation::carry`] and
//! [`Delegation::carry_fn`] take it across, and `ClientBuilder::require_delegation(true)` turns a
//! lost scope into an error. Under that setting a call in the destructor of a thread-local, which
//! may see no scope because the scope's own slot is already gone, is refused, too.

mod sign;
mod token;

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use secrecy::SecretString;

use crate::ambient::{self, Ambient, Slot};

pub(crate) use sign::{Signer, Step};
pub use token::{Scope, Token, TokenRequest};

thread_local! {
    static IN_SCOPE: RefCell<Option<Delegation>> = const { RefCell::new(None) };
}

impl Ambient for Delegation {
    fn slot() -> &'static Slot<Self> {
        &IN_SCOPE
    }
}

/// Who acts, under which token, and how its requests are signed. Cheap to clone.
#[derive(Clone)]
pub struct Delegation(Arc<Facts>);

#[derive(Clone, Default)]
pub(crate) struct Facts {
    pub(crate) agent_id: String,
    pub(crate) token_id: String,
    pub(crate) chain_id: Option<String>,
    pub(crate) runtime_id: Option<String>,
    pub(crate) runtime_identity: Option<String>,
    pub(crate) service_identity: Option<String>,
    pub(crate) workload_identity: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) signing_secret: Option<SecretString>,
}

impl Delegation {
    /// The agent that acts, and the id of the token it acts under.
    pub fn new(agent_id: impl Into<String>, token_id: impl Into<String>) -> Self {
        Self(Arc::new(Facts {
            agent_id: agent_id.into(),
            token_id: token_id.into(),
            ..Facts::default()
        }))
    }

    /// Signs the requests; at least 16 bytes, checked at the first call. Without it the client's
    /// `SERNIXA_REQUEST_SIGNING_SECRET` signs; without that, every call is `Configuration`.
    #[must_use]
    pub fn signing_secret(self, secret: impl Into<SecretString>) -> Self {
        self.with(|facts| facts.signing_secret = Some(secret.into()))
    }

    /// Names the secret to the service. Default: the client's key id.
    #[must_use]
    pub fn key_id(self, id: impl Into<String>) -> Self {
        self.with(|facts| facts.key_id = Some(id.into()))
    }

    /// The delegation chain that the token belongs to.
    #[must_use]
    pub fn chain_id(self, id: impl Into<String>) -> Self {
        self.with(|facts| facts.chain_id = Some(id.into()))
    }

    /// The runtime that the agent runs in.
    #[must_use]
    pub fn runtime_id(self, id: impl Into<String>) -> Self {
        self.with(|facts| facts.runtime_id = Some(id.into()))
    }

    /// What that runtime proved to be.
    #[must_use]
    pub fn runtime_identity(self, identity: impl Into<String>) -> Self {
        self.with(|facts| facts.runtime_identity = Some(identity.into()))
    }

    /// What the service proved to be, such as a SPIFFE id.
    #[must_use]
    pub fn service_identity(self, identity: impl Into<String>) -> Self {
        self.with(|facts| facts.service_identity = Some(identity.into()))
    }

    /// What the workload proved to be.
    #[must_use]
    pub fn workload_identity(self, identity: impl Into<String>) -> Self {
        self.with(|facts| facts.workload_identity = Some(identity.into()))
    }

    /// The delegation that this thread, or this task, acts under.
    pub fn current() -> Option<Self> {
        ambient::current()
    }

    /// Runs `future` in this scope: whenever it is polled, under any executor.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::carry(self, future)
    }

    /// Runs a closure in this scope. `block_on` in it puts every task that is polled there into the
    /// scope, on a current-thread runtime all of them: prefer `block_on(delegation.run(…))`.
    pub fn run_blocking<T>(&self, body: impl FnOnce() -> T) -> T {
        ambient::within(self, body)
    }

    /// Takes the scope along to where the future will be polled:
    /// `tokio::spawn(delegation.carry(async { … }))`.
    pub fn carry<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::carry(self, future)
    }

    /// Takes the scope along to where the closure will run:
    /// `std::thread::spawn(delegation.carry_fn(|| …))`.
    pub fn carry_fn<T, F: FnOnce() -> T>(&self, body: F) -> impl FnOnce() -> T + use<T, F> {
        let delegation = self.clone();
        move || delegation.run_blocking(body)
    }

    fn with(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0
    }
}

/// Ids only; of the secret, whether there is one.
impl fmt::Debug for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        f.debug_struct("Delegation")
            .field("agent_id", &facts.agent_id)
            .field("token_id", &facts.token_id)
            .field("chain_id", &facts.chain_id)
            .field("key_id", &facts.key_id)
            .field("signing_secret", &facts.signing_secret.is_some())
            .finish_non_exhaustive()
    }
}
