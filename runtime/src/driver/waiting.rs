//! One call that waits for its decision: looks, claims, or takes the request back.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use super::Reply;
use super::call::deliver;
use super::desk::{Desk, Exchanged, Waiter, Working};
use super::race::{Either, race};
use crate::core::closed;
use crate::error::{Error, Refusal};
use crate::grant::{Asked, Grant, report_to};
use crate::judge::{self, Looked, Step, Ticket};
use crate::random;
use crate::retry;
use crate::steps::{self, About};
use crate::transport::{Endpoint, Fault, Request};
use crate::wait::{News, Next, Wait};

/// So long after an approval's end of life it is looked at: by then it has lapsed, whoever's clock
/// is a little behind.
const LAPSED: Duration = Duration::from_millis(20);

/// How a wait ended.
enum End {
    /// Approved.
    Open,
    /// A decision against it, or an answer that cannot be trusted.
    Refused(Error),
    /// Nobody decided in time.
    TimedOut,
    /// The caller went away.
    Dropped,
    /// A later call took the approval up, and only that one can claim it.
    Superseded,
    /// The client was closed.
    Closed,
}

/// Waits for the decision, claims where claims are offered, and answers the caller.
///
/// What it holds on to is boxed: an `async fn` keeps its arguments twice, and ten thousand calls
/// wait here.
pub(super) async fn wait(desk: Working, ticket: Box<Ticket>, asked: Box<Asked>, mut reply: Reply) {
    let end = {
        let waiter = desk.await_news(&ticket);
        watch(&desk, &waiter, &ticket, &asked, &mut reply).await
    };
    match end {
        End::Open if reply.is_canceled() => take_back(&desk, &ticket, &asked),
        // On the heap, so that a waiting call does not hold what only claiming needs.
        End::Open => Box::pin(open(desk, ticket, asked, reply)).await,
        End::Refused(error) => {
            let _ = reply.send(Err(error));
        }
        End::TimedOut => {
            take_back(&desk, &ticket, &asked);
            let _ = reply.send(Err(timed_out(&desk, &ticket)));
        }
        End::Dropped => take_back(&desk, &ticket, &asked),
        // Not taken back: it belongs to the later call.
        End::Superseded => {
            let message = "a later call took the approval up; that one goes on waiting for it";
            let refusal = Refusal::new(message).with_status("superseded".to_owned());
            let refusal = refusal.approval(ticket.approval_id.as_str());
            let _ = reply.send(Err(Error::Replay(refusal.boxed())));
        }
        End::Closed => {
            take_back(&desk, &ticket, &asked);
            let _ = reply.send(Err(closed().about_approval(ticket.approval_id.as_str())));
        }
    }
}

/// Looks at the record until it says how the wait ends.
async fn watch(
    desk: &Rc<Desk>,
    waiter: &Waiter,
    ticket: &Ticket,
    asked: &Asked,
    reply: &mut Reply,
) -> End {
    let settings = &desk.core.settings;
    let news = if desk.is_pushed() {
        News::Pushed
    } else {
        News::Polled
    };
    let begin = settings.clock.monotonic();
    let expires = ticket.expires_at.map(|at| {
        let left = at.saturating_sub(settings.clock.unix_millis());
        begin.saturating_add(Duration::from_millis(left) + LAPSED)
    });
    let mut wait = Wait::new(
        begin,
        settings.poll_timeout,
        settings.poll_interval,
        news,
        expires,
    );
    loop {
        let looked = match race(pin!(look(desk, ticket, asked, &wait)), pin!(gone(reply))).await {
            Either::First(Ok(Some(looked))) => looked,
            Either::First(Ok(None)) => return End::TimedOut,
            Either::First(Err(error)) => return End::Refused(error),
            Either::Second(()) => return End::Dropped,
        };
        if waiter.is_superseded() {
            return End::Superseded;
        }
        if looked == Looked::Open {
            return End::Open;
        }
        if desk.core.is_closed() {
            return End::Closed;
        }
        let now = settings.clock.monotonic();
        let Next::Look(at) = wait.after(looked, now, retry::chance()) else {
            return End::TimedOut;
        };
        let mut pause = settings.clock.sleep(at.saturating_sub(now));
        let news = pin!(waiter.news());
        match race(pin!(race(news, pause.as_mut())), pin!(gone(reply))).await {
            Either::First(_) if desk.core.is_closed() => return End::Closed,
            Either::First(_) if waiter.is_superseded() => return End::Superseded,
            Either::First(_) if wait.over(settings.clock.monotonic()) => return End::TimedOut,
            Either::First(_) => {}
            Either::Second(()) => return End::Dropped,
        }
    }
}

/// One look at the record, in the lane of the looks. `None`: the wait's deadline passed.
async fn look(
    desk: &Rc<Desk>,
    ticket: &Ticket,
    asked: &Asked,
    wait: &Wait,
) -> Result<Option<Looked>, Error> {
    let settings = &desk.core.settings;
    let transport = &desk.core.transport;
    let request = Request::get(Endpoint::Record(ticket.approval_id.clone()));
    let left = wait
        .deadline()
        .map(|end| end.saturating_sub(settings.clock.monotonic()));
    let result = if transport.retries() {
        let sending = async {
            let Some(place) = desk.looks.enter().await else {
                return Err(Fault::Timeout);
            };
            // On the heap: few are in the lane, but thousands wait for it.
            let sending = transport.send(request);
            Box::pin(place.await_answer(sending, &*settings.clock)).await
        };
        let mut sending = pin!(sending);
        match left {
            None => sending.await,
            Some(left) => match race(sending.as_mut(), settings.clock.sleep(left).as_mut()).await {
                Either::First(result) => result,
                Either::Second(()) => return Ok(None),
            },
        }
    } else {
        // An engine in the process answers when it is asked.
        transport.send(request).await
    };
    match result {
        Ok(answer) => judge::record(&desk.core.terms(asked), ticket, &answer).map(Some),
        // The wait goes on without it (DESIGN 6).
        Err(Fault::Unreachable(_) | Fault::Timeout | Fault::Interrupted(_)) => {
            Ok(Some(Looked::Trouble(None)))
        }
        Err(fault @ Fault::TooLarge) => {
            let error = judge::fault(Step::Submitting, &settings.base, fault, true);
            Err(error.about_approval(ticket.approval_id.as_str()))
        }
    }
}

/// Ends when the caller has gone away.
fn gone(reply: &mut Reply) -> impl Future<Output = ()> {
    poll_fn(|context| reply.poll_canceled(context))
}

/// The approval is given: claims it where that is offered, and lets the body run.
async fn open(desk: Working, ticket: Box<Ticket>, asked: Box<Asked>, reply: Reply) {
    if let (true, Some(token)) = (ticket.offers.claim, &ticket.claim_token) {
        let claim_id = match random::id() {
            Ok(id) => id,
            Err(error) => {
                // No claim was sent: nobody need hold the approval for this call.
                take_back(&desk, &ticket, &asked);
                let _ = reply.send(Err(error.about_approval(ticket.approval_id.as_str())));
                return;
            }
        };
        let body = steps::claim(about(&desk, &ticket, &asked), token, &claim_id);
        let request = Request::post(Endpoint::Claim(ticket.approval_id.clone()), body);
        // From here on the request is not taken back: the claim may have arrived.
        let Exchanged {
            result,
            sent_before,
        } = desk.exchange(&request).await;
        let claimed = match result {
            Ok(answer) => judge::claim(&desk.core.terms(&asked), &ticket, &claim_id, &answer),
            Err(fault) => {
                let base = &desk.core.settings.base;
                let error = judge::fault(Step::Claiming, base, fault, sent_before);
                Err(error.about_approval(ticket.approval_id.as_str()))
            }
        };
        if let Err(error) = claimed {
            // Whatever became of the claim, no body begins here.
            desk.not_started(report_to(*ticket, *asked));
            let _ = reply.send(Err(error));
            return;
        }
    }
    deliver(&desk, reply, Grant::after_wait(*ticket, *asked));
}

/// Withdraws a request that nobody waits for any more, where that is offered. With a `resume_key`
/// it stays for whoever comes back.
fn take_back(desk: &Rc<Desk>, ticket: &Ticket, asked: &Asked) {
    if asked.resumable || !ticket.offers.withdraw {
        return;
    }
    if let Some(token) = &ticket.claim_token {
        let body = steps::withdraw(about(desk, ticket, asked), token);
        desk.send_quietly(Request::post(
            Endpoint::Withdraw(ticket.approval_id.clone()),
            body,
        ));
    }
}

fn about<'a>(desk: &Desk, ticket: &'a Ticket, asked: &'a Asked) -> About<'a> {
    About {
        approval_id: &ticket.approval_id,
        body_hash: &asked.body_hash,
        signer: asked.signer.as_ref(),
        now: desk.core.now(),
    }
}

fn timed_out(desk: &Desk, ticket: &Ticket) -> Error {
    let seconds = desk.core.settings.poll_timeout.as_secs_f64();
    let message =
        format!("nobody decided within {seconds} s (SERNIXA_POLL_TIMEOUT_SECONDS); ask again");
    let refusal = Refusal::new(message).approval(ticket.approval_id.as_str());
    Error::Timeout(refusal.maybe_submitted().boxed())
}
