//! What follows a submission on the wire: the bodies of claim and withdrawal, and the signature
//! that each step of a delegated approval carries (TRIED B1.1).

use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::delegation::{Signer, Step};
use crate::judge::ClaimToken;
use crate::random;
use crate::transport::ApprovalId;

/// The approval that a step is about, and who signs it.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) approval_id: &'a ApprovalId,
    pub(crate) body_hash: &'a str,
    /// `None` unless the call was delegated.
    pub(crate) signer: Option<&'a Signer>,
    /// Unix seconds.
    pub(crate) now: u64,
}

/// `{claim_token, claim_id, body_hash}`.
pub(crate) fn claim(about: About<'_>, token: &ClaimToken, claim_id: &str) -> Bytes {
    let mut body = Map::new();
    body.insert("claim_token".into(), token.expose_secret().into());
    body.insert("claim_id".into(), claim_id.into());
    body.insert("body_hash".into(), about.body_hash.into());
    about.sign(&mut body, "claim", Some(claim_id));
    Value::Object(body).to_string().into()
}

/// `{claim_token}`.
pub(crate) fn withdraw(about: About<'_>, token: &ClaimToken) -> Bytes {
    let mut body = Map::new();
    body.insert("claim_token".into(), token.expose_secret().into());
    about.sign(&mut body, "withdraw", None);
    Value::Object(body).to_string().into()
}

impl About<'_> {
    /// Adds the signature of a delegated step. Without randomness for its nonce the step goes out
    /// unsigned, and the service refuses it.
    pub(crate) fn sign(
        &self,
        body: &mut Map<String, Value>,
        step: &'static str,
        claim_id: Option<&str>,
    ) {
        let Some(signer) = self.signer else { return };
        let Ok(nonce) = random::id() else { return };
        body.extend(signer.sign(&Step {
            name: step,
            approval_id: self.approval_id.as_str(),
            body_hash: self.body_hash,
            claim_id,
            timestamp: self.now,
            nonce: &nonce,
        }));
    }
}
