//! One call from its submission to its grant.

use std::rc::Rc;

use super::desk::{Desk, Exchanged, Working};
use super::{Reply, waiting};
use crate::core::closed;
use crate::grant::{Asked, Grant};
use crate::judge::{self, Step, Submitted};
use crate::transport::Request;

/// Submits, and hands over to the wait if it comes to one.
///
/// A caller that goes away while the request is under way changes nothing about it: the service may
/// have it already, so the answer is needed to withdraw it.
pub(super) async fn submit(desk: Working, request: Request, asked: Box<Asked>, reply: Reply) {
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
        Ok(answer) => desk.core.judge(&asked, &answer).map_err(|error| {
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
        Ok(Submitted::Run(allowed)) => deliver(&desk, reply, Grant::at_once(allowed, *asked)),
        Ok(Submitted::Wait(ticket)) => waiting::wait(desk, Box::new(ticket), asked, reply).await,
        Err(error) => {
            let _ = reply.send(Err(error));
        }
    }
}

/// Hands the grant to the caller; one that has gone never starts its body.
pub(super) fn deliver(desk: &Rc<Desk>, reply: Reply, grant: Grant) {
    if let Err(Ok(grant)) = reply.send(Ok(grant)) {
        desk.not_started(grant.report);
    }
}
