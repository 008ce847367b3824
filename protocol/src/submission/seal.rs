//! The body of a request, sealed with what is new each time it is made.

use std::fmt;

use super::template::Template;
use crate::canonical::write_string;
use crate::dlp::Finding;
use crate::envelope::Envelope;
use crate::words::RiskLevel;

/// What is submitted for one call, but for what the moment of sending adds.
#[derive(Clone, Debug)]
pub struct Built {
    pub(super) template: Template,
    pub(super) metadata: String,
    pub(super) body_hash: String,
    pub(super) idempotency_key: String,
    pub(super) findings: Vec<Finding>,
}

/// What is new for each request. All attempts of one submission share it.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// 32 lower-case hex digits.
    pub request_id: &'a str,
    /// Unix seconds.
    pub timestamp: i64,
    /// 32 lower-case hex digits, at random.
    pub nonce: &'a str,
}

/// Who signs a delegated request. Empty optional texts count as missing (PROTOCOL 22).
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The agent that asks.
    pub agent_id: &'a str,
    /// The delegation token.
    pub delegation_token_id: &'a str,
    /// The chain it belongs to.
    pub delegation_chain_id: Option<&'a str>,
    /// Where the agent runs.
    pub runtime_id: Option<&'a str>,
    /// The runtime's identity.
    pub runtime_identity: Option<&'a str>,
    /// The service's identity.
    pub service_identity: Option<&'a str>,
    /// The workload's identity.
    pub workload_identity: Option<&'a str>,
    /// Which secret signs.
    pub key_id: &'a str,
    /// The secret.
    pub secret: &'a [u8],
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("agent_id", &self.agent_id)
            .field("delegation_token_id", &self.delegation_token_id)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl Built {
    /// What is intended.
    pub fn intent_id(&self) -> &str {
        self.template.intent_id()
    }

    /// What is done.
    pub fn action_id(&self) -> &str {
        self.template.action_id()
    }

    /// How grave it is.
    pub fn risk_level(&self) -> RiskLevel {
        self.template.risk_level()
    }

    /// The metadata as it will be sent: the JSON text of an object.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// What an approval is bound to.
    pub fn body_hash(&self) -> &str {
        &self.body_hash
    }

    /// The idempotency key, over the arguments before DLP.
    pub fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    /// What DLP found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The body of the request, signed if it is delegated. Its fields are those of PROTOCOL 2 in
    /// their order.
    pub fn seal(&self, stamp: &Stamp<'_>, signing: Option<&Signing<'_>>) -> String {
        let extra = if signing.is_some() { 768 } else { 192 };
        let mut body = Body(String::with_capacity(self.metadata.len() + extra));
        body.text("intent_id", self.intent_id());
        body.text("action_id", self.action_id());
        body.text("request_id", stamp.request_id);
        body.verbatim("timestamp", &stamp.timestamp.to_string());
        body.text("nonce", stamp.nonce);
        body.verbatim("metadata", &self.metadata);
        if let Some(signing) = signing {
            let envelope = self.envelope(stamp, signing);
            body.text("agent_id", envelope.agent_id);
            body.text("delegation_token_id", envelope.delegation_token_id);
            body.optional("delegation_chain_id", envelope.delegation_chain_id);
            body.optional("runtime_id", envelope.runtime_id);
            body.optional("runtime_identity", envelope.runtime_identity);
            body.optional("service_identity", envelope.service_identity);
            body.optional("workload_identity", envelope.workload_identity);
            body.text("key_id", envelope.key_id);
            body.text("algorithm", envelope.algorithm);
            body.text("body_hash", envelope.body_hash);
            body.text("signature", &envelope.sign(signing.secret));
        }
        body.0.push('}');
        body.0
    }

    fn envelope<'a>(&'a self, stamp: &Stamp<'a>, signing: &Signing<'a>) -> Envelope<'a> {
        let parts = self.template.parts();
        let filled = |text: Option<&'a str>| text.filter(|text| !text.is_empty());
        Envelope {
            schema_version: Envelope::SCHEMA_VERSION,
            intent_id: &parts.intent_id,
            action_id: &parts.action_id,
            agent_id: signing.agent_id,
            runtime_id: filled(signing.runtime_id),
            runtime_identity: filled(signing.runtime_identity),
            service_identity: filled(signing.service_identity),
            workload_identity: filled(signing.workload_identity),
            delegation_token_id: signing.delegation_token_id,
            delegation_chain_id: filled(signing.delegation_chain_id),
            timestamp: stamp.timestamp,
            nonce: stamp.nonce,
            operation_class: Some(&parts.operation_class),
            data_sensitivity: Some(&parts.data_sensitivity),
            body_hash: &self.body_hash,
            key_id: signing.key_id,
            algorithm: Envelope::ALGORITHM,
        }
    }
}

/// A JSON object that is being written. Names are ours and need no escapes.
struct Body(String);

impl Body {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        write_string(text, &mut self.0);
    }

    fn optional(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.verbatim(name, "null"),
        }
    }

    /// A member whose value is JSON text already.
    fn verbatim(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.push_str(json);
    }
}
