//! The signature of a step that follows a delegated submission: by the same signing key, for the
//! same agent, fresh, and used once.

use std::sync::Arc;

use crate::approval::Approval;
use crate::delegation::{SignedStep, StepSignature};
use crate::digest::Digest;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::step::Step;
use crate::step::chain::NOT_BOUND;
use crate::step::retry::{keep_until, signed_nonce};
use crate::store::{Answered, StoreError, StoredAnswer};

/// A step that may have to be signed.
#[derive(Clone, Copy)]
pub(super) struct SignedAs<'a> {
    /// Which step, as [`ApprovalStep`](sernixa_protocol::ApprovalStep) names it.
    pub(super) name: &'static str,
    pub(super) claim_id: Option<&'a str>,
    pub(super) signature: Option<&'a StepSignature>,
    /// What else the step says. The signature does not cover it, so the nonce is bound to it.
    pub(super) says: &'a [u8],
}

impl Step<'_> {
    /// Whether a step by the key that submitted is signed as its submission was. One that was not
    /// delegated needs no signature.
    ///
    /// The same step under the same nonce is let through again: that is the retry of a lost
    /// answer, and each of the steps changes nothing when it is done twice.
    pub(super) fn signed_like_the_submission(
        &mut self,
        caller: &Principal,
        approval: &Approval,
        step: SignedAs<'_>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let subject = &approval.subject;
        if subject.delegation_token_id.is_none() {
            return Ok(Ok(()));
        }
        let no = |word, reason: &'static str| Ok(Err(Refusal::new(word, reason)));
        let Some(signature) = step.signature else {
            let reason = "a step of a delegated request must be signed as the request was";
            return no(Word::InvalidSignature, reason);
        };
        let key = self.context.keyring.get(&signature.key_id);
        let key = key.filter(|key| subject.signing_key_id.as_deref() == Some(&**key.id()));
        let Some(key) = key else {
            let reason = "a step is signed with the key that signed its request";
            return no(Word::InvalidSignature, reason);
        };
        let about = SignedStep {
            name: step.name,
            approval_id: &approval.id.to_string(),
            body_hash: &subject.body_hash.to_string(),
            claim_id: step.claim_id,
        };
        let (nonce, signed) = match signature.verify(about, key, self.now()) {
            Ok(verified) => verified,
            Err((word, reason)) => return no(word, reason),
        };
        let agent = subject.agent_id.as_deref().unwrap_or_default();
        if !caller.acts_as(agent) || !key.agents().include(agent) {
            return no(Word::UnknownAgent, NOT_BOUND);
        }
        let nonce = signed_nonce(caller.organisation(), key.id(), nonce);
        let request = Digest::of_parts("sernixa.approval_step.v1", &[&signed.0, step.says]);
        match self.state.nonce(&nonce, self.now())? {
            Some(used) if used.request == request && used.key == *caller.key() => Ok(Ok(())),
            Some(_) => no(
                Word::ReplayedNonce,
                "the nonce was used for another request",
            ),
            None => {
                let answered = Answered {
                    request,
                    key: Arc::clone(caller.key()),
                    answer: StoredAnswer::Step,
                    until: keep_until(self.now()),
                };
                self.state.put_nonce(&nonce, &answered)?;
                Ok(Ok(()))
            }
        }
    }
}
