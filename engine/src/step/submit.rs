//! A submission: let through, put before a person, or refused.

use std::borrow::Cow;
use std::sync::Arc;

use sernixa_protocol::secrets::SecretKind;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, Execution, Resume, Status, Subject};
use crate::audit::{Entry, EventKind, Receipt};
use crate::change::ChangeKind;
use crate::delegation::Signed;
use crate::digest::Digest;
use crate::grant::{AutoApproved, LowOrMedium};
use crate::policy::{ProceedVerdict, RequestVerdict, Verdict};
use crate::principal::Principal;
use crate::refusal::Word;
use crate::step::block::Cause;
use crate::step::chain::Delegated;
use crate::step::{Halt, Step};
use crate::store::{StoreError, StoredAnswer};

/// A submission that keeps the contract, with what was found out about it before the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) subject: Arc<Subject>,
    /// SHA-256 of the raw body: tells a retry from a replay.
    pub(crate) request: Digest,
    pub(crate) nonce: Option<[u8; 16]>,
    /// What its verified envelope claims, of a delegated one.
    pub(crate) signed: Option<Signed>,
    pub(crate) found: Found,
}

/// What was found out before the transaction, in the order in which it counts.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Its envelope is refused: its signature, its time, or a nonce that is none.
    Envelope(Word, &'static str),
    /// It still holds a secret.
    Secret(SecretKind),
    /// Nothing against it; this is what the policy says.
    Judged(Verdict),
    /// Nothing against it yet: its delegation must be read before the policy is asked.
    Unjudged,
}

/// Why an action was let run without a person.
#[derive(Clone, Copy)]
enum Ground {
    Policy,
    Memory,
}

impl Step<'_> {
    pub(super) fn submit(
        &mut self,
        caller: &Principal,
        submission: &Submission,
    ) -> Result<Reply, Halt> {
        // Before the nonce is looked at: whoever cannot sign must not learn what was answered.
        if let Found::Envelope(word, reason) = &submission.found {
            return Ok(self.refuse_unkept(caller, submission, *word, reason)?);
        }
        if let Some(reply) = self.retry(caller, submission)? {
            return Ok(reply);
        }
        if let Some(signed) = &submission.signed {
            match self.delegated(caller, signed, &submission.subject)? {
                Delegated::Said => {}
                // The policy is asked about the subject with its delegation, outside of here.
                Delegated::Unsaid(delegation) => {
                    return Err(Halt::Delegated(Box::new(delegation)));
                }
                Delegated::Refused(refusal) => {
                    return Ok(self.refuse_delegation(caller, submission, &refusal)?);
                }
            }
        }
        match &submission.found {
            Found::Secret(kind) => {
                Ok(self.block(caller, submission, &Cause::Floor(*kind), None)?)
            }
            Found::Judged(verdict) => self.judge(caller, submission, verdict),
            Found::Unjudged | Found::Envelope(..) => Err(Halt::Stale),
        }
    }

    fn judge(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        verdict: &Verdict,
    ) -> Result<Reply, Halt> {
        let subject = &submission.subject;
        // The verdict counts only under the policy and delegation that hold now.
        if verdict.digest != self.context.policy
            || verdict.delegation_depth != subject.delegation_depth
        {
            return Err(Halt::Stale);
        }
        let cause = match &verdict.request {
            RequestVerdict::Permit => None,
            RequestVerdict::Deny(reason) => Some(Cause::Denied(reason.clone())),
            RequestVerdict::Error => Some(Cause::PolicyError),
            RequestVerdict::MetadataType { key, wanted } => {
                Some(Cause::MetadataType(key.clone(), wanted))
            }
            RequestVerdict::Broken => Some(Cause::EngineError),
        };
        if let Some(cause) = cause {
            return Ok(self.block(caller, submission, &cause, verdict.request_because())?);
        }
        if let Some(approval) = self.open_for(subject)? {
            return Ok(self.attach(caller, submission, approval, verdict)?);
        }
        match self.ground(subject, verdict)? {
            Ok((risk, ground)) => Ok(self.allow(caller, submission, verdict, risk, ground)?),
            Err(why) => Ok(self.ask(caller, submission, verdict, why)?),
        }
    }

    /// On what ground the action may run without a person, or why it waits for one.
    fn ground(
        &mut self,
        subject: &Subject,
        verdict: &Verdict,
    ) -> Result<Result<(LowOrMedium, Ground), Cow<'static, str>>, StoreError> {
        // The hard rule: whatever policy and memory say, a person decides what is grave.
        let Some(risk) = LowOrMedium::new(subject.risk) else {
            return Ok(Err(
                "a person decides what is of high or critical risk".into()
            ));
        };
        if verdict.proceed == ProceedVerdict::Proceed {
            return Ok(Ok((risk, Ground::Policy)));
        }
        if let Some(fingerprint) = &subject.fingerprint
            && let Some(memory) = self.state.memory(fingerprint)?
            && memory.suffices(self.now(), &self.context.settings.memory)
        {
            return Ok(Ok((risk, Ground::Memory)));
        }
        let why = verdict
            .proceed_because()
            .and_then(|because| because.reason.as_deref());
        Ok(Err(match (verdict.proceed, why) {
            (ProceedVerdict::Error, _) => "the policy could not tell, so a person decides".into(),
            (_, Some(why)) => why.to_owned().into(),
            (ProceedVerdict::Proceed | ProceedVerdict::Review, None) => {
                "the policy asks for a person".into()
            }
        }))
    }

    fn allow(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        verdict: &Verdict,
        risk: LowOrMedium,
        ground: Ground,
    ) -> Result<Reply, StoreError> {
        let (reason, because) = match ground {
            Ground::Policy => ("the policy lets it proceed", verdict.proceed_because()),
            Ground::Memory => ("people have approved it before", None),
        };
        let mut approval =
            self.new_approval(submission, verdict, Status::AutoApproved, reason.into())?;
        let entry = self
            .entry(EventKind::Allowed, caller, &approval, "auto_approved")
            .because(because);
        let receipt = self.append(&submission.subject.organisation, entry)?;
        self.keep(&mut approval, receipt, None)?;
        let answer = StoredAnswer::Allowed {
            approval_id: approval.id,
            receipt,
            policy: verdict.digest,
        };
        self.keep_answer(caller, submission, answer)?;
        Ok(Reply::Allowed(AutoApproved::new(
            risk,
            approval.id,
            receipt,
        )))
    }

    fn ask(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        verdict: &Verdict,
        why: Cow<'static, str>,
    ) -> Result<Reply, StoreError> {
        let mut approval = self.new_approval(submission, verdict, Status::PendingReview, why)?;
        approval.attachment = 1;
        approval.waiter_seen_at = approval.outlives_waiter().then_some(self.now());
        let entry = self
            .entry(EventKind::Asked, caller, &approval, "pending_review")
            .because(verdict.proceed_because())
            .with(|object| object.time("expires_at", submission.subject.expires_at));
        let receipt = self.change(&mut approval, ChangeKind::Asked, entry)?;
        self.wait_for(caller, submission, &approval, receipt)
    }

    /// The approval that this submission takes up, if one is open.
    fn open_for(&mut self, subject: &Subject) -> Result<Option<Approval>, StoreError> {
        let Resume::By(key) = subject.resume else {
            return Ok(None);
        };
        let Some(id) = self.state.resumable(&key)? else {
            return Ok(None);
        };
        let Some(approval) = self.state.approval(id)? else {
            return Ok(None);
        };
        let approval = self.touch(approval)?;
        Ok(approval.is_open(self.now()).then_some(approval))
    }

    /// Takes up an open approval: its earlier clients lose it. Never an allow, also where the
    /// approval is approved already: the claim decides.
    fn attach(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        mut approval: Approval,
        verdict: &Verdict,
    ) -> Result<Reply, StoreError> {
        approval.attachment = approval
            .attachment
            .checked_add(1)
            .ok_or_else(|| StoreError::new("an approval has no attachment left"))?;
        approval.waiter_seen_at = Some(self.now());
        // It has just been permitted under this set.
        approval.policy_digest = verdict.digest;
        let entry = Entry::about(EventKind::Resumed, self.now(), &approval)
            .by(caller)
            .with(|object| {
                object
                    .present("resumed_by", submission.subject.request_id.as_deref())
                    .number("attachment", u64::from(approval.attachment))
                    .digest("policy_digest", &verdict.digest)
            });
        let receipt = self.change(&mut approval, ChangeKind::Resumed, entry)?;
        self.wait_for(caller, submission, &approval, receipt)
    }

    fn wait_for(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        approval: &Approval,
        receipt: Receipt,
    ) -> Result<Reply, StoreError> {
        let (approval_id, attachment) = (approval.id, approval.attachment);
        let expires_at = approval.subject.expires_at;
        let answer = StoredAnswer::Pending {
            approval_id,
            attachment,
            expires_at,
            receipt,
        };
        self.keep_answer(caller, submission, answer)?;
        Ok(Reply::Pending {
            approval_id,
            attachment,
            expires_at,
            receipt,
        })
    }

    fn new_approval(
        &mut self,
        submission: &Submission,
        verdict: &Verdict,
        status: Status,
        reason: Cow<'static, str>,
    ) -> Result<Approval, StoreError> {
        let id = ApprovalId(self.context.entropy.clone().draw_id());
        if self.state.approval(id)?.is_some() {
            return Err(StoreError::new("an approval id was drawn twice"));
        }
        Ok(Approval {
            id,
            subject: Arc::clone(&submission.subject),
            status,
            execution: Execution::None,
            reason,
            decided: None,
            expiry: None,
            claim_by: None,
            claim: None,
            attachment: 0,
            waiter_seen_at: None,
            policy_digest: verdict.digest,
            seq: 0,
            due: None,
        })
    }

    fn entry(
        &self,
        kind: EventKind,
        caller: &Principal,
        approval: &Approval,
        decision: &'static str,
    ) -> Entry {
        Entry::about(kind, self.now(), approval)
            .by(caller)
            .asked(&approval.subject)
            .with(|object| {
                object
                    .string("decision", decision)
                    .string("reason", &approval.reason)
                    .digest("policy_digest", &approval.policy_digest)
            })
    }
}
