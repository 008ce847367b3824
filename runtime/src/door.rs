//! The two doors into the driver: one blocks its thread, the other is a future for any executor.
//!
//! Both ask in this process first: what the embedded engine or a `TestGate` allows at once never
//! touches the driver.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_channel::oneshot::{self, Canceled, Receiver};
use tokio::runtime::{Handle, RuntimeFlavor};
use tracing::Span;

use crate::action::Prepared;
use crate::client::Client;
use crate::config::Settings;
use crate::core::closed;
use crate::driver::{self, Job};
use crate::error::Error;
use crate::grant::{Asked, Awaited, Grant, Told};
use crate::judge::{self, Judged, Step};
use crate::logging::{Verbosity, event};
use crate::outcome::{Entry, Outcome};
use crate::pending::{Pending, Submitted};
use crate::permit::Permit;
use crate::transport::Request;

impl Client {
    /// The sync door: blocks this thread until the body may run, or may not.
    pub(crate) fn ask_blocking(prepared: Prepared) -> Result<Permit, Error> {
        let client = prepared.client.clone();
        let span = span(&prepared);
        let _entered = span.enter();
        let told = client.knock(prepared).and_then(|knocked| match knocked {
            Knocked::Told(told) => Ok(told),
            Knocked::Asked(mut waiting) => waiting.end_blocking(),
        });
        let granted = told.and_then(|told| match told {
            Told::Granted(grant) => Ok(grant),
            Told::Awaited(awaited) => Waiting::new(client.clone(), awaited.decision).end_blocking(),
        });
        client.end(&span, granted)
    }

    /// The async door: needs no runtime, no timers, and may move between threads. What could not
    /// be prepared is the future's error.
    ///
    /// It comes on the heap: what was prepared is gone once the call has knocked, but a future
    /// keeps the place of all that it ever held.
    pub(crate) async fn ask(prepared: Result<Box<Prepared>, Error>) -> Result<Permit, Error> {
        match Self::knock_async(prepared).await? {
            Submitted::Allowed(permit) => Ok(permit),
            Submitted::Pending(pending) => pending.decided().await,
        }
    }

    /// The first half of [`ask`](Self::ask): to the answer of the submission.
    pub(crate) async fn knock_async(
        prepared: Result<Box<Prepared>, Error>,
    ) -> Result<Submitted, Error> {
        let prepared = prepared?;
        let client = prepared.client.clone();
        let span = span(&prepared);
        let told = match span.in_scope(|| client.knock(*prepared)) {
            // The span is entered only while it polls.
            Ok(Knocked::Asked(mut waiting)) => {
                poll_fn(|context| span.in_scope(|| waiting.poll(context))).await
            }
            Ok(Knocked::Told(told)) => Ok(told),
            Err(error) => Err(error),
        };
        let granted = match told {
            Ok(Told::Awaited(awaited)) => {
                return Ok(Submitted::Pending(Pending::new(client, span, awaited)));
            }
            Ok(Told::Granted(grant)) => Ok(grant),
            Err(error) => Err(error),
        };
        span.in_scope(|| client.end(&span, granted))
            .map(Submitted::Allowed)
    }

    /// Asks in this process if somebody answers there, else queues the call to the driver.
    fn knock(&self, prepared: Prepared) -> Result<Knocked, Error> {
        if self.core().is_closed() {
            return Err(closed());
        }
        event!(self.settings().log, DEBUG, "asking");
        let Prepared {
            submission,
            endpoint,
            signer,
            patience,
            ..
        } = prepared;
        let longest = self.settings().poll_timeout;
        let request = Request::post(endpoint, submission.body.into());
        let mut asked = Box::new(Asked {
            risk: submission.risk_level,
            request_id: submission.request_id.into(),
            body_hash: submission.body_hash.into(),
            resumable: submission.resumable,
            signer,
            patience: patience.map_or(longest, |patience| patience.min(longest)),
        });
        match self.answer_now(&request) {
            None => {
                let (reply, receiver) = oneshot::channel();
                self.send(Job::Submit {
                    request,
                    asked,
                    reply,
                })?;
                Ok(Knocked::Asked(Waiting::new(self.clone(), receiver)))
            }
            Some(Err(fault)) => {
                let base = &self.settings().base;
                Err(judge::fault(Step::Submitting, base, fault, false))
            }
            Some(Ok(answer)) => match self.core().judge(&mut asked, &answer)? {
                Judged::Run(allowed) => {
                    let grant = Grant::at_once(allowed, *asked);
                    Ok(Knocked::Told(Told::Granted(grant)))
                }
                Judged::Wait(ticket) => {
                    let (awaited, reply) = Awaited::new(&ticket, &asked);
                    self.send(Job::Wait {
                        ticket: Box::new(ticket),
                        asked,
                        reply,
                    })?;
                    Ok(Knocked::Told(Told::Awaited(awaited)))
                }
            },
        }
    }

    /// Says how a call ended, in its span.
    pub(crate) fn end(&self, span: &Span, granted: Result<Grant, Error>) -> Result<Permit, Error> {
        if !span.is_disabled() {
            let (id, status) = match &granted {
                Ok(grant) => (
                    grant
                        .approval_id
                        .as_ref()
                        .map(crate::transport::ApprovalId::as_str),
                    grant.status,
                ),
                Err(error) => (error.approval_id(), error.kind()),
            };
            if let Some(id) = id {
                span.record(
                    "approval_id",
                    tracing::field::display(crate::display::one_line(id)),
                );
            }
            span.record("status", status);
        }
        let log = self.settings().log;
        match &granted {
            Ok(grant) => event!(log, INFO, status = grant.status, "a call may run"),
            Err(error) => event!(log, INFO, %error, "a call does not run"),
        }
        granted.map(|grant| Permit::new(self.clone(), grant))
    }
}

/// What a call knows after it has knocked.
enum Knocked {
    Told(Told),
    Asked(Waiting<Told>),
}

/// Facts of the call; never arguments or metadata. None where the client says nothing.
fn span(prepared: &Prepared) -> Span {
    if prepared.client.settings().log == Verbosity::Off {
        return Span::none();
    }
    let submission = &prepared.submission;
    tracing::info_span!(
        target: "sernixa",
        "sernixa.authorize",
        intent_id = %crate::display::one_line(&submission.intent_id),
        action_id = %crate::display::one_line(&submission.action_id),
        risk_level = submission.risk_level.as_str(),
        approval_id = tracing::field::Empty,
        status = tracing::field::Empty,
    )
}

/// A call that waits. Dropped, it takes what arrived meanwhile and says that nothing began.
pub(crate) struct Waiting<T: Undelivered> {
    client: Client,
    receiver: Receiver<Result<T, Error>>,
}

impl<T: Undelivered> Waiting<T> {
    pub(crate) fn new(client: Client, receiver: Receiver<Result<T, Error>>) -> Self {
        Self { client, receiver }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What comes, under any executor.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<T, Error>> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|answer| self.answered(answer))
    }

    /// What comes, blocking this thread.
    fn end_blocking(&mut self) -> Result<T, Error> {
        let answer = wait_blocking(&mut self.receiver, self.client.settings());
        self.answered(answer)
    }

    fn answered(&self, answer: Result<Result<T, Error>, Canceled>) -> Result<T, Error> {
        match answer {
            Ok(told) => told,
            // The driver was closed with the call still in its queue, died, or the call's own task
            // panicked.
            Err(Canceled) if self.client.core().is_closed() => Err(closed()),
            Err(Canceled) => Err(driver::dead().maybe_submitted()),
        }
    }
}

impl<T: Undelivered> Drop for Waiting<T> {
    fn drop(&mut self) {
        // After this the driver sees that the caller has gone; what came before is here.
        self.receiver.close();
        if let Ok(Some(Ok(told))) = self.receiver.try_recv() {
            told.give_up(&self.client);
        }
    }
}

/// What may arrive for a caller that has gone.
pub(crate) trait Undelivered {
    /// Says that no body begins.
    fn give_up(self, client: &Client);
}

impl Undelivered for Grant {
    fn give_up(self, client: &Client) {
        if let Some(to) = self.report {
            client.report(Entry {
                to,
                outcome: Outcome::NotStarted,
                duration: std::time::Duration::ZERO,
                error_text: None,
            });
        }
    }
}

impl Undelivered for Told {
    fn give_up(self, client: &Client) {
        match self {
            Self::Granted(grant) => grant.give_up(client),
            Self::Awaited(awaited) => drop(Waiting::new(client.clone(), awaited.decision)),
        }
    }
}

/// Blocks this thread, wherever it is.
///
/// On a worker of a multi-thread tokio runtime the worker's other tasks are handed over first,
/// unless `ClientBuilder::block_in_place` forbids that. In a `LocalSet` tokio's `block_in_place` panics, and
/// nothing public tells beforehand: then the thread waits without it (the panic hook has spoken).
pub(crate) fn wait_blocking<T>(
    receiver: &mut Receiver<T>,
    settings: &Settings,
) -> Result<T, Canceled> {
    static WARNED: AtomicBool = AtomicBool::new(false);

    // Without a runtime, or once the thread's own storage is gone.
    let Ok(runtime) = Handle::try_current() else {
        return park(receiver);
    };
    match runtime.runtime_flavor() {
        RuntimeFlavor::MultiThread if settings.block_in_place => {
            let handed_over = AssertUnwindSafe(|| tokio::task::block_in_place(|| park(receiver)));
            match catch_unwind(handed_over) {
                Ok(answer) => answer,
                Err(_) => park(receiver),
            }
        }
        RuntimeFlavor::CurrentThread => {
            if !WARNED.swap(true, Ordering::Relaxed) {
                event!(
                    settings.log,
                    WARN,
                    "a blocking governed call was made on a current-thread tokio runtime, which \
                     stands still until the decision; make the governed function async, or call \
                     it in spawn_blocking"
                );
            }
            park(receiver)
        }
        _ => park(receiver),
    }
}

/// Parks this thread until the answer comes. Needs no thread-local storage, so it works in the
/// destructor of one.
fn park<T>(receiver: &mut Receiver<T>) -> Result<T, Canceled> {
    let parked = Arc::new(Parked::default());
    let waker = Waker::from(Arc::clone(&parked));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(answer) = Pin::new(&mut *receiver).poll(&mut context) {
            return answer;
        }
        parked.wait();
    }
}

/// A thread that waits for its waker.
#[derive(Default)]
struct Parked {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parked {
    fn wait(&self) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            woken = self
                .changed
                .wait(woken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *woken = false;
    }
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
