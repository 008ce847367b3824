//! The two doors into the driver: one blocks its thread, the other is a future for any executor.
//!
//! Both ask in this process first: what the embedded engine or a `TestGate` allows at once never
//! touches the driver.

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
use crate::grant::{Asked, Grant};
use crate::judge::{self, Step, Submitted};
use crate::logging::{Verbosity, event};
use crate::outcome::{Entry, Outcome};
use crate::permit::Permit;
use crate::transport::{Endpoint, Request};

impl Client {
    /// The sync door: blocks this thread until the body may run, or may not.
    pub(crate) fn ask_blocking(&self, prepared: Prepared) -> Result<Permit, Error> {
        let span = span(&prepared);
        let _entered = span.enter();
        let granted = match self.knock(prepared) {
            Err(error) => Err(error),
            Ok(Knocked::Granted(grant)) => Ok(grant),
            Ok(Knocked::Asked(receiver)) => {
                let mut waiting = Waiting {
                    client: self,
                    receiver,
                };
                let answer = wait_blocking(&mut waiting.receiver, self.settings());
                waiting.answered(answer)
            }
        };
        self.end(&span, granted)
    }

    /// The async door: needs no runtime, no timers, and may move between threads. What could not
    /// be prepared is the future's error.
    ///
    /// It comes on the heap: what was prepared is gone once the call has knocked, but a future
    /// keeps the place of all that it ever held.
    pub(crate) async fn ask(prepared: Result<Box<Prepared>, Error>) -> Result<Permit, Error> {
        let prepared = prepared?;
        let client = prepared.client.clone();
        let span = span(&prepared);
        let mut waiting = match span.in_scope(|| client.knock(*prepared)) {
            Ok(Knocked::Asked(receiver)) => Waiting {
                client: &client,
                receiver,
            },
            Ok(Knocked::Granted(grant)) => {
                return span.in_scope(|| client.end(&span, Ok(grant)));
            }
            Err(error) => return span.in_scope(|| client.end(&span, Err(error))),
        };
        let answer = Entering {
            span: &span,
            inner: &mut waiting.receiver,
        }
        .await;
        span.in_scope(|| client.end(&span, waiting.answered(answer)))
    }

    /// Asks in this process if somebody answers there, else queues the call to the driver.
    fn knock(&self, prepared: Prepared) -> Result<Knocked, Error> {
        if self.core().is_closed() {
            return Err(closed());
        }
        event!(self.settings().log, DEBUG, "asking");
        let Prepared {
            submission, signer, ..
        } = prepared;
        let request = Request::post(Endpoint::Submit, submission.body.into());
        let asked = Box::new(Asked {
            risk: submission.risk_level,
            request_id: submission.request_id.into(),
            body_hash: submission.body_hash.into(),
            resumable: submission.resumable,
            signer,
        });
        let answered = self.core().transport.answer_now(&request);
        let (reply, receiver) = oneshot::channel();
        let job = match answered {
            None => Job::Submit {
                request,
                asked,
                reply,
            },
            Some(Err(fault)) => {
                let base = &self.settings().base;
                return Err(judge::fault(Step::Submitting, base, fault, false));
            }
            Some(Ok(answer)) => match self.core().judge(&asked, &answer)? {
                Submitted::Run(allowed) => {
                    return Ok(Knocked::Granted(Grant::at_once(allowed, *asked)));
                }
                Submitted::Wait(ticket) => Job::Wait {
                    ticket: Box::new(ticket),
                    asked,
                    reply,
                },
            },
        };
        self.send(job)?;
        Ok(Knocked::Asked(receiver))
    }

    fn end(&self, span: &Span, granted: Result<Grant, Error>) -> Result<Permit, Error> {
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
    Granted(Grant),
    Asked(Receiver<Result<Grant, Error>>),
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
struct Waiting<'a> {
    client: &'a Client,
    receiver: Receiver<Result<Grant, Error>>,
}

impl Waiting<'_> {
    fn answered(&mut self, answer: Result<Result<Grant, Error>, Canceled>) -> Result<Grant, Error> {
        match answer {
            Ok(granted) => granted,
            // The driver was closed with the call still in its queue, died, or the call's own task
            // panicked.
            Err(Canceled) if self.client.core().is_closed() => Err(closed()),
            Err(Canceled) => Err(driver::dead().maybe_submitted()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // After this the driver sees that the caller has gone; a grant that came before is here.
        self.receiver.close();
        if let Ok(Some(Ok(Grant {
            report: Some(to), ..
        }))) = self.receiver.try_recv()
        {
            let (outcome, duration) = (Outcome::NotStarted, std::time::Duration::ZERO);
            self.client.report(Entry {
                to,
                outcome,
                duration,
                error_text: None,
            });
        }
    }
}

/// Polls inside the span, which is not entered while nobody polls.
struct Entering<'a, T> {
    span: &'a Span,
    inner: &'a mut Receiver<T>,
}

impl<T> Future for Entering<'_, T> {
    type Output = Result<T, Canceled>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let _entered = this.span.enter();
        Pin::new(&mut *this.inner).poll(context)
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
