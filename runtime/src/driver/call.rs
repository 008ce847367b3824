//! One call from its submission to its grant.

use super::desk::{Exchanged, Working, spawn};
use super::{Reply, waiting};
use crate::core::closed;
use crate::grant::{Asked, Awaited, Grant, Told};
use crate::judge::{self, Judged, Step, Ticket};
use crate::transport::Request;

/// Submits, tells what came of it, and hands over to the wait if it comes to one.
///
/// A caller that goes away while the request is under way changes nothing about it: the service may
/// have it already, so the answer is needed to withdraw it.
pub(super) async fn submit(
    desk: Working,
    request: Request,
    mut asked: Box<Asked>,
    reply: Reply<Told>,
) {
    let Exchanged {
        result,
        sent_before,
    } = {
        let Ok(_slot) = desk.submissions.acquire().await else {
            return;
        };
        // Nothing was sent yet, so nothing has to be taken back.
        if reply.is_canceled() {
            return;
        }
        if desk.core.is_closed() {
            let _ = reply.send(Err(closed()));
            return;
        }
        desk.exchange(&request).await
    };
    let judged = match result {
        Ok(answer) => desk.core.judge(&mut asked, &answer).map_err(|error| {
            if sent_before {
                error.maybe_submitted()
            } else {
                error
            }
        }),
        Err(fault) => {
            let base = &desk.core.settings.base;
            Err(judge::fault(Step::Submitting, base, fault, sent_before))
        }
    };
    match judged {
        Ok(Judged::Run(allowed)) => {
            let grant = Grant::at_once(allowed, *asked);
            // A caller that has gone never starts its body.
            if let Err(Ok(Told::Granted(grant))) = reply.send(Ok(Told::Granted(grant))) {
                desk.not_started(grant.report);
            }
        }
        Ok(Judged::Wait(ticket)) => {
            let decision = tell(reply, &ticket, &asked);
            // A task of its own: what only submitting needs is not kept while it waits.
            spawn(waiting::wait(desk, Box::new(ticket), asked, decision));
        }
        Err(error) => {
            let _ = reply.send(Err(error));
        }
    }
}

/// Tells the caller that it waits, and gives what its decision goes to. With a caller that has gone
/// goes the other end of that, as the wait will see.
fn tell(reply: Reply<Told>, ticket: &Ticket, asked: &Asked) -> Reply<Grant> {
    let (awaited, decision) = Awaited::new(ticket, asked);
    let _ = reply.send(Ok(Told::Awaited(awaited)));
    decision
}
