//! One call that waits for its decision: looks, claims, or takes the request back.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use super::Reply;
use super::desk::{Desk, Exchanged, Waiter, Working};
use super::race::{Either, race};
use crate::core::closed;
use crate::error::{Error, Refusal, UNDECIDED};
use crate::grant::{Asked, Grant, report_to};
use crate::judge::{self, Looked, Step, Ticket};
use crate::random;
use crate::retry;
use crate::steps::{self, About};
use crate::transport::{Endpoint, Fault, Push, Request};
use crate::wait::{Next, Wait};

/// So long after an approval's end of life it is looked at: by then it has lapsed, whoever's clock
/// is a little behind.
const LAPSED: Duration = Duration::from_millis(20);

/// How a wait ended without leave to run.
enum End {
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

/// Who said that it is approved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Its record.
    Record,
    /// An event, which is a hint: a claim that is told "not yet" goes back to waiting.
    Event,
}

/// Waits for the decision, claims where claims are offered, and answers the caller.
///
/// What it holds on to is boxed: an `async fn` keeps its arguments twice, and ten thousand calls
/// wait here.
pub(super) async fn wait(
    desk: Working,
    ticket: Box<Ticket>,
    asked: Box<Asked>,
    mut reply: Reply<Grant>,
) {
    let waiter = desk.await_news(&ticket);
    let mut wait = begin(&desk, &ticket, &asked);
    // Without a claim nothing but the record decides.
    let mut hints = ticket.offers.claim && ticket.claim_token.is_some();
    loop {
        let watching = watch(
            &desk, &waiter, &ticket, &asked, &mut wait, hints, &mut reply,
        );
        let trust = match watching.await {
            Ok(trust) => trust,
            Err(why) => return end(&desk, &ticket, &asked, reply, why),
        };
        // The semaphore is not closed: there is a place for each in turn.
        let _place = desk.claims.acquire().await;
        if reply.is_canceled() {
            return end(&desk, &ticket, &asked, reply, End::Dropped);
        }
        // On the heap, so that a waiting call does not hold what only claiming needs.
        match Box::pin(claim(&desk, &ticket, &asked, trust)).await {
            Claimed::Yes => {
                let grant = Grant::after_wait(*ticket, *asked);
                // A caller that has gone never starts its body.
                if let Err(Ok(grant)) = reply.send(Ok(grant)) {
                    desk.not_started(grant.report);
                }
                return;
            }
            Claimed::No(error) => {
                // Whatever became of the claim, no body begins here.
                desk.not_started(report_to(*ticket, *asked));
                let _ = reply.send(Err(error));
                return;
            }
            // The event was wrong: from here on it takes the record to believe one.
            Claimed::NotYet => hints = false,
        }
    }
}

/// Tells the caller how its wait ended, and gives back what it held.
fn end(desk: &Working, ticket: &Ticket, asked: &Asked, reply: Reply<Grant>, end: End) {
    let id = ticket.approval_id.as_str();
    let error = match end {
        End::Refused(error) => error,
        End::TimedOut => {
            take_back(desk, ticket, asked);
            timed_out(desk, ticket, asked)
        }
        End::Dropped => return take_back(desk, ticket, asked),
        // Not taken back: it belongs to the later call.
        End::Superseded => {
            let message = "a later call took the approval up; that one goes on waiting for it";
            let refusal = Refusal::new(message).with_status("superseded".to_owned());
            Error::Replay(refusal.approval(id).boxed())
        }
        End::Closed => {
            take_back(desk, ticket, asked);
            closed().about_approval(id)
        }
    };
    let _ = reply.send(Err(error));
}

/// A wait that begins now.
fn begin(desk: &Desk, ticket: &Ticket, asked: &Asked) -> Wait {
    let settings = &desk.core.settings;
    let begin = settings.clock.monotonic();
    let expires = ticket.expires_at.map(|at| {
        let left = at.saturating_sub(settings.clock.unix_millis());
        begin.saturating_add(Duration::from_millis(left) + LAPSED)
    });
    Wait::new(begin, asked.patience, settings.poll_interval, expires)
}

/// Looks at the record until it says how the wait ends, or an event does.
async fn watch(
    desk: &Rc<Desk>,
    waiter: &Waiter,
    ticket: &Ticket,
    asked: &Asked,
    wait: &mut Wait,
    hints: bool,
    reply: &mut Reply<Grant>,
) -> Result<Trust, End> {
    let settings = &desk.core.settings;
    loop {
        let looked = match race(pin!(look(desk, ticket, asked, wait)), pin!(gone(reply))).await {
            Either::First(Ok(Some(looked))) => looked,
            Either::First(Ok(None)) => return Err(End::TimedOut),
            Either::First(Err(error)) => return Err(End::Refused(error)),
            Either::Second(()) => return Err(End::Dropped),
        };
        if waiter.is_superseded() {
            return Err(End::Superseded);
        }
        if looked == Looked::Open {
            return Ok(Trust::Record);
        }
        if desk.core.is_closed() {
            return Err(End::Closed);
        }
        let now = settings.clock.monotonic();
        let mut next = wait.after(looked, desk.news_of(ticket), now, retry::chance());
        loop {
            let Next::Look(at) = next else {
                return Err(End::TimedOut);
            };
            let now = settings.clock.monotonic();
            let mut pause = settings.clock.sleep(at.saturating_sub(now));
            let news = pin!(waiter.news());
            let woken = match race(pin!(race(news, pause.as_mut())), pin!(gone(reply))).await {
                Either::First(woken) => woken,
                Either::Second(()) => return Err(End::Dropped),
            };
            let now = settings.clock.monotonic();
            match woken {
                _ if desk.core.is_closed() => return Err(End::Closed),
                _ if waiter.is_superseded() => return Err(End::Superseded),
                _ if wait.over(now) => return Err(End::TimedOut),
                // The claim decides, so it need not be looked at before.
                Either::First(Some(Push::Approved)) if hints => return Ok(Trust::Event),
                // Nobody will tell: back to looking, but not all at once.
                Either::First(None) => next = wait.unpushed(now, retry::chance()),
                Either::First(Some(_)) | Either::Second(()) => break,
            }
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
    let id = ticket.approval_id.clone();
    // An approval that outlives its waiters shows whether there is one.
    let request = Request::get(if asked.can_resume(ticket) {
        Endpoint::Await(id)
    } else {
        Endpoint::Record(id)
    });
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
fn gone(reply: &mut Reply<Grant>) -> impl Future<Output = ()> {
    poll_fn(|context| reply.poll_canceled(context))
}

/// How a claim ended.
enum Claimed {
    /// The body may run; also where nothing is claimed.
    Yes,
    /// Nobody has decided yet, whatever the event said.
    NotYet,
    /// The body does not run.
    No(Error),
}

/// Claims an approval that is given, where that is offered.
async fn claim(desk: &Working, ticket: &Ticket, asked: &Asked, trust: Trust) -> Claimed {
    let (true, Some(token)) = (ticket.offers.claim, &ticket.claim_token) else {
        return Claimed::Yes;
    };
    let claim_id = match random::id() {
        Ok(id) => id,
        Err(error) => {
            // No claim was sent: nobody need hold the approval for this call.
            take_back(desk, ticket, asked);
            return Claimed::No(error.about_approval(ticket.approval_id.as_str()));
        }
    };
    let body = steps::claim(about(desk, ticket, asked), token, &claim_id);
    let request = Request::post(Endpoint::Claim(ticket.approval_id.clone()), body);
    // From here on the request is not taken back: the claim may have arrived.
    let Exchanged {
        result,
        sent_before,
    } = desk.exchange(&request).await;
    match result {
        Ok(answer) if trust == Trust::Event && judge::is_not_yet(&answer) => Claimed::NotYet,
        Ok(answer) => match judge::claim(&desk.core.terms(asked), ticket, &claim_id, &answer) {
            Ok(()) => Claimed::Yes,
            Err(error) => Claimed::No(error),
        },
        Err(fault) => {
            let base = &desk.core.settings.base;
            let error = judge::fault(Step::Claiming, base, fault, sent_before);
            Claimed::No(error.about_approval(ticket.approval_id.as_str()))
        }
    }
}

/// Withdraws a request that nobody waits for any more, where that is offered. One that can be resumed
/// stays for whoever comes back; a `resume_key` alone is no reason: where the service does not resume,
/// nobody could take it up again.
fn take_back(desk: &Rc<Desk>, ticket: &Ticket, asked: &Asked) {
    if asked.can_resume(ticket) || !ticket.offers.withdraw {
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

fn timed_out(desk: &Desk, ticket: &Ticket, asked: &Asked) -> Error {
    let seconds = asked.patience.as_secs_f64();
    let who = if asked.patience < desk.core.settings.poll_timeout {
        "as long as this action waits"
    } else {
        "SERNIXA_POLL_TIMEOUT_SECONDS"
    };
    let message = format!("nobody decided within {seconds} s ({who}); ask again");
    let refusal = Refusal::new(message)
        .with_status(UNDECIDED)
        .approval(ticket.approval_id.as_str());
    Error::Timeout(refusal.maybe_submitted().boxed())
}
