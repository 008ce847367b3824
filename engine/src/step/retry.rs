//! Retry and replay: the same bytes under the same nonce get the same answer, other bytes none
//! (DESIGN 9).

use std::sync::Arc;
use std::time::Duration;

use crate::answer::Reply;
use crate::approval::{ApprovalId, Status};
use crate::audit::Receipt;
use crate::digest::Digest;
use crate::grant::{AutoApproved, LowOrMedium};
use crate::moment::Timestamp;
use crate::principal::Principal;
use crate::refusal::Word;
use crate::step::chain::Delegated;
use crate::step::{Step, Submission, is_own};
use crate::store::{Answered, NonceKey, StoreError, StoredAnswer};

/// For how long a nonce is kept after its receipt. A fresh timestamp is at most 300 s ahead and is
/// fresh for 300 s more, so nothing that is still fresh is ever forgotten (DESIGN 9). Timestamps
/// of unsigned requests are not judged and do not prolong it. One millisecond more,
/// since the last moment at which it is fresh must still find it.
const NONCE_KEPT: Duration = Duration::from_millis(600_001);

/// Until when a nonce that is received now is kept.
pub(super) fn keep_until(now: Timestamp) -> Timestamp {
    now.plus(NONCE_KEPT)
}

impl Step<'_> {
    /// The answer that this very request got before, if it did: a lost answer is asked for again
    /// with the same bytes. Other bytes under the same nonce are a replay.
    pub(super) fn retry(
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
            StoredAnswer::Allowed {
                approval_id,
                receipt,
                policy,
            } => self.allowed_again(caller, submission, approval_id, receipt, &policy)?,
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
            StoredAnswer::Refused { status, body } if status >= 400 => {
                Some(Reply::Again { status, body })
            }
            // Not written by us: a refusal never lets anything run.
            StoredAnswer::Refused { .. } => {
                return Err(StoreError::new("leave to run was stored as a refusal"));
            }
            // Not reached: what tells a step from others is never the digest of a body.
            StoredAnswer::Step => {
                return Err(StoreError::new("a submission was stored as a step"));
            }
        })
    }

    /// An allow holds only while policy set and delegation are those that gave it. A token never
    /// changes, so the delegation is the same one as long as it stands.
    fn allowed_again(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        approval_id: ApprovalId,
        receipt: Receipt,
        policy: &Digest,
    ) -> Result<Option<Reply>, StoreError> {
        if *policy != self.context.policy {
            return Ok(None);
        }
        // What was let run is on record. A row of nonces by itself, which the audit does not bear
        // out, lets nothing run.
        let record = self.state.approval(approval_id)?;
        if !record.is_some_and(|approval| {
            approval.status == Status::AutoApproved
                && is_own(caller, &approval)
                && approval.subject.body_hash == submission.subject.body_hash
        }) {
            return Ok(None);
        }
        if let Some(signed) = &submission.signed
            && let Delegated::Refused(_) = self.delegated(caller, signed, &submission.subject)?
        {
            return Ok(None);
        }
        Ok(LowOrMedium::new(submission.subject.risk)
            .map(|risk| Reply::Allowed(AutoApproved::new(risk, approval_id, receipt))))
    }

    /// Keeps the answer for a retry of the request, if it can be told by a nonce.
    pub(super) fn keep_answer(
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
            until: keep_until(self.now()),
        };
        self.state.put_nonce(&key, &answered)
    }
}

/// Where the request's nonce is unique: among those of the key that signed, or of the API key that
/// sent. Requests without one are never merged.
fn nonce_key(caller: &Principal, submission: &Submission) -> Option<NonceKey> {
    let nonce = submission.nonce?;
    Some(match &submission.signed {
        Some(signed) => signed_nonce(caller.organisation(), &signed.key, nonce),
        None => NonceKey {
            organisation: Arc::clone(caller.organisation()),
            signer: format!("key:{}", caller.key()).into(),
            nonce,
        },
    })
}

/// Where the nonce of something that was signed is unique.
pub(super) fn signed_nonce(organisation: &Arc<str>, signer: &str, nonce: [u8; 16]) -> NonceKey {
    NonceKey {
        organisation: Arc::clone(organisation),
        signer: format!("signed:{signer}").into(),
        nonce,
    }
}
