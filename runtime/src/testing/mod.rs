//! A double of whoever decides, for the unit tests of programs that use governed functions.
//!
//! ```
//! use sernixa_runtime::testing::TestGate;
//! # use sernixa_runtime::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
//! # fn adjust_invoice() -> Result<u8, Error> {
//! #     let client = Client::from_env()?;
//! #     let action = Action::new("billing-adjustment").risk(RiskLevel::High)
//! #         .class(OperationClass::Financial).sensitivity(DataSensitivity::Financial)
//! #         .systems(["stripe"]);
//! #     client.run(&action, || Ok(7))
//! # }
//!
//! let gate = TestGate::new().approve("billing-adjustment");
//! assert_eq!(gate.scope(|| adjust_invoice()).unwrap(), 7);
//! assert_eq!(gate.submissions().len(), 1);
//! ```
//!
//! The gate holds for the closure or future that it is given, on that thread or task alone, so
//! tests run side by side. Inside it comes before every other client, reads no environment and
//! asks nobody outside. What was not decided before is blocked, with a message that says what to
//! call. Its readiness shows a Flight Recorder, for a [`Gateway`](crate::gateway::Gateway) that
//! wants one.
//!
//! A call in the destructor of a thread-local may see no gate, nor delegation, because the scope's
//! own slot is already gone, and then asks its usual client: `ClientBuilder::require_delegation(true)`
//! on that one refuses it. A `block_on` inside `scope` puts every task that is polled there under
//! the gate.

mod held;
mod recorded;
mod table;
mod transport;

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

pub use crate::clock::ManualClock;
pub use held::Held;
pub use recorded::Recorded;

use crate::ambient::{self, Ambient, Slot};
use crate::client::Client;
use crate::config::{Base, ClientBuilder, InProcess, Settings, Signing};
use crate::digest::BindingKey;
use crate::error::Error;
use table::Table;
use transport::TestTransport;

thread_local! {
    static IN_SCOPE: RefCell<Option<TestGate>> = const { RefCell::new(None) };
}

impl Ambient for TestGate {
    fn slot() -> &'static Slot<Self> {
        &IN_SCOPE
    }
}

/// The client of the gate in scope, which comes before every other.
pub(crate) fn client_in_scope() -> Option<Result<Client, Error>> {
    ambient::current::<TestGate>().map(|gate| gate.client())
}

/// Decides instead of a service, by intent, and records what was submitted. Clones are the same
/// gate. See the [module](self).
#[derive(Clone)]
pub struct TestGate {
    table: Arc<Table>,
    client: Arc<OnceLock<Client>>,
    builder: Arc<dyn Fn() -> ClientBuilder + Send + Sync>,
}

impl Default for TestGate {
    fn default() -> Self {
        Self::new()
    }
}

impl TestGate {
    /// A gate that has decided nothing yet. It masks secrets as a client does by default, captures
    /// no arguments, and has a binding key and a signing secret of its own.
    pub fn new() -> Self {
        Self::configured(ClientBuilder::new)
    }

    /// A gate whose client is built with these settings, for tests of capture, DLP or clocks. The
    /// environment is not read, and who is asked is the gate.
    ///
    /// ```
    /// # use sernixa_runtime::{Client, testing::TestGate};
    /// let gate = TestGate::configured(|| Client::builder().capture_arguments(true));
    /// ```
    pub fn configured(builder: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self {
            table: Arc::default(),
            client: Arc::default(),
            builder: Arc::new(builder),
        }
    }

    /// Calls with this intent run, of whatever risk. Returns the gate, so that calls chain.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "it is the same gate; ignoring it is fine"
    )]
    pub fn approve(&self, intent_id: &str) -> Self {
        self.table.approve(intent_id);
        self.clone()
    }

    /// Calls with this intent end in [`Error::Rejected`] with this reason.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "it is the same gate; ignoring it is fine"
    )]
    pub fn refuse(&self, intent_id: &str, reason: &str) -> Self {
        self.table.refuse(intent_id, reason);
        self.clone()
    }

    /// Calls with this intent wait, as for a person, until the [`Held`] decides.
    pub fn hold(&self, intent_id: &str) -> Held {
        let rule = self.table.hold(intent_id);
        Held::new(Arc::clone(&self.table), intent_id, rule)
    }

    /// What was submitted inside the gate, in that order, whatever became of it.
    pub fn submissions(&self) -> Vec<Recorded> {
        self.table.submissions()
    }

    /// Runs a closure with this gate in scope.
    pub fn scope<T>(&self, body: impl FnOnce() -> T) -> T {
        ambient::within(self, body)
    }

    /// Runs a future with this gate in scope: whenever it is polled, under any executor.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::carry(self, future)
    }

    /// Takes the gate along into a task: `tokio::spawn(gate.carry(async { … }))`.
    pub fn carry<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ambient::carry(self, future)
    }

    /// Takes the gate along into a thread: `std::thread::spawn(gate.carry_fn(|| …))`.
    pub fn carry_fn<T, F: FnOnce() -> T>(&self, body: F) -> impl FnOnce() -> T + use<T, F> {
        let gate = self.clone();
        move || gate.scope(body)
    }

    /// The client that asks this gate; made at the first call.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the settings of [`configured`](Self::configured) break a rule.
    pub fn client(&self) -> Result<Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let transport = TestTransport::new(Arc::clone(&self.table));
        let client = Client::with_transport(self.settings()?, Arc::new(transport));
        Ok(self.client.get_or_init(|| client).clone())
    }

    fn settings(&self) -> Result<Settings, Error> {
        let settings = (self.builder)().environment(|_| None).settings(true)?;
        Ok(Settings {
            base: Base::InProcess(InProcess::TestGate),
            // The gate answers at once, also for what only a person may approve.
            accept_immediate_high_risk: true,
            require_claim: false,
            binding: BindingKey::of_tests(),
            signing: Signing {
                secret: settings
                    .signing
                    .secret
                    .or_else(|| Some("the signing secret of a TestGate".into())),
                key_id: settings.signing.key_id,
            },
            ..settings
        })
    }
}

impl fmt::Debug for TestGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestGate")
            .field("submissions", &self.table.submissions().len())
            .finish_non_exhaustive()
    }
}
