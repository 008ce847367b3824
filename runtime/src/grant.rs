//! Leave to run, on its way from the judge to the caller's `Permit`.

use std::time::Duration;

use futures_channel::oneshot;

use crate::delegation::Signer;
use crate::error::Error;
use crate::judge::{Allowed, Ticket};
use crate::outcome::{Proof, ReportTo};
use crate::transport::ApprovalId;
use sernixa_protocol::RiskLevel;

/// What of a call is still needed once its body was sent.
pub(crate) struct Asked {
    pub(crate) risk: RiskLevel,
    pub(crate) request_id: Box<str>,
    /// 64 hex digits; of a tool call empty until the service has said it.
    pub(crate) body_hash: Box<str>,
    /// It has a `resume_key`: whoever waits may leave, and the request stays.
    pub(crate) resumable: bool,
    /// Signs the steps of a delegated call.
    pub(crate) signer: Option<Signer>,
    /// How long it waits for a decision at most.
    pub(crate) patience: Duration,
}

impl Asked {
    /// The approval stays when its waiter leaves, for the same request.
    pub(crate) fn can_resume(&self, ticket: &Ticket) -> bool {
        self.resumable && ticket.offers.resume
    }
}

/// What an answer to the submission says, if it is no refusal.
pub(crate) enum Told {
    /// The body may run.
    Granted(Grant),
    /// Somebody has to decide first.
    Awaited(Awaited),
}

/// An approval that is awaited, as far as the caller needs it.
pub(crate) struct Awaited {
    pub(crate) approval_id: ApprovalId,
    /// When it lapses undecided: milliseconds since 1970, if it was said.
    pub(crate) expires_at: Option<u64>,
    /// It stays when its waiter leaves, for the same request.
    pub(crate) can_resume: bool,
    /// Brings the decision. Dropped: nobody waits for it any more.
    pub(crate) decision: oneshot::Receiver<Result<Grant, Error>>,
}

impl Awaited {
    /// Of a call that waits, and the sender that its decision goes to.
    pub(crate) fn new(
        ticket: &Ticket,
        asked: &Asked,
    ) -> (Self, oneshot::Sender<Result<Grant, Error>>) {
        let (reply, decision) = oneshot::channel();
        let awaited = Self {
            approval_id: ticket.approval_id.clone(),
            expires_at: ticket.expires_at,
            can_resume: asked.can_resume(ticket),
            decision,
        };
        (awaited, reply)
    }
}

/// The body may run.
pub(crate) struct Grant {
    pub(crate) approval_id: Option<ApprovalId>,
    /// Where its outcome goes, if anywhere.
    pub(crate) report: Option<ReportTo>,
    /// How it came to be: `accepted`, or `approved` after a wait.
    pub(crate) status: &'static str,
}

impl Grant {
    /// Of a call that was allowed at once.
    pub(crate) fn at_once(allowed: Allowed, asked: Asked) -> Self {
        let report = match &allowed.approval_id {
            Some(id) if allowed.offers.outcome => Some(ReportTo {
                approval_id: id.clone(),
                proof: Proof::RequestId(asked.request_id),
                body_hash: asked.body_hash,
                signer: asked.signer,
            }),
            _ => None,
        };
        Self {
            approval_id: allowed.approval_id,
            report,
            status: "accepted",
        }
    }

    /// Of a call that waited, and claimed where claims are offered.
    pub(crate) fn after_wait(ticket: Ticket, asked: Asked) -> Self {
        let approval_id = ticket.approval_id.clone();
        let report = report_to(ticket, asked);
        Self {
            approval_id: Some(approval_id),
            report,
            status: "approved",
        }
    }
}

/// Where the outcome of a call that waited goes.
pub(crate) fn report_to(ticket: Ticket, asked: Asked) -> Option<ReportTo> {
    ticket.offers.outcome.then(|| ReportTo {
        approval_id: ticket.approval_id,
        proof: match ticket.claim_token {
            Some(token) => Proof::ClaimToken(token),
            None => Proof::RequestId(asked.request_id),
        },
        body_hash: asked.body_hash,
        signer: asked.signer,
    })
}
