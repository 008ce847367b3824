//! The claim: one approval starts one execution (DESIGN 7, promise 3).

use std::borrow::Cow;
use std::sync::Arc;

use sernixa_protocol::ApprovalStep;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, Claim, Execution, Expiry, Status};
use crate::audit::{Entry, EventKind, Receipt};
use crate::change::ChangeKind;
use crate::delegation::StepSignature;
use crate::digest::{Digest, push_hex};
use crate::policy::{RequestVerdict, Verdict};
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::step::signature::SignedAs;
use crate::step::{Halt, Step, is_own, refuse};
use crate::store::StoreError;
use crate::text::Object;
use crate::token;

/// A claim as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct ClaimAsk {
    pub(crate) token: Box<str>,
    pub(crate) id: [u8; 16],
    pub(crate) body_hash: Digest,
    pub(crate) signature: Option<StepSignature>,
    /// What the policy in force says of the approval, where it was asked.
    pub(crate) verdict: Option<Verdict>,
}

/// Why what a person has approved may not start.
pub(super) const NOT_PERMITTED: &str = "the policy has changed and no longer permits this action";

impl Step<'_> {
    pub(super) fn claim(
        &mut self,
        caller: &Principal,
        id: ApprovalId,
        ask: &ClaimAsk,
    ) -> Result<Reply, Halt> {
        let Some(mut approval) = self.visible(caller, id)? else {
            return Ok(refuse(Refusal::not_found()));
        };
        if let Err(refusal) = self.check_token(caller, &approval, &ask.token) {
            return Ok(self.refuse_claim(caller, &approval, refusal)?);
        }
        let mut claim_id = String::with_capacity(32);
        push_hex(&ask.id, &mut claim_id);
        let signed = SignedAs {
            name: ApprovalStep::CLAIM,
            claim_id: Some(&claim_id),
            signature: ask.signature.as_ref(),
            says: &[],
        };
        if let Err(refusal) = self.signed_like_the_submission(caller, &approval, signed)? {
            return Ok(self.refuse_claim(caller, &approval, refusal)?);
        }
        // The retry of an answer that was lost gets that answer again, whatever happened since.
        if let Some(claim) = approval.claim.as_deref()
            && claim.id == ask.id
        {
            return Ok(claimed(&approval, ask, claim.receipt));
        }
        match self.may_claim(caller, &mut approval, ask)? {
            Ok(()) => {
                let receipt = self.start(caller, &mut approval, ask)?;
                Ok(claimed(&approval, ask, receipt))
            }
            Err(refusal) => Ok(self.refuse_claim(caller, &approval, refusal)?),
        }
    }

    /// Only the principal that submitted may use a token, even where others see the record.
    pub(super) fn check_token(
        &self,
        caller: &Principal,
        approval: &Approval,
        presented: &str,
    ) -> Result<(), Refusal> {
        if is_own(caller, approval) {
            token::check(self.context.claim_key, approval, presented)
        } else {
            Err(Refusal::new(
                Word::InvalidClaimToken,
                "another key asked for this approval",
            ))
        }
    }

    /// The checks after the token, in the order of DESIGN 7.
    fn may_claim(
        &mut self,
        caller: &Principal,
        approval: &mut Approval,
        ask: &ClaimAsk,
    ) -> Result<Result<(), Refusal>, Halt> {
        // Bound to what was reviewed.
        if approval.subject.body_hash != ask.body_hash {
            let reason = "the approval is of another action, intent or metadata";
            return Ok(Err(Refusal::new(Word::BodyMismatch, reason)));
        }
        // `claim_by` is checked here too: whoever is late finds the approval expired.
        if approval.status != Status::Approved {
            return Ok(Err(not_approved(approval)));
        }
        // Once: claimed, delivered to a client that does not claim, or given up.
        if approval.execution != Execution::None {
            let reason = "the approval was used already";
            return Ok(Err(Refusal::new(Word::AlreadyClaimed, reason)));
        }
        // The delegation may have ended since, at any of its links.
        if let Err(broken) = self.still_delegated(approval)? {
            let word = Word::DelegationEnded(broken);
            return Ok(Err(Refusal::new(word, broken.reason())));
        }
        let verdict = ask.verdict.as_ref();
        let permitted = self.recheck_policy(caller, approval, verdict)?;
        Ok(permitted.map_err(|evidence| {
            Refusal::new(Word::PolicyChanged, NOT_PERMITTED).with_evidence(evidence)
        }))
    }

    /// When the policy set has changed since the approval was judged, it must still permit it; else
    /// this is what supports the refusal.
    pub(super) fn recheck_policy(
        &mut self,
        caller: &Principal,
        approval: &mut Approval,
        verdict: Option<&Verdict>,
    ) -> Result<Result<(), Object>, Halt> {
        if approval.policy_digest == self.context.policy {
            return Ok(Ok(()));
        }
        let verdict = match verdict {
            Some(verdict) if verdict.digest == self.context.policy => verdict,
            // Not asked yet, or asked of a set that is gone.
            _ => return Err(Halt::Judge(Box::new(approval.clone()))),
        };
        if verdict.request != RequestVerdict::Permit {
            return Ok(Err(Object::new()
                .digest("policy_digest", &verdict.digest)
                .because(verdict.request_because())));
        }
        let entry = Entry::about(EventKind::PolicyRechecked, self.now(), approval)
            .by(caller)
            .with(|object| {
                object
                    .digest("policy_digest_before", &approval.policy_digest)
                    .digest("policy_digest", &verdict.digest)
            });
        let receipt = self.append(&approval.subject.organisation, entry)?;
        self.keep(approval, receipt, None)?;
        Ok(Ok(()))
    }

    fn start(
        &mut self,
        caller: &Principal,
        approval: &mut Approval,
        ask: &ClaimAsk,
    ) -> Result<Receipt, StoreError> {
        let now = self.now();
        approval.execution = Execution::Claimed;
        // The claim id is shown nowhere again; its digest lets the claimer prove it.
        let entry = Entry::about(EventKind::Claimed, now, approval)
            .by(caller)
            .with(|object| object.digest("claim", &Digest::of(&ask.id)));
        let receipt = self.append(&approval.subject.organisation, entry)?;
        approval.claim = Some(Arc::new(Claim {
            id: ask.id,
            at: now,
            receipt,
        }));
        self.keep(approval, receipt, Some(ChangeKind::Claimed))?;
        self.state
            .mark_claimed(caller.organisation(), caller.key())?;
        Ok(receipt)
    }

    /// A refused claim is a fact worth keeping: someone tried to start something.
    fn refuse_claim(
        &mut self,
        caller: &Principal,
        approval: &Approval,
        refusal: Refusal,
    ) -> Result<Reply, StoreError> {
        let entry = Entry::about(EventKind::ClaimRefused, self.now(), approval)
            .by(caller)
            .with(|object| object.string("decision", refusal.word().as_str()));
        self.append(&approval.subject.organisation, entry)?;
        Ok(refuse(refusal))
    }
}

fn claimed(approval: &Approval, ask: &ClaimAsk, receipt: Receipt) -> Reply {
    Reply::Claimed {
        approval_id: approval.id,
        claim_id: ask.id,
        body_hash: approval.subject.body_hash,
        receipt,
    }
}

/// Why an approval that is not `approved` cannot be claimed, under its own word.
fn not_approved(approval: &Approval) -> Refusal {
    let reason: Cow<'static, str> = match approval.status {
        Status::PendingReview => "nobody has decided yet".into(),
        Status::Rejected => match approval.decided.as_deref() {
            Some(decided) => decided.reason.to_string().into(),
            None => "the request was rejected".into(),
        },
        Status::Expired => approval
            .expiry
            .map_or("the approval has expired", Expiry::as_str)
            .into(),
        Status::Blocked => "the request is blocked".into(),
        Status::AutoApproved => "what runs at once is not claimed".into(),
        // Not reached: this is asked about the other statuses only.
        Status::Approved => "the approval cannot be claimed".into(),
    };
    Refusal::new(Word::Standing(approval.status), reason)
}
