//! The driver: one thread per client with a runtime of its own, which does everything that waits.
//!
//! The caller's runtime is never used: it may stop being driven, lack timers, stand still under a
//! paused clock, or not exist (TRIED A7). Callers send a [`Job`] and wait for its answer.

mod call;
mod desk;
mod lane;
pub(crate) mod race;
mod stream;
#[cfg(test)]
mod tests;
mod waiting;

use std::cell::Cell;
use std::sync::Arc;

use futures_channel::oneshot;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;

use crate::core::Core;
use crate::error::{Error, Refusal};
use crate::grant::{Asked, Grant, Told};
use crate::judge::Ticket;
use crate::logging::event;
use crate::transport::{Answer, ApprovalId, Push, Request, Subscription, Wake};
use desk::Desk;
pub(crate) use desk::note;

/// Where a call's answer goes. Dropped by the caller: the call is over.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the driver is asked to do.
pub(crate) enum Job {
    /// Submit, and tell what came of it; if it waits, go on as with `Wait`.
    Submit {
        request: Request,
        asked: Box<Asked>,
        reply: Reply<Told>,
    },
    /// Wait for the decision on what was submitted, and claim if that is offered.
    Wait {
        ticket: Box<Ticket>,
        asked: Box<Asked>,
        reply: Reply<Grant>,
    },
    /// Report the outcomes that wait for company, when it is time.
    Watch,
    /// Report them now.
    Flush,
    /// One request for its own sake.
    Send {
        request: Request,
        reply: Reply<Answer>,
    },
    /// An approval changed.
    Woken(ApprovalId, Push),
    /// End what waits, send what is queued, then end.
    Close(oneshot::Sender<()>),
}

/// The caller's end of the driver.
pub(crate) struct Driver {
    jobs: mpsc::UnboundedSender<Job>,
    /// The process that the thread lives in: a fork does not take it along.
    process: u32,
}

impl Driver {
    /// Starts the thread.
    ///
    /// # Errors
    /// `Api` if the system gives no thread.
    pub(crate) fn start(core: Arc<Core>) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let weak = jobs.downgrade();
        let wake: Wake = Arc::new(move |id, push| {
            if let Some(jobs) = weak.upgrade() {
                // A driver that has ended has nobody left to wake.
                let _ = jobs.send(Job::Woken(id.clone(), push));
            }
        });
        // Before anybody waits, so that no change is missed while the thread starts.
        let subscription = core.transport.subscribe(wake);
        std::thread::Builder::new()
            .name("sernixa-driver".into())
            .spawn(move || drive(core, queue, subscription))
            .map_err(|error| {
                let message = "the system gives no thread for the client's driver";
                Error::Api(Refusal::new(message).retryable().caused_by(error).boxed())
            })?;
        Ok(Self {
            jobs,
            process: std::process::id(),
        })
    }

    /// Queues a job.
    ///
    /// # Errors
    /// `Api` if the driver is dead, or lives in the process that this one was forked from.
    pub(crate) fn send(&self, job: Job) -> Result<(), Error> {
        if self.process != std::process::id() {
            return Err(Error::api(
                "this process was forked from the one that the client works in; make a new \
                 client after the fork",
            ));
        }
        self.jobs.send(job).map_err(|_| dead())
    }
}

/// The error of a call whose driver has gone.
pub(crate) fn dead() -> Error {
    Error::api("the client's driver thread has ended; make a new client")
}

thread_local! {
    static ON_DRIVER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a driver's: it cannot wait for itself.
pub(crate) fn is_here() -> bool {
    ON_DRIVER.try_with(Cell::get).unwrap_or(false)
}

/// The thread.
fn drive(core: Arc<Core>, queue: mpsc::UnboundedReceiver<Job>, subscription: Option<Subscription>) {
    ON_DRIVER.set(true);
    let log = core.settings.log;
    let built = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build_local(LocalOptions::default());
    match built {
        Ok(runtime) => runtime.block_on(Desk::run(core, queue, subscription)),
        // Dropping the queue ends its waiters with an error.
        Err(error) => event!(log, ERROR, %error, "the client's driver has no runtime"),
    }
}
