//! Signing: the secret and key id of one delegated call, and the steps after its submission.

use std::sync::Arc;

use secrecy::SecretString;
use sernixa_protocol::ApprovalStep;
use sernixa_protocol::submission::Signing;

use super::Delegation;
use crate::config::{Settings, bytes_of, secret_of_use};
use crate::error::Error;

/// Signs what one delegated call sends.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    delegation: Delegation,
    secret: SecretString,
    key_id: Arc<str>,
}

/// A claim, a withdrawal or an outcome, as it is signed (schema `sernixa.approval_step.v1`).
pub(crate) struct Step<'a> {
    /// `claim`, `withdraw` or `outcome`.
    pub(crate) name: &'a str,
    pub(crate) approval_id: &'a str,
    pub(crate) body_hash: &'a str,
    pub(crate) claim_id: Option<&'a str>,
    /// Unix seconds.
    pub(crate) timestamp: u64,
    /// 32 hex digits, new for each step.
    pub(crate) nonce: &'a str,
}

impl Signer {
    /// The signer of a call in the scope of `delegation`.
    ///
    /// # Errors
    /// `Configuration` without a secret, or with one that is too short: nothing is sent.
    pub(crate) fn new(delegation: Delegation, settings: &Settings) -> Result<Self, Error> {
        let facts = delegation.facts();
        for (text, what) in [(&facts.agent_id, "agent id"), (&facts.token_id, "token id")] {
            if text.trim().is_empty() {
                let message = format!("the delegation in scope has a blank {what}");
                return Err(Error::configuration(message));
            }
        }
        let secret = match (&facts.signing_secret, &settings.signing.secret) {
            (Some(own), _) => secret_of_use("Delegation::signing_secret", own.clone())?,
            (None, Some(configured)) => configured.clone(),
            (None, None) => {
                return Err(Error::configuration(
                    "a delegated call must be signed, and there is no secret; call \
                     Delegation::signing_secret or set SERNIXA_REQUEST_SIGNING_SECRET",
                ));
            }
        };
        let own = facts.key_id.as_deref().filter(|id| !id.trim().is_empty());
        let key_id = own.unwrap_or(&settings.signing.key_id).into();
        Ok(Self {
            delegation,
            secret,
            key_id,
        })
    }

    /// What signs the submission.
    pub(crate) fn signing(&self) -> Signing<'_> {
        let facts = self.delegation.facts();
        Signing {
            agent_id: &facts.agent_id,
            delegation_token_id: &facts.token_id,
            delegation_chain_id: facts.chain_id.as_deref(),
            runtime_id: facts.runtime_id.as_deref(),
            runtime_identity: facts.runtime_identity.as_deref(),
            service_identity: facts.service_identity.as_deref(),
            workload_identity: facts.workload_identity.as_deref(),
            key_id: &self.key_id,
            secret: bytes_of(&self.secret),
        }
    }

    /// The members that sign a step: `timestamp`, `nonce`, `key_id`, `algorithm`, `signature`.
    pub(crate) fn sign(&self, step: &Step<'_>) -> serde_json::Map<String, serde_json::Value> {
        let signed = ApprovalStep {
            step: step.name,
            approval_id: step.approval_id,
            body_hash: step.body_hash,
            claim_id: step.claim_id,
            timestamp: i64::try_from(step.timestamp).unwrap_or(i64::MAX),
            nonce: step.nonce,
            key_id: &self.key_id,
            algorithm: ApprovalStep::ALGORITHM,
        };
        let signature = signed.sign(bytes_of(&self.secret));
        let mut members = serde_json::Map::new();
        members.insert("timestamp".into(), signed.timestamp.into());
        members.insert("nonce".into(), signed.nonce.into());
        members.insert("key_id".into(), signed.key_id.into());
        members.insert("algorithm".into(), signed.algorithm.into());
        members.insert("signature".into(), signature.into());
        members
    }
}
