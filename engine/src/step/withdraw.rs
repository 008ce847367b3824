//! Taking a request back, so that nobody reviews one that nobody waits for.

use sernixa_protocol::ApprovalStep;

use crate::answer::Reply;
use crate::approval::{ApprovalId, Execution, Expiry, Resume, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::delegation::StepSignature;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::step::signature::SignedAs;
use crate::step::{Step, refuse};
use crate::store::StoreError;

/// A withdrawal as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct WithdrawAsk {
    pub(crate) token: Box<str>,
    pub(crate) signature: Option<StepSignature>,
}

impl Step<'_> {
    pub(super) fn withdraw(
        &mut self,
        caller: &Principal,
        id: ApprovalId,
        ask: &WithdrawAsk,
    ) -> Result<Reply, StoreError> {
        let Some(mut approval) = self.visible(caller, id)? else {
            return Ok(refuse(Refusal::not_found()));
        };
        if let Err(refusal) = self.check_token(caller, &approval, &ask.token) {
            return Ok(refuse(refusal));
        }
        let signed = SignedAs {
            name: ApprovalStep::WITHDRAW,
            claim_id: None,
            signature: ask.signature.as_ref(),
            says: &[],
        };
        if let Err(refusal) = self.signed_like_the_submission(caller, &approval, signed)? {
            let entry = Entry::about(EventKind::WithdrawRefused, self.now(), &approval)
                .by(caller)
                .with(|object| object.string("decision", refusal.word().as_str()));
            self.append(&approval.subject.organisation, entry)?;
            return Ok(refuse(refusal));
        }
        if approval.subject.resume != Resume::Never {
            let reason = "a request with a resume_key waits for its next client";
            return Ok(refuse(Refusal::new(Word::Resumable, reason)));
        }
        match (approval.status, approval.execution) {
            // Nothing has started.
            (Status::PendingReview | Status::Approved, Execution::None) => {
                approval.status = Status::Expired;
                approval.expiry = Some(Expiry::Withdrawn);
                let entry = Entry::about(EventKind::Withdrawn, self.now(), &approval).by(caller);
                self.change(&mut approval, ChangeKind::Expired, entry)?;
                Ok(Reply::Record(approval))
            }
            // The retry of a lost answer.
            (Status::Expired, _) if approval.expiry == Some(Expiry::Withdrawn) => {
                Ok(Reply::Record(approval))
            }
            // What has started, or will never start, cannot be taken back.
            (Status::Approved, _) => {
                let reason = "the approval was used already";
                Ok(refuse(Refusal::new(Word::AlreadyClaimed, reason)))
            }
            // It has ended by itself.
            (status, _) => {
                let reason = "the request has ended already";
                Ok(refuse(Refusal::new(Word::Standing(status), reason)))
            }
        }
    }
}
