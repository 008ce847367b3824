//! The client: what asks, for the attribute and for [`Action`]s.

use std::fmt;
use std::sync::Arc;

use futures_channel::oneshot;
use once_cell::sync::OnceCell;

use crate::action::{self, Action, Submission};
use crate::company::Then;
use crate::config::{Base, ClientBuilder, Settings};
use crate::core::{Core, closed};
use crate::driver::{self, Driver, Job};
use crate::error::Error;
use crate::http::HttpTransport;
use crate::logging::event;
use crate::outcome::{self, Entry, Outcome};
use crate::pending::Submitted;
use crate::permit::Permit;
use crate::returns::GovernedReturn as _;
use crate::transport::{Answer, Endpoint, Fault, Request, Transport};
use crate::{door, requests};

/// The most outcomes that go along with a submission, which waits for them: more than one, so that what
/// has gathered gets less.
const ALONG: usize = 8;

/// Asks whether a call may run, and waits for the decision.
///
/// Cheap to clone; clones are one client with one driver thread, which starts at the first call
/// that needs it. Before the program ends, [`close`](Self::close) delivers what is still queued.
///
/// ```no_run
/// use sernixa_runtime::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
///
/// fn main() -> Result<(), Error> {
///     let client = Client::from_env()?;
///     let restart = Action::new("restart-service")
///         .risk(RiskLevel::High)
///         .class(OperationClass::Execute)
///         .sensitivity(DataSensitivity::Internal)
///         .systems(["web-1"]);
///     client.run(&restart, || {
///         println!("restarting");
///         Ok::<_, Error>(())
///     })?;
///     client.close_blocking();
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    core: Arc<Core>,
    driver: OnceCell<Driver>,
}

/// Settings, without credential and secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client")
            .field(&self.core().settings)
            .finish()
    }
}

impl Client {
    /// A builder: what is set there beats the environment, which beats the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client as the environment says.
    ///
    /// # Errors
    /// [`Error::Configuration`], naming the variable, its fault and the rule.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A client of the service that the settings name.
    pub(crate) fn from_settings(settings: Settings) -> Result<Self, Error> {
        let Base::Http { url, .. } = &settings.base else {
            return Err(Error::configuration(
                "no transport answers inside this process",
            ));
        };
        let transport = HttpTransport::new(url, &settings)?;
        Ok(Self::with_transport(settings, Arc::new(transport)))
    }

    /// A client of whoever answers behind `transport`.
    pub(crate) fn with_transport(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        let core = Arc::new(Core::new(settings, transport));
        Self {
            shared: Arc::new(Shared {
                core,
                driver: OnceCell::new(),
            }),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.core().settings
    }

    pub(crate) fn core(&self) -> &Core {
        &self.shared.core
    }

    /// What would be sent for this action, byte for byte, with ids of its own. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Validation`] for what the action lacks or gets wrong, [`Error::Blocked`] if DLP
    /// forbids it, [`Error::Configuration`] for what the client lacks.
    pub fn prepare(&self, action: &Action) -> Result<Submission, Error> {
        action::prepare(action, self).map(|prepared| prepared.submission)
    }

    /// Runs the body if the action is approved, and reports how it ended.
    ///
    /// Blocks this thread until the decision. On a multi-thread tokio worker other tasks go on;
    /// a current-thread runtime stands still meanwhile: use [`run_async`](Self::run_async) there.
    ///
    /// # Errors
    /// Whatever keeps the body from running, as `E`; else what the body returned.
    pub fn run<T, E: From<Error>>(
        &self,
        action: &Action,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let permit = self.authorize_blocking(action)?;
        let out = body();
        permit.finish(outcome_of(&out));
        out
    }

    /// As [`run`](Self::run) for an async body, under any executor. The body is made only once the
    /// action is approved: a future that was made before may run already.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async<T, E: From<Error>, F: Future<Output = Result<T, E>>>(
        &self,
        action: &Action,
        body: impl FnOnce() -> F,
    ) -> Result<T, E> {
        let permit = self
            .authorize(action)
            .await?
            .or_when_dropped(Outcome::Cancelled);
        let out = body().await;
        permit.finish(outcome_of(&out));
        out
    }

    /// Asks, and leaves the body to the caller. Works under any executor. Dropping the future takes
    /// the request back.
    ///
    /// # Errors
    /// Whatever keeps the body from running.
    pub fn authorize(
        &self,
        action: &Action,
    ) -> impl Future<Output = Result<Permit, Error>> + Send + use<> {
        Self::ask(action::prepare(action, self).map(Box::new))
    }

    /// Asks, and tells at once whether the body may run or somebody has to decide first: for callers
    /// that show, bound or hand over the wait. [`authorize`](Self::authorize) is this and
    /// [`Pending::decided`](crate::Pending::decided) in one. Dropping the future takes the request
    /// back.
    ///
    /// # Errors
    /// Whatever keeps the body from running.
    pub fn submit(
        &self,
        action: &Action,
    ) -> impl Future<Output = Result<Submitted, Error>> + Send + use<> {
        Self::knock_async(action::prepare(action, self).map(Box::new))
    }

    /// As [`authorize`](Self::authorize), blocking this thread.
    ///
    /// # Errors
    /// Whatever keeps the body from running.
    pub fn authorize_blocking(&self, action: &Action) -> Result<Permit, Error> {
        let prepared = action::prepare(action, self)?;
        Self::ask_blocking(prepared)
    }

    /// Delivers what is queued (outcomes, withdrawals), ends the calls that wait with an error, and
    /// stops the driver: at most one request's timeout. After it every call is
    /// [`Error::Configuration`], on every clone.
    pub async fn close(&self) {
        if let Some(done) = self.closing() {
            // A driver that died has nothing left to deliver.
            let _ = done.await;
        }
    }

    /// As [`close`](Self::close), blocking this thread.
    pub fn close_blocking(&self) {
        if let Some(mut done) = self.closing() {
            let _ = door::wait_blocking(&mut done, self.settings());
        }
    }

    fn closing(&self) -> Option<oneshot::Receiver<()>> {
        self.core().close();
        // A driver that was never started has nothing to deliver; on its own thread nobody waits.
        let driver = self.shared.driver.get()?;
        let (done, closed) = oneshot::channel();
        driver.send(Job::Close(done)).ok()?;
        (!driver::is_here()).then_some(closed)
    }

    /// Queues a job, and starts the driver if need be.
    ///
    /// # Errors
    /// `Configuration` on a closed client; `Api` on the driver's own thread, without a driver, or
    /// after a fork.
    pub(crate) fn send(&self, job: Job) -> Result<(), Error> {
        if self.core().is_closed() {
            return Err(closed());
        }
        if driver::is_here() {
            return Err(Error::api(
                "a governed call was made on a client's driver thread, which would wait for itself",
            ));
        }
        let start = || Driver::start(Arc::clone(&self.shared.core));
        self.shared.driver.get_or_try_init(start)?.send(job)
    }

    /// Reports an outcome in the background, wherever it is taken.
    pub(crate) fn report_later(&self, entry: Entry) {
        if self.core().is_closed() {
            // Where the engine is in this process it is not too late.
            self.report(entry);
        } else {
            self.queue(entry);
        }
    }

    /// Answers a submission on this thread, where that is possible. What waits for company is reported
    /// along with it: in a file they share a commit. Over the wire there is nothing to be shared.
    pub(crate) fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>> {
        let core = self.core();
        let transport = &core.transport;
        let along = core.outcomes.any() && !transport.retries();
        let along = along.then(|| core.report_of_outcomes(ALONG)).flatten();
        let Some(outcomes) = along else {
            return transport.answer_now(request);
        };
        let (answer, reported) = transport.answer_with_outcomes(request, &outcomes)?;
        driver::note(core.settings.log, &outcomes, &reported);
        Some(answer)
    }

    /// Reports an outcome: at once where it is taken in this process, else in the background.
    pub(crate) fn report(&self, entry: Entry) {
        if self.report_here(&entry).is_none() {
            self.queue(entry);
        }
    }

    /// `None`: this process does not take outcomes.
    fn report_here(&self, entry: &Entry) -> Option<()> {
        let core = self.core();
        if core.transport.retries() {
            return None;
        }
        let body = outcome::body(std::slice::from_ref(entry), core.now());
        let request = Request::post(Endpoint::Outcomes, body);
        core.transport.answer_now(&request).map(|_| ())
    }

    fn queue(&self, entry: Entry) {
        let core = self.core();
        let now = core.settings.clock.monotonic();
        let job = match core.outcomes.join(entry, now) {
            Ok(Then::Nothing) => return,
            Ok(Then::Watch) => Job::Watch,
            Ok(Then::Send) => Job::Flush,
            // The client was closed meanwhile.
            Err(entry) => {
                if self.report_here(&entry).is_none() {
                    event!(core.settings.log, DEBUG, "an outcome came after the end");
                }
                return;
            }
        };
        // After `close` nobody takes it any more; `close` said so.
        let sent = match self.shared.driver.get() {
            Some(driver) => driver.send(job),
            None => self.send(job),
        };
        if let Err(error) = sent {
            event!(core.settings.log, DEBUG, %error, "an outcome was not reported");
        }
    }

    /// What `GET /ready` says (PROTOCOL 6).
    ///
    /// # Errors
    /// [`Error::Api`] for an answer that is no readiness document, and what keeps any request from
    /// being answered.
    pub async fn readiness(&self) -> Result<serde_json::Value, Error> {
        let answer = self.request(requests::ready()).await?;
        requests::readiness(&answer)
    }

    /// As [`readiness`](Self::readiness), blocking this thread.
    ///
    /// # Errors
    /// As [`readiness`](Self::readiness).
    pub fn readiness_blocking(&self) -> Result<serde_json::Value, Error> {
        let answer = self.request_blocking(requests::ready())?;
        requests::readiness(&answer)
    }
}

/// How a body ended that returned.
pub(crate) fn outcome_of<T, E>(out: &Result<T, E>) -> Outcome {
    match out.failure() {
        None => Outcome::Succeeded,
        Some(error) => Outcome::Failed(Some(error)),
    }
}

#[cfg(all(test, feature = "embedded"))]
mod tests {
    use super::*;
    use crate::embedded::Engine;
    use crate::{DataSensitivity, OperationClass, RiskLevel};

    #[test]
    fn a_call_that_the_engine_allows_never_touches_the_driver() {
        let client = Client::builder()
            .environment(|_| None)
            .engine(Engine::in_memory())
            .build()
            .unwrap();
        let read = Action::new("read")
            .risk(RiskLevel::Low)
            .class(OperationClass::Read)
            .sensitivity(DataSensitivity::Internal)
            .systems(["db"]);
        client.run(&read, || Ok::<_, Error>(())).unwrap();
        let permit = client.authorize_blocking(&read).unwrap();
        assert!(permit.approval_id().is_some());
        permit.failed();
        client.readiness_blocking().unwrap();
        client.close_blocking();
        assert!(client.shared.driver.get().is_none());
    }
}
