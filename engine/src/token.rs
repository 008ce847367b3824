//! Claim tokens: derived, never stored, compared in constant time.
//!
//! `claim_token = hex HMAC-SHA256(claim key, approval id ‖ attachment number (u32, big endian))`.
//! Each client that attaches to an approval gets the next number; only the last one claims.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::approval::{Approval, ApprovalId};
use crate::digest::push_hex;
use crate::refusal::{Refusal, Word};
use crate::store::SecretKey;

/// How many older attachments a wrong token is compared with. Older ones read as never given:
/// refused all the same, under another word.
const REMEMBERED_ATTACHMENTS: u32 = 256;

/// The token of one attachment, as 64 hex digits.
pub(crate) fn claim_token(key: &SecretKey, id: ApprovalId, attachment: u32) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
    mac.update(&id.0);
    mac.update(&attachment.to_be_bytes());
    let mut token = String::with_capacity(64);
    push_hex(&mac.finalize().into_bytes(), &mut token);
    Some(token)
}

/// Whether `presented` is the token of the approval's last attachment.
pub(crate) fn check(key: &SecretKey, approval: &Approval, presented: &str) -> Result<(), Refusal> {
    let is = |attachment| {
        claim_token(key, approval.id, attachment)
            .is_some_and(|token| bool::from(token.as_bytes().ct_eq(presented.as_bytes())))
    };
    let last = approval.attachment;
    if last > 0 && is(last) {
        return Ok(());
    }
    // Tokens are numbered from 1; an approval that nobody waits for has none.
    let oldest = last.saturating_sub(REMEMBERED_ATTACHMENTS).max(1);
    Err(if (oldest..last).any(is) {
        Refusal::new(
            Word::Superseded,
            "another client has taken this request up since",
        )
    } else {
        Refusal::new(
            Word::InvalidClaimToken,
            "the claim token is not that of this approval",
        )
    })
}
