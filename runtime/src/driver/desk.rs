//! What all jobs of one driver share: the lanes, the waiters, what is sent
//! in the background.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};

use super::lane::Lane;
use super::stream::{self, Stream, Wanted};
use super::{Job, call, waiting};
use crate::company::Then;
use crate::core::Core;
use crate::driver::race::{Either, race};
use crate::judge::{self, Step, Ticket};
use crate::logging::{Verbosity, event};
use crate::outcome::{BATCH, Entry, Outcome, ReportTo};
use crate::retry;
use crate::transport::{Answer, ApprovalId, Fault, Push, Request, Subscription};
use crate::wait::News;

/// The most claims under way at a time.
const CLAIMS: usize = 32;

/// The desk of one driver.
pub(super) struct Desk {
    pub(super) core: Arc<Core>,
    /// Attempts after the first; none where another cannot end better.
    max_retries: u32,
    /// `max_async_in_flight`: submissions, retries included; never a wait.
    pub(super) submissions: Semaphore,
    pub(super) looks: Lane,
    /// Claims under way: a reviewer may approve thousands at once, and each opens a connection.
    pub(super) claims: Semaphore,
    waiters: RefCell<HashMap<ApprovalId, Vec<Rc<Bell>>>>,
    /// The last attachment to each open approval that more than one call took up, as pushed.
    taken_up: RefCell<HashMap<ApprovalId, u64>>,
    /// Present where changes are pushed.
    subscription: Option<Subscription>,
    /// What tells changes where they come over the wire.
    pub(super) stream: Stream,
    /// Tasks that `close` waits for.
    tasks: Cell<usize>,
    idle: Notify,
}

/// How a request with its retries ended.
pub(super) struct Exchanged {
    pub(super) result: Result<Answer, Fault>,
    /// An attempt before the last may have arrived.
    pub(super) sent_before: bool,
}

impl Desk {
    /// A desk without jobs.
    pub(super) fn new(core: Arc<Core>, subscription: Option<Subscription>) -> Rc<Self> {
        let max_retries = if core.transport.retries() {
            core.settings.max_retries
        } else {
            0
        };
        Rc::new(Self {
            max_retries,
            // A semaphore panics past its most, and "no limit" is often said by a greater number.
            submissions: Semaphore::new(
                core.settings
                    .max_async_in_flight
                    .min(Semaphore::MAX_PERMITS),
            ),
            looks: Lane::new(),
            claims: Semaphore::new(CLAIMS),
            waiters: RefCell::default(),
            taken_up: RefCell::default(),
            subscription,
            stream: Stream::default(),
            tasks: Cell::new(0),
            idle: Notify::new(),
            core,
        })
    }

    /// Takes jobs until the client is closed or gone.
    pub(super) async fn run(
        core: Arc<Core>,
        mut queue: mpsc::UnboundedReceiver<Job>,
        subscription: Option<Subscription>,
    ) {
        let desk = Self::new(core, subscription);
        let mut closer = None;
        while let Some(job) = queue.recv().await {
            if let Job::Close(done) = job {
                closer = Some(done);
                break;
            }
            desk.take(job);
        }
        desk.wind_down().await;
        if let Some(done) = closer {
            // Whoever closed may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn take(self: &Rc<Self>, job: Job) {
        let desk = self.working();
        match job {
            Job::Submit {
                request,
                asked,
                reply,
            } => spawn(call::submit(desk, request, asked, reply)),
            Job::Wait {
                ticket,
                asked,
                reply,
            } => spawn(waiting::wait(desk, ticket, asked, reply)),
            Job::Watch => self.watch_outcomes(),
            Job::Flush => self.flush(),
            Job::Send { request, reply } => spawn(async move {
                let Exchanged {
                    result,
                    sent_before,
                } = desk.exchange(&request).await;
                let base = &desk.core.settings.base;
                let step = Step::of(&request.endpoint);
                let fault = |fault| judge::fault(step, base, fault, sent_before);
                let _ = reply.send(result.map_err(fault));
            }),
            Job::Woken(id, push) => self.woken(&id, push),
            // Taken by `run`.
            Job::Close(_) => {}
        }
    }

    /// For a task that `close` waits for.
    pub(super) fn working(self: &Rc<Self>) -> Working {
        self.tasks.set(self.tasks.get() + 1);
        Working(Rc::clone(self))
    }

    /// Sends, and sends again while that may help: the same bytes, at most 120 s in all.
    pub(super) async fn exchange(&self, request: &Request) -> Exchanged {
        let settings = &self.core.settings;
        let max_retries = if request.retried { self.max_retries } else { 0 };
        let begin = settings.clock.monotonic();
        let (mut attempt, mut sent_before) = (0, false);
        let mut left = retry::ALL_ATTEMPTS;
        loop {
            let result = self.attempt(request.clone(), left).await;
            if !retry::worth_another(&result) {
                return Exchanged {
                    result,
                    sent_before,
                };
            }
            let elapsed = settings.clock.monotonic().saturating_sub(begin);
            let chance = retry::chance();
            let Some(pause) = retry::pause(attempt, max_retries, elapsed, &result, chance) else {
                return Exchanged {
                    result,
                    sent_before,
                };
            };
            sent_before |= !matches!(result, Err(Fault::Unreachable(_)));
            attempt += 1;
            settings.clock.sleep(pause).await;
            left = retry::ALL_ATTEMPTS.saturating_sub(elapsed + pause);
        }
    }

    /// One attempt, which ends within `left`.
    pub(super) async fn attempt(&self, request: Request, left: Duration) -> Result<Answer, Fault> {
        let Core {
            settings,
            transport,
            ..
        } = &*self.core;
        let mut sending = transport.send(request);
        // The transport's own timeout is enough, unless less is left.
        if settings.timeout <= left {
            return sending.await;
        }
        match race(sending.as_mut(), settings.clock.sleep(left).as_mut()).await {
            Either::First(result) => result,
            Either::Second(()) => Err(Fault::Timeout),
        }
    }

    /// How the waiter for this ticket hears of its decision, as things are now.
    pub(super) fn news_of(&self, ticket: &Ticket) -> News {
        if self.subscription.is_some() || (ticket.offers.events && self.stream.is_up()) {
            News::Pushed
        } else {
            News::Polled
        }
    }

    /// The stream told a change. Of approvals that nobody here waits for nothing is kept.
    pub(super) fn heard(&self, id: &ApprovalId, push: Push) {
        if self.waiters.borrow().contains_key(id) {
            self.woken(id, push);
        }
    }

    /// The stream is gone: whoever relied on it looks again, every interval.
    pub(super) fn stream_lost(&self) {
        for bell in self.waiters.borrow().values().flatten() {
            bell.rung.notify_one();
        }
    }

    /// Registers a waiter.
    pub(super) fn await_news(self: &Rc<Self>, ticket: &Ticket) -> Waiter {
        let id = &ticket.approval_id;
        let bell = Rc::new(Bell::new(ticket));
        let offered = ticket.offers.events && self.subscription.is_none();
        let wanted = offered.then(|| stream::want(self, ticket.attached));
        if let Some(attached) = bell.attached {
            // Only the last to attach may claim. Calls of several threads may register in another
            // order than they attached in.
            self.wake(id, Push::Superseded(attached));
            if let Some(latest) = self.taken_up.borrow().get(id) {
                bell.ring(Push::Superseded(*latest));
            }
        }
        let mut waiters = self.waiters.borrow_mut();
        if waiters.is_empty() {
            self.core.transport.awaited(true);
        }
        for other in waiters.get(id).into_iter().flatten() {
            if let Some(latest) = other.attached {
                bell.ring(Push::Superseded(latest));
            }
        }
        waiters
            .entry(id.clone())
            .or_insert_with(|| Vec::with_capacity(1))
            .push(Rc::clone(&bell));
        Waiter {
            desk: Rc::clone(self),
            id: id.clone(),
            bell,
            _wanted: wanted,
        }
    }

    fn woken(&self, id: &ApprovalId, push: Push) {
        match push {
            Push::Superseded(seq) => {
                let mut taken_up = self.taken_up.borrow_mut();
                let latest = taken_up.entry(id.clone()).or_default();
                *latest = seq.max(*latest);
            }
            // It is over: nobody takes it up any more.
            Push::Changed | Push::Approved => drop(self.taken_up.borrow_mut().remove(id)),
        }
        self.wake(id, push);
    }

    fn wake(&self, id: &ApprovalId, push: Push) {
        for waiter in self.waiters.borrow().get(id).into_iter().flatten() {
            waiter.ring(push);
        }
    }

    /// Sends the outcomes that wait when it is time, until none waits.
    fn watch_outcomes(self: &Rc<Self>) {
        let desk = Rc::clone(self);
        // Not counted: `close` does not wait for it, but flushes.
        spawn(async move {
            let clock = &desk.core.settings.clock;
            while let Some(left) = desk.core.outcomes.watch(clock.monotonic()) {
                if left.is_zero() {
                    desk.flush();
                } else {
                    clock.sleep(left).await;
                }
            }
        });
    }

    /// Reports that the body of a call did not begin, where such reports are taken.
    pub(super) fn not_started(self: &Rc<Self>, to: Option<ReportTo>) {
        let Some(to) = to else {
            return;
        };
        let entry = Entry {
            to,
            outcome: Outcome::NotStarted,
            duration: Duration::ZERO,
            error_text: None,
        };
        let now = self.core.settings.clock.monotonic();
        match self.core.outcomes.join(entry, now) {
            // Over: what was to be delivered before the end is delivered.
            Ok(Then::Nothing) | Err(_) => {}
            Ok(Then::Watch) => self.watch_outcomes(),
            Ok(Then::Send) => self.flush(),
        }
    }

    fn flush(self: &Rc<Self>) {
        while let Some(request) = self.core.report_of_outcomes(BATCH) {
            self.send_quietly(request);
        }
    }

    /// Sends something whose answer changes nothing for any caller.
    pub(super) fn send_quietly(self: &Rc<Self>, request: Request) {
        let desk = self.working();
        spawn(async move {
            let log = desk.core.settings.log;
            match desk.exchange(&request).await.result {
                Ok(answer) => note(log, &request, &answer),
                Err(fault) => event!(log, DEBUG, ?request, ?fault, "not delivered"),
            }
        });
    }

    /// Ends what waits, sends what is queued, and waits for it, but not longer than one request may
    /// take.
    async fn wind_down(self: Rc<Self>) {
        self.core.close();
        for waiter in self.waiters.borrow().values().flatten() {
            waiter.ring(Push::Changed);
        }
        self.flush();
        let done = async {
            while self.tasks.get() > 0 {
                self.idle.notified().await;
                // What has ended may have left something to report.
                self.flush();
            }
        };
        // By the system's clock: a test's clock may stand still.
        let bound = tokio::time::sleep(self.core.settings.timeout);
        race(pin!(done), pin!(bound)).await;
        self.core.outcomes.end();
        // What came since then, where that takes no waiting.
        while let Some(request) = self.core.report_of_outcomes(BATCH) {
            if let Some(Ok(answer)) = self.core.transport.answer_now(&request) {
                note(self.core.settings.log, &request, &answer);
            }
        }
    }
}

/// What calls a waiter.
struct Bell {
    rung: Notify,
    /// See [`Ticket::attached`]; only where approvals are claimed.
    attached: Option<u64>,
    superseded: Cell<bool>,
    /// What was pushed since the waiter last asked.
    pushed: Cell<Option<Push>>,
}

impl Bell {
    fn new(ticket: &Ticket) -> Self {
        Self {
            rung: Notify::new(),
            attached: ticket.attached.filter(|_| ticket.offers.claim),
            superseded: Cell::new(false),
            pushed: Cell::new(None),
        }
    }

    fn ring(&self, push: Push) {
        if let Push::Superseded(latest) = push {
            if self.attached.is_none_or(|attached| latest <= attached) {
                return;
            }
            self.superseded.set(true);
        }
        self.pushed.set(Some(push));
        self.rung.notify_one();
    }
}

/// A waiter's place among the waiters.
pub(super) struct Waiter {
    desk: Rc<Desk>,
    id: ApprovalId,
    bell: Rc<Bell>,
    /// Keeps the stream open.
    _wanted: Option<Wanted>,
}

impl Waiter {
    /// Ends when the approval changed, when the stream that would tell so is lost (`None`), or when
    /// the client was closed; also if that was before.
    pub(super) async fn news(&self) -> Option<Push> {
        self.bell.rung.notified().await;
        self.bell.pushed.take()
    }

    /// A later call took the approval up.
    pub(super) fn is_superseded(&self) -> bool {
        self.bell.superseded.get()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.desk.waiters.borrow_mut();
        if let Some(list) = waiters.get_mut(&self.id) {
            list.retain(|bell| !Rc::ptr_eq(bell, &self.bell));
            if list.is_empty() {
                waiters.remove(&self.id);
                self.desk.taken_up.borrow_mut().remove(&self.id);
                if waiters.is_empty() {
                    self.desk.core.transport.awaited(false);
                }
            }
        }
    }
}

/// Notes an answer that changes nothing for any caller.
pub(crate) fn note(log: Verbosity, request: &Request, answer: &Answer) {
    if answer.status != 200 {
        event!(log, DEBUG, ?request, status = answer.status, "not accepted");
    }
}

/// Runs a task. A panic ends this task alone, and its caller with an error.
pub(super) fn spawn(task: impl Future<Output = ()> + 'static) {
    // Nobody waits for it: its reply, or its count, says when it has ended.
    drop(tokio::task::spawn_local(task));
}

/// The desk of a task that is under way. Held by the task itself: a wrapper around it would double
/// what ten thousand waiting calls hold.
pub(super) struct Working(Rc<Desk>);

impl Deref for Working {
    type Target = Rc<Desk>;

    fn deref(&self) -> &Rc<Desk> {
        &self.0
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.tasks.set(self.tasks.get().saturating_sub(1));
        self.idle.notify_one();
    }
}
