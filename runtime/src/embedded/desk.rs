//! The reviewer's desk: pending approvals come in, and are decided one after the other on a thread
//! of its own, never on the driver and never on the thread that asks.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use sernixa_engine::{self as engine, ApprovalId, Engine, Principal, Role, Status};

use super::moments::Moments;
use super::reviewer::{Decision, Kind, Reviewer};
use crate::logging::{Verbosity, event};

thread_local! {
    /// This thread reviews: a call that it asks for cannot be reviewed by it.
    static REVIEWS: Cell<bool> = const { Cell::new(false) };
}

/// Takes in what waits for a decision.
pub(super) struct Desk {
    work: Arc<Work>,
    /// The way to the reviewer's thread, once there is one.
    queue: Mutex<Option<Sender<ApprovalId>>>,
}

/// What the reviewer's thread works with.
struct Work {
    engine: Engine,
    reviewer: Arc<dyn Reviewer>,
    principal: Principal,
    moments: Arc<Moments>,
    log: Verbosity,
}

impl Desk {
    pub(super) fn new(
        engine: Engine,
        reviewer: Arc<dyn Reviewer>,
        moments: Arc<Moments>,
        log: Verbosity,
    ) -> Self {
        // Another key of the same owner: the record says `self_decided`, and reading a record here
        // does not count as the asking client's own look at it.
        let principal = Principal::new("local", "reviewer")
            .owned_by("local")
            .with(Role::Reviewer);
        let work = Work {
            engine,
            reviewer,
            principal,
            moments,
            log,
        };
        Self {
            work: Arc::new(work),
            queue: Mutex::new(None),
        }
    }

    /// Takes in one pending approval.
    pub(super) fn take_in(&self, id: ApprovalId) {
        if REVIEWS.get() {
            let decision = Decision::reject("a reviewer asked, and would wait for itself");
            self.work.decide(id, &decision);
        } else if self.enqueue(id).is_err() {
            let decision = Decision::reject("the reviewer's thread could not be started");
            self.work.decide(id, &decision);
        }
    }

    fn enqueue(&self, id: ApprovalId) -> Result<(), NoThread> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_some_and(|sender| sender.send(id).is_ok()) {
            return Ok(());
        }
        // The first, or the thread is gone, which only an abort of it could cause.
        let (sender, receiver) = channel();
        let work = Arc::clone(&self.work);
        std::thread::Builder::new()
            .name("sernixa-reviewer".to_owned())
            .spawn(move || work.run(&receiver))
            .map_err(|_| NoThread)?;
        sender.send(id).map_err(|_| NoThread)?;
        *queue = Some(sender);
        Ok(())
    }
}

struct NoThread;

impl Work {
    /// Until the desk is gone and the queue is empty.
    fn run(&self, queue: &Receiver<ApprovalId>) {
        REVIEWS.set(true);
        for id in queue {
            self.review_safely(id);
        }
    }

    /// A store, a clock or a subscriber of the user's may panic beside the reviewer. That ends this
    /// review with a no, and not the thread, in whose queue others wait.
    fn review_safely(&self, id: ApprovalId) {
        let reviewed = catch_unwind(AssertUnwindSafe(|| self.review(id)));
        if reviewed.is_err() {
            let decision = Decision::reject("something panicked around the review");
            // If the same panics again, nothing can be decided: the call waits until its deadline.
            let _ = catch_unwind(AssertUnwindSafe(|| self.decide(id, &decision)));
        }
    }

    fn review(&self, id: ApprovalId) {
        let now = self.moments.now();
        let Ok(record) = self.engine.record(&self.principal, id, &now) else {
            return;
        };
        // Decided, withdrawn or expired while it lay on the desk: nobody is asked any more.
        if record.status() != Status::PendingReview {
            return;
        }
        let reviewed = catch_unwind(AssertUnwindSafe(|| self.reviewer.review(&record)));
        let decision = reviewed.unwrap_or_else(|_| Decision::reject("the reviewer panicked"));
        self.decide(id, &decision);
    }

    fn decide(&self, id: ApprovalId, decision: &Decision) {
        let (decision, reason) = match &decision.0 {
            Kind::Approve(reason) => (engine::Decision::Approve, reason),
            Kind::Reject(reason) => (engine::Decision::Reject, reason),
            Kind::Leave => return,
        };
        let now = self.moments.now();
        let decided = self
            .engine
            .decide(&self.principal, id, decision, reason, &now);
        if let Err(refusal) = decided {
            // It may have been withdrawn meanwhile; then nothing is lost. Anything else is worth
            // a word: the call waits on.
            event!(
                self.log,
                WARN,
                approval_id = %id,
                why = refusal.word().as_str(),
                "a reviewer's decision was not taken"
            );
        }
    }
}
