//! The signature of a step that follows a delegated submission: claim, withdrawal, outcome.

use crate::envelope::{Envelope, InvalidSignature, hmac_sha256, object_of, same_text};
use crate::hash::hex;

/// The fields that a step of a delegated approval signs. What is `None` is signed as `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalStep<'a> {
    /// [`CLAIM`](Self::CLAIM), [`WITHDRAW`](Self::WITHDRAW) or [`OUTCOME`](Self::OUTCOME).
    pub step: &'a str,
    /// The approval.
    pub approval_id: &'a str,
    /// The body hash of the submission.
    pub body_hash: &'a str,
    /// The claim's id, of a claim.
    pub claim_id: Option<&'a str>,
    /// When it was signed, in Unix seconds.
    pub timestamp: i64,
    /// 32 lower-case hex digits, new for each step.
    pub nonce: &'a str,
    /// Which secret signs: the one that signed the submission.
    pub key_id: &'a str,
    /// [`Envelope::ALGORITHM`].
    pub algorithm: &'a str,
}

impl ApprovalStep<'_> {
    /// The only `schema_version`.
    pub const SCHEMA_VERSION: &'static str = "sernixa.approval_step.v1";
    /// The only `algorithm`.
    pub const ALGORITHM: &'static str = Envelope::ALGORITHM;
    /// Starting what was approved.
    pub const CLAIM: &'static str = "claim";
    /// Taking the request back.
    pub const WITHDRAW: &'static str = "withdraw";
    /// Saying how it ended.
    pub const OUTCOME: &'static str = "outcome";

    /// The text that is signed: canonical JSON of the fields and the schema version.
    pub fn canonical(&self) -> String {
        let timestamp = self.timestamp.to_string();
        let members = [
            ("algorithm", Some(self.algorithm)),
            ("approval_id", Some(self.approval_id)),
            ("body_hash", Some(self.body_hash)),
            ("claim_id", self.claim_id),
            ("key_id", Some(self.key_id)),
            ("nonce", Some(self.nonce)),
            ("schema_version", Some(Self::SCHEMA_VERSION)),
            ("step", Some(self.step)),
            ("timestamp", Some(&timestamp)),
        ];
        object_of(&members, 448)
    }

    /// The signature: 64 lower-case hex digits of HMAC-SHA-256.
    pub fn sign(&self, secret: impl AsRef<[u8]>) -> String {
        hex(&hmac_sha256(secret.as_ref(), self.canonical().as_bytes()))
    }

    /// Whether `signature` is what [`sign`](Self::sign) makes, in constant time.
    ///
    /// # Errors
    /// [`InvalidSignature`] when a field, the secret or the signature is another.
    pub fn verify(
        &self,
        secret: impl AsRef<[u8]>,
        signature: &str,
    ) -> Result<(), InvalidSignature> {
        same_text(&self.sign(secret), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_signed_over_canonical_json_of_its_fields() {
        let step = ApprovalStep {
            step: ApprovalStep::CLAIM,
            approval_id: "apr_1",
            body_hash: "00",
            claim_id: None,
            timestamp: 1_778_000_000,
            nonce: "0123456789abcdef0123456789abcdef",
            key_id: "k\"1",
            algorithm: ApprovalStep::ALGORITHM,
        };
        let value = serde_json::json!({
            "schema_version": "sernixa.approval_step.v1", "step": "claim",
            "approval_id": "apr_1", "body_hash": "00", "claim_id": null,
            "timestamp": 1_778_000_000, "nonce": "0123456789abcdef0123456789abcdef",
            "key_id": "k\"1", "algorithm": "HMAC-SHA256",
        });
        assert_eq!(step.canonical(), crate::canonical_json(&value));
        let signature = step.sign("secret");
        assert_eq!(step.verify("secret", &signature), Ok(()));
        assert_eq!(step.verify("Secret", &signature), Err(InvalidSignature));
        let other = ApprovalStep {
            claim_id: Some("00"),
            ..step
        };
        assert_eq!(other.verify("secret", &signature), Err(InvalidSignature));
    }
}
