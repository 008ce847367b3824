//! A submission: let through, put before a person, or refused.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use sernixa_protocol::secrets::SecretKind;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, Execution, Resume, Status, Subject};
use crate::audit::{Entry, EventKind, Receipt};
use crate::change::ChangeKind;
use crate::digest::Digest;
use crate::grant::{AutoApproved, LowOrMedium};
use crate::policy::{ProceedVerdict, RequestVerdict, Verdict};
use crate::principal::Principal;
use crate::refusal::{Refusal, Word, receipt_json};
use crate::step::{Halt, Step, refuse};
use crate::store::{Answered, NonceKey, StoreError, StoredAnswer};
use crate::text::Object;

/// For how long a nonce is kept after its receipt. A fresh timestamp is at most 300 s ahead and is
/// fresh for 300 s more, so nothing that is still fresh is ever forgotten (DESIGN 9). Timestamps
/// of unsigned requests are not judged and do not prolong it.
const NONCE_KEPT: Duration = Duration::from_mins(10);

/// A submission that keeps the contract, with what was found out about it before the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) subject: Arc<Subject>,
    /// SHA-256 of the raw body: tells a retry from a replay.
    pub(crate) request: Digest,
    pub(crate) nonce: Option<[u8; 16]>,
    pub(crate) found: Found,
}

/// What was found out before the transaction, in the order in which it counts.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Its envelope is refused: delegated, or a nonce that is none.
    Envelope(Word, &'static str),
    /// It still holds a secret.
    Secret(SecretKind),
    /// Nothing against it; this is what the policy says.
    Judged(Verdict),
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
        match &submission.found {
            // Before the nonce is looked at: whoever cannot sign must not learn what was answered.
            Found::Envelope(word, reason) => {
                Ok(self.refuse_unkept(caller, submission, *word, reason)?)
            }
            Found::Secret(kind) => match self.retry(caller, submission)? {
                Some(reply) => Ok(reply),
                None => Ok(self.block(caller, submission, &Cause::Floor(*kind))?),
            },
            Found::Judged(verdict) => match self.retry(caller, submission)? {
                Some(reply) => Ok(reply),
                None => self.judge(caller, submission, verdict),
            },
        }
    }

    /// The answer that this very request got before, if it did: a lost answer is asked for again
    /// with the same bytes. Other bytes under the same nonce are a replay.
    fn retry(
        &mut self,
        caller: &Principal,
        submission: &Submission,
    ) -> Result<Option<Reply>, StoreError> {
        let Some(key) = nonce_key(caller, submission) else {
            return Ok(None);
        };
        let Some(answered) = self.state.nonce(&key, self.now())? else {
            return Ok(None);
        };
        if answered.request != submission.request || answered.key != *caller.key() {
            let reason = "the nonce was used for another request";
            return self
                .refuse_unkept(caller, submission, Word::ReplayedNonce, reason)
                .map(Some);
        }
        Ok(match answered.answer {
            // An allow holds only while the policy set is the one that gave it.
            StoredAnswer::Allowed {
                approval_id,
                receipt,
                policy,
            } if policy == self.context.policy => LowOrMedium::new(submission.subject.risk)
                .map(|risk| Reply::Allowed(AutoApproved::new(risk, approval_id, receipt))),
            StoredAnswer::Allowed { .. } => None,
            StoredAnswer::Pending {
                approval_id,
                attachment,
                expires_at,
                receipt,
            } => Some(Reply::Pending {
                approval_id,
                attachment,
                expires_at,
                receipt,
            }),
            StoredAnswer::Refused { status, body } => Some(Reply::Again { status, body }),
        })
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
            RequestVerdict::Broken => Some(Cause::EngineError),
        };
        if let Some(cause) = cause {
            return Ok(self.block(caller, submission, &cause)?);
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
    ) -> Result<Result<(LowOrMedium, Ground), &'static str>, StoreError> {
        // The hard rule: whatever policy and memory say, a person decides what is grave.
        let Some(risk) = LowOrMedium::new(subject.risk) else {
            return Ok(Err("a person decides what is of high or critical risk"));
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
        Ok(Err(match verdict.proceed {
            ProceedVerdict::Error => "the policy could not tell, so a person decides",
            ProceedVerdict::Proceed | ProceedVerdict::Review => "the policy asks for a person",
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
        let reason = match ground {
            Ground::Policy => "the policy lets it proceed",
            Ground::Memory => "people have approved it before",
        };
        let mut approval = self.new_approval(submission, verdict, Status::AutoApproved, reason)?;
        let entry = self.entry(EventKind::Allowed, caller, &approval, "auto_approved");
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
        why: &'static str,
    ) -> Result<Reply, StoreError> {
        let mut approval = self.new_approval(submission, verdict, Status::PendingReview, why)?;
        approval.attachment = 1;
        let entry = self.entry(EventKind::Asked, caller, &approval, "pending_review");
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
        approval.attachment = approval.attachment.saturating_add(1);
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
        reason: &'static str,
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
            reason: Cow::Borrowed(reason),
            decided: None,
            expiry: None,
            claim_by: None,
            claim: None,
            attachment: 0,
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

    /// A refusal by a rule. It is recorded, and a retry gets it again.
    fn block(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        cause: &Cause,
    ) -> Result<Reply, StoreError> {
        let subject = &submission.subject;
        let mut entry = Entry::new(EventKind::Refused, self.now()).by(caller);
        // Under the DLP floor nothing of the text is written down: it may be the secret.
        if !matches!(cause, Cause::Floor(_)) {
            entry = entry.asked(subject).with(|object| {
                object
                    .string("action_id", &subject.action_id)
                    .present("request_id", subject.request_id.as_deref())
                    .digest("policy_digest", &self.context.policy)
            });
        }
        let entry = entry.with(|object| {
            object
                .digest("body_hash", &subject.body_hash)
                .string("decision", "blocked")
                .string("reason", cause.reason())
                .present("found", cause.found())
        });
        let receipt = self.append(&subject.organisation, entry)?;
        let evidence = Object::new()
            .string("rule", cause.rule())
            .present("found", cause.found())
            .present("request_id", subject.request_id.as_deref())
            .digest("body_hash", &subject.body_hash)
            .digest("policy_digest", &self.context.policy)
            .json("receipt", &receipt_json(receipt));
        let refusal =
            Refusal::new(Word::Blocked, cause.reason().to_owned()).with_evidence(evidence);
        // An engine error is not an answer to keep: a retry may find the engine well.
        if !matches!(cause, Cause::EngineError) {
            let (status, body) = (refusal.word().http(), refusal.body().into_boxed_str());
            self.keep_answer(caller, submission, StoredAnswer::Refused { status, body })?;
        }
        Ok(refuse(refusal))
    }

    /// A refusal of the envelope: recorded, but not kept for retries, since the nonce is not one
    /// that this request owns.
    fn refuse_unkept(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        word: Word,
        reason: &'static str,
    ) -> Result<Reply, StoreError> {
        let subject = &submission.subject;
        let entry = Entry::new(EventKind::Refused, self.now())
            .by(caller)
            .with(|object| {
                object
                    .digest("body_hash", &subject.body_hash)
                    .string("decision", word.as_str())
                    .string("reason", reason)
            });
        self.append(&subject.organisation, entry)?;
        Ok(refuse(Refusal::new(word, reason)))
    }

    fn keep_answer(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        answer: StoredAnswer,
    ) -> Result<(), StoreError> {
        let Some(key) = nonce_key(caller, submission) else {
            return Ok(());
        };
        let answered = Answered {
            request: submission.request,
            key: Arc::clone(caller.key()),
            answer,
            until: self.now().plus(NONCE_KEPT),
        };
        self.state.put_nonce(&key, &answered)
    }
}

/// Why a submission is blocked.
enum Cause {
    /// It still holds a secret.
    Floor(SecretKind),
    /// The policy says that it may not be asked.
    Denied(Cow<'static, str>),
    /// The policy could not tell.
    PolicyError,
    /// The policy broke down.
    EngineError,
}

impl Cause {
    /// Which rule refused.
    const fn rule(&self) -> &'static str {
        match self {
            Self::Floor(_) => "dlp_floor",
            Self::Denied(_) => "policy",
            Self::PolicyError => "policy_error",
            Self::EngineError => "engine_error",
        }
    }

    /// What the caller reads.
    fn reason(&self) -> &str {
        match self {
            Self::Denied(reason) => reason,
            Self::Floor(_) | Self::PolicyError | Self::EngineError => self.rule(),
        }
    }

    /// What kind of secret was found; never the secret.
    const fn found(&self) -> Option<&'static str> {
        match self {
            Self::Floor(kind) => Some(kind.describe()),
            Self::Denied(_) | Self::PolicyError | Self::EngineError => None,
        }
    }
}

/// Where the request's nonce is unique. Requests without one are never merged.
fn nonce_key(caller: &Principal, submission: &Submission) -> Option<NonceKey> {
    Some(NonceKey {
        organisation: Arc::clone(caller.organisation()),
        signer: Arc::clone(caller.key()),
        nonce: submission.nonce?,
    })
}
