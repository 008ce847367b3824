//! Retry and replay: the same bytes under the same nonce get the same answer, other bytes none
//! (DESIGN 9).

use std::sync::Arc;
use std::time::Duration;

use crate::answer::Reply;
use crate::grant::{AutoApproved, LowOrMedium};
use crate::principal::Principal;
use crate::refusal::Word;
use crate::step::{Step, Submission};
use crate::store::{Answered, NonceKey, StoreError, StoredAnswer};

/// For how long a nonce is kept after its receipt. A fresh timestamp is at most 300 s ahead and is
/// fresh for 300 s more, so nothing that is still fresh is ever forgotten (DESIGN 9). Timestamps
/// of unsigned requests are not judged and do not prolong it.
const NONCE_KEPT: Duration = Duration::from_mins(10);

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
            // Another kind of request: told apart by its digest above.
            StoredAnswer::Step => None,
            StoredAnswer::Refused { status, body } => Some(Reply::Again { status, body }),
        })
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
            until: self.now().plus(NONCE_KEPT),
        };
        self.state.put_nonce(&key, &answered)
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
