//! The signed envelope of a delegated request (PROTOCOL 22).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::canonical::write_string;
use crate::hash::hex;

/// The 17 fields that a delegated request signs. What is `None` is signed as `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// [`Envelope::SCHEMA_VERSION`].
    pub schema_version: &'a str,
    /// The intent.
    pub intent_id: &'a str,
    /// The action.
    pub action_id: &'a str,
    /// The agent that asks.
    pub agent_id: &'a str,
    /// Where the agent runs.
    pub runtime_id: Option<&'a str>,
    /// The runtime's identity.
    pub runtime_identity: Option<&'a str>,
    /// The service's identity.
    pub service_identity: Option<&'a str>,
    /// The workload's identity.
    pub workload_identity: Option<&'a str>,
    /// The delegation token.
    pub delegation_token_id: &'a str,
    /// The chain it belongs to.
    pub delegation_chain_id: Option<&'a str>,
    /// When it was signed, in Unix seconds.
    pub timestamp: i64,
    /// 32 lower-case hex digits, new for each request.
    pub nonce: &'a str,
    /// From the metadata.
    pub operation_class: Option<&'a str>,
    /// From the metadata.
    pub data_sensitivity: Option<&'a str>,
    /// [`body_hash`](crate::body_hash) of the request.
    pub body_hash: &'a str,
    /// Which secret signs.
    pub key_id: &'a str,
    /// [`Envelope::ALGORITHM`].
    pub algorithm: &'a str,
}

/// A signature that is not the one of envelope and secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not belong to this request and secret")
    }
}

impl std::error::Error for InvalidSignature {}

impl Envelope<'_> {
    /// The only `schema_version`.
    pub const SCHEMA_VERSION: &'static str = "sernixa.delegated_request.v1";
    /// The only `algorithm`.
    pub const ALGORITHM: &'static str = "HMAC-SHA256";

    /// The text that is signed: canonical JSON of the 17 fields.
    pub fn canonical(&self) -> String {
        let timestamp = self.timestamp.to_string();
        let members = [
            ("action_id", Some(self.action_id)),
            ("agent_id", Some(self.agent_id)),
            ("algorithm", Some(self.algorithm)),
            ("body_hash", Some(self.body_hash)),
            ("data_sensitivity", self.data_sensitivity),
            ("delegation_chain_id", self.delegation_chain_id),
            ("delegation_token_id", Some(self.delegation_token_id)),
            ("intent_id", Some(self.intent_id)),
            ("key_id", Some(self.key_id)),
            ("nonce", Some(self.nonce)),
            ("operation_class", self.operation_class),
            ("runtime_id", self.runtime_id),
            ("runtime_identity", self.runtime_identity),
            ("schema_version", Some(self.schema_version)),
            ("service_identity", self.service_identity),
            ("timestamp", Some(&timestamp)),
            ("workload_identity", self.workload_identity),
        ];
        object_of(&members, 768)
    }

    /// The signature: 64 lower-case hex digits of HMAC-SHA-256. Any secret will do; how long one
    /// must be is for configuration to say.
    pub fn sign(&self, secret: impl AsRef<[u8]>) -> String {
        hex(&hmac_sha256(secret.as_ref(), self.canonical().as_bytes()))
    }

    /// Whether `signature` is what [`sign`](Self::sign) makes, in constant time.
    ///
    /// # Errors
    /// [`InvalidSignature`] when a field, the secret or the signature is another, or when the
    /// signature is not 64 lower-case hex digits.
    pub fn verify(
        &self,
        secret: impl AsRef<[u8]>,
        signature: &str,
    ) -> Result<(), InvalidSignature> {
        same_text(&self.sign(secret), signature)
    }
}

/// The canonical JSON of members in order of their names, of about so many bytes. All are texts or
/// null, but for `timestamp`, which is a number.
pub(crate) fn object_of(members: &[(&str, Option<&str>)], bytes: usize) -> String {
    let mut out = String::with_capacity(bytes);
    for &(name, value) in members {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        match value {
            None => out.push_str("null"),
            Some(digits) if name == "timestamp" => out.push_str(digits),
            Some(text) => write_string(text, &mut out),
        }
    }
    out.push('}');
    out
}

/// Whether a signature is the expected one, in constant time.
pub(crate) fn same_text(expected: &str, signature: &str) -> Result<(), InvalidSignature> {
    // Texts of unequal length are unequal; the length of a signature is no secret.
    if bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        Ok(())
    } else {
        Err(InvalidSignature)
    }
}

/// HMAC-SHA-256 under a key of any length (RFC 2104: a long key is hashed first).
pub(crate) fn hmac_sha256(secret: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if let Some(slot) = block.get_mut(..secret.len()) {
        slot.copy_from_slice(secret);
    } else {
        let mut digest = Sha256::digest(secret);
        for (slot, byte) in block.iter_mut().zip(&digest) {
            *slot = *byte;
        }
        digest.as_mut_slice().zeroize();
    }
    let mac = Hmac::<Sha256>::new(&block.into())
        .chain_update(text)
        .finalize();
    block.zeroize();
    mac.into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_signs_as_rfc_4231_says() {
        // RFC 4231, test cases 1, 2 and 6.
        assert_eq!(
            hex(&hmac_sha256(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac_sha256(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn the_vector_of_protocol_22_comes_out() {
        let metadata = concat!(
            r#"{"b":2,"a":null,"operation_class":"read","#,
            r#""data_sensitivity":"internal"}"#
        );
        let body_hash = crate::body_hash_json("intent-1", "view-details", metadata).unwrap();
        assert_eq!(
            body_hash,
            "2340015fcb0521c1aa416c7a55c754901757496bca2520997d1afd59cf71350b"
        );
        let envelope = Envelope {
            schema_version: Envelope::SCHEMA_VERSION,
            intent_id: "intent-1",
            action_id: "view-details",
            agent_id: "worker-agent",
            runtime_id: Some("runtime-worker-1"),
            runtime_identity: None,
            service_identity: Some("spiffe://local/agent/worker-agent"),
            workload_identity: None,
            delegation_token_id: "dgt_123",
            delegation_chain_id: Some("chn_123"),
            timestamp: 1_778_000_000,
            nonce: "0123456789abcdef0123456789abcdef",
            operation_class: Some("read"),
            data_sensitivity: Some("internal"),
            body_hash: &body_hash,
            key_id: "test-request-key",
            algorithm: Envelope::ALGORITHM,
        };
        let signature = "77bd96b428296cab760b9b64b9feb48a7bd8cf8950a577ecaa1a30f4df52f932";
        assert_eq!(envelope.sign("test-secret"), signature);
        assert_eq!(envelope.verify("test-secret", signature), Ok(()));
    }
}
