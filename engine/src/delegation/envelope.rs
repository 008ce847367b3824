//! What can be said of a signature without looking at any state: that it is right, fresh, and has
//! a nonce (the first three checks of DESIGN 9, in this order).

use std::sync::Arc;

use sernixa_protocol::submission::Received;
use sernixa_protocol::{ApprovalStep, Envelope};

use super::TokenId;
use crate::digest::{Digest, hex_to_bytes};
use crate::keyring::{Keyring, SigningKey};
use crate::moment::Timestamp;
use crate::refusal::Word;

/// How far a timestamp may be off, either way, in milliseconds (DESIGN 9).
const FRESH: u64 = 300_000;

/// Why a signature is not taken.
pub(crate) type Unverified = (Word, &'static str);

/// What a verified envelope claims. That the agent may use the token is for the state to say.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) agent: Box<str>,
    /// `None`: a name that no token of ours has.
    pub(crate) token: Option<TokenId>,
    /// The chain that the caller believes to be in, where it says.
    pub(crate) chain: Option<Box<str>>,
    /// The signing key's id.
    pub(crate) key: Arc<str>,
}

/// Verifies the envelope of a delegated submission, as far as it goes without state.
pub(crate) fn verify(
    received: &Received,
    keyring: &Keyring,
    now: Timestamp,
) -> Option<Result<Signed, Unverified>> {
    let claimed = received.delegated.as_ref()?;
    Some(verify_envelope(received, keyring, now).map(|key| Signed {
        agent: claimed.agent_id.as_str().into(),
        token: TokenId::parse(&claimed.delegation_token_id),
        chain: claimed.delegation_chain_id.as_deref().map(Into::into),
        key: Arc::clone(key.id()),
    }))
}

fn verify_envelope<'k>(
    received: &Received,
    keyring: &'k Keyring,
    now: Timestamp,
) -> Result<&'k SigningKey, Unverified> {
    let wrong = (
        Word::InvalidSignature,
        "the signature is not that of this request under a key that is known here",
    );
    let (Some(claimed), Some(envelope)) = (&received.delegated, received.envelope()) else {
        return Err(wrong);
    };
    let key = keyring.get(&claimed.key_id).ok_or(wrong)?;
    // The envelope is built over the hash that was computed here, so a signature over another one
    // fails; that the request says another one beside a right signature is a lie all the same.
    if claimed.algorithm != Envelope::ALGORITHM || claimed.body_hash != received.body_hash {
        return Err(wrong);
    }
    envelope
        .verify(key.secret(), &claimed.signature)
        .map_err(|_| wrong)?;
    is_fresh(envelope.timestamp, now)?;
    if hex_to_bytes::<16>(envelope.nonce).is_none() {
        return Err(NO_NONCE);
    }
    Ok(key)
}

const NO_NONCE: Unverified = (Word::InvalidNonce, "nonce must be 32 lower-case hex digits");

/// Whether what was signed at `timestamp` (Unix seconds) is fresh.
pub(crate) fn is_fresh(timestamp: i64, now: Timestamp) -> Result<(), Unverified> {
    let fresh = u64::try_from(timestamp).is_ok_and(|seconds| {
        let signed_at = seconds.saturating_mul(1_000);
        now.millis().abs_diff(signed_at) <= FRESH
    });
    if fresh {
        Ok(())
    } else {
        let reason = "the request was signed more than 300 s from now; check the clocks";
        Err((Word::StaleTimestamp, reason))
    }
}

/// The members that sign a claim, a withdrawal or an outcome, as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepSignature {
    /// Unix seconds.
    pub(crate) timestamp: i64,
    pub(crate) nonce: Box<str>,
    pub(crate) key_id: Box<str>,
    pub(crate) algorithm: Box<str>,
    pub(crate) signature: Box<str>,
}

/// What a step is about.
#[derive(Clone, Copy)]
pub(crate) struct SignedStep<'a> {
    /// Which step, as [`ApprovalStep`] names it.
    pub(crate) name: &'static str,
    pub(crate) approval_id: &'a str,
    pub(crate) body_hash: &'a str,
    pub(crate) claim_id: Option<&'a str>,
}

impl StepSignature {
    /// Verifies the signature of `step` by `key`; gives its nonce, and what tells it from others.
    pub(crate) fn verify(
        &self,
        step: SignedStep<'_>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<([u8; 16], Digest), Unverified> {
        let signed = ApprovalStep {
            step: step.name,
            approval_id: step.approval_id,
            body_hash: step.body_hash,
            claim_id: step.claim_id,
            timestamp: self.timestamp,
            nonce: &self.nonce,
            key_id: &self.key_id,
            algorithm: &self.algorithm,
        };
        let right = *self.algorithm == *ApprovalStep::ALGORITHM
            && signed.verify(key.secret(), &self.signature).is_ok();
        if !right {
            return Err((
                Word::InvalidSignature,
                "the signature is not that of this step",
            ));
        }
        is_fresh(self.timestamp, now)?;
        let nonce = hex_to_bytes(&self.nonce).ok_or(NO_NONCE)?;
        let text = signed.canonical();
        Ok((
            nonce,
            Digest::of_parts("sernixa.approval_step.used.v1", &[text.as_bytes()]),
        ))
    }
}
