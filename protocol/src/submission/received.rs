//! Reading a submission as a service must (PROTOCOL 17): every field checked, hashes recomputed.

use super::error::ReceiveError;
use super::{MAX_BYTES, MAX_LEVELS};
use crate::canonical::{Dialect, write_node};
use crate::envelope::Envelope;
use crate::hash::{open_body, sha256_hex};
use crate::json::{Document, Kind, Node};
use crate::rules::{self, Fault};
use crate::words::RiskLevel;

/// A submission that keeps the contract. Who sent it, and whether it may, is for the engine to say.
#[derive(Clone, Debug)]
pub struct Received {
    /// What is intended.
    pub intent_id: String,
    /// What is done.
    pub action_id: String,
    /// How grave it is.
    pub risk_level: RiskLevel,
    /// As written.
    pub operation_class: String,
    /// As written.
    pub data_sensitivity: String,
    /// What it touches; at least one.
    pub systems_touched: Vec<String>,
    /// The function's qualified name.
    pub function: Option<String>,
    /// The function's module.
    pub module: Option<String>,
    /// The caller's idempotency key.
    pub idempotency_key: Option<String>,
    /// One line for the reviewer.
    pub summary: Option<String>,
    /// Which kind of client sent it (PROTOCOL 15): `rust_sdk` is ours.
    pub policy_surface: Option<String>,
    /// The hashed resume key.
    pub resume_key: Option<String>,
    /// The digest of the arguments.
    pub arguments_digest: Option<String>,
    /// Whether the metadata names arguments that the digest does not cover. Anything but an absent
    /// member or an empty array says so.
    pub has_unbound_arguments: bool,
    /// The caller's name for the request.
    pub request_id: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<i64>,
    /// The caller's random text.
    pub nonce: Option<String>,
    /// The metadata as it came: the JSON text of an object.
    pub metadata: String,
    /// SHA-256 over intent, action and metadata (PROTOCOL 22), computed here.
    pub body_hash: String,
    /// The delegated fields, if the request has any.
    pub delegated: Option<Delegated>,
    canonical: String,
}

/// The fields of a delegated request (PROTOCOL 22), as claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// The agent that asks.
    pub agent_id: String,
    /// The delegation token.
    pub delegation_token_id: String,
    /// The chain it belongs to.
    pub delegation_chain_id: Option<String>,
    /// Where the agent runs.
    pub runtime_id: Option<String>,
    /// The runtime's identity.
    pub runtime_identity: Option<String>,
    /// The service's identity.
    pub service_identity: Option<String>,
    /// The workload's identity.
    pub workload_identity: Option<String>,
    /// Which secret signed.
    pub key_id: String,
    /// How it was signed.
    pub algorithm: String,
    /// The hash that was signed; equal to [`Received::body_hash`] in an honest request.
    pub body_hash: String,
    /// The signature.
    pub signature: String,
}

/// The members that only a delegated request has.
const DELEGATED: [&str; 11] = [
    "agent_id",
    "delegation_token_id",
    "delegation_chain_id",
    "runtime_id",
    "runtime_identity",
    "service_identity",
    "workload_identity",
    "key_id",
    "algorithm",
    "body_hash",
    "signature",
];

impl Received {
    /// Reads the body of a submission. Members that the protocol does not know are ignored.
    ///
    /// # Errors
    /// The first fault, in the order of PROTOCOL 17.
    pub fn parse(body: &str) -> Result<Self, ReceiveError> {
        // The metadata object lies one level deep in the body.
        let document = Document::parse_within(body, MAX_LEVELS + 1)?;
        let root = document.root();
        if !root.is_object() {
            return Err(ReceiveError::WrongKind("body"));
        }
        let [intent_id, action_id, metadata, request_id, stamp, nonce] = root.pick([
            "intent_id",
            "action_id",
            "metadata",
            "request_id",
            "timestamp",
            "nonce",
        ]);
        let intent_id = ruled(intent_id, "intent_id", rules::intent_id)?;
        let action_id = ruled(action_id, "action_id", rules::action_id)?;
        let metadata = metadata.ok_or(ReceiveError::Missing("metadata"))?;
        if !metadata.is_object() {
            return Err(ReceiveError::WrongKind("metadata"));
        }
        if metadata.raw().len() > MAX_BYTES {
            return Err(ReceiveError::TooLarge);
        }
        let [risk_level, class, sensitivity, touched] = metadata.pick([
            "risk_level",
            "operation_class",
            "data_sensitivity",
            "systems_touched",
        ]);
        let risk_level =
            RiskLevel::parse(&required(risk_level, "risk_level")?).ok_or(ReceiveError::Field {
                field: "risk_level",
                fault: Fault::UnknownRisk,
            })?;
        let operation_class = ruled(class, "operation_class", rules::operation_class)?;
        let data_sensitivity = ruled(sensitivity, "data_sensitivity", rules::data_sensitivity)?;
        let systems_touched = systems(touched)?;
        // What follows may be a Python caller's own metadata, of any kind: no text, no value.
        let [
            function,
            module,
            idempotency_key,
            policy_surface,
            summary,
            resume_key,
            arguments_digest,
            unbound,
        ] = metadata.pick([
            "function",
            "module",
            "idempotency_key",
            "policy_surface",
            "summary",
            "resume_key",
            "arguments_digest",
            "arguments_unbound",
        ]);
        let text = |node: Option<Node<'_>>| node?.as_str().map(String::from);
        let mut canonical = String::with_capacity(metadata.raw().len());
        write_node(metadata, Dialect::Compact, &mut canonical)?;
        let body_hash = hash(&intent_id, &action_id, &canonical);
        Ok(Self {
            risk_level,
            operation_class,
            data_sensitivity,
            systems_touched,
            function: text(function),
            module: text(module),
            idempotency_key: text(idempotency_key),
            policy_surface: text(policy_surface),
            summary: text(summary),
            resume_key: text(resume_key),
            arguments_digest: text(arguments_digest),
            has_unbound_arguments: unbound.is_some_and(|unbound| unbound.raw() != "[]"),
            request_id: optional(request_id, "request_id")?,
            timestamp: timestamp(stamp)?,
            nonce: optional(nonce, "nonce")?,
            delegated: delegated(root, stamp, nonce)?,
            metadata: metadata.raw().to_owned(),
            intent_id,
            action_id,
            body_hash,
            canonical,
        })
    }

    /// The metadata as canonical JSON: one text for one value, with nothing hidden in escapes.
    pub fn canonical_metadata(&self) -> &str {
        &self.canonical
    }

    /// The body hash without `resume_key`: what tells one remembered call from another (DESIGN 10).
    pub fn fingerprint_hash(&self) -> String {
        let member = self.resume_key.as_ref().and_then(|_| {
            let document = Document::parse(&self.canonical).ok()?;
            let (key, value) = document
                .root()
                .members()
                .find(|(key, _)| key.is("resume_key"))?;
            Some(key.range().start..value.range().end)
        });
        let Some(member) = member else {
            return self.body_hash.clone();
        };
        // The member goes, and one of the commas beside it.
        let before = self.canonical.get(..member.start).unwrap_or_default();
        let after = self.canonical.get(member.end..).unwrap_or_default();
        let rest = match before.strip_suffix(',') {
            Some(before) => format!("{before}{after}"),
            None => format!("{before}{}", after.strip_prefix(',').unwrap_or(after)),
        };
        hash(&self.intent_id, &self.action_id, &rest)
    }

    /// The envelope that a delegated request must have signed, over the body hash that was
    /// computed here; `None` for a request that is not delegated, or has no timestamp or nonce.
    pub fn envelope(&self) -> Option<Envelope<'_>> {
        let delegated = self.delegated.as_ref()?;
        Some(Envelope {
            schema_version: Envelope::SCHEMA_VERSION,
            intent_id: &self.intent_id,
            action_id: &self.action_id,
            agent_id: &delegated.agent_id,
            runtime_id: delegated.runtime_id.as_deref(),
            runtime_identity: delegated.runtime_identity.as_deref(),
            service_identity: delegated.service_identity.as_deref(),
            workload_identity: delegated.workload_identity.as_deref(),
            delegation_token_id: &delegated.delegation_token_id,
            delegation_chain_id: delegated.delegation_chain_id.as_deref(),
            timestamp: self.timestamp?,
            nonce: self.nonce.as_deref()?,
            operation_class: Some(&self.operation_class),
            data_sensitivity: Some(&self.data_sensitivity),
            body_hash: &self.body_hash,
            key_id: &delegated.key_id,
            algorithm: &delegated.algorithm,
        })
    }
}

fn hash(intent_id: &str, action_id: &str, canonical_metadata: &str) -> String {
    let mut body = open_body(intent_id, action_id, canonical_metadata.len());
    body.push_str(canonical_metadata);
    body.push('}');
    sha256_hex(&body)
}

/// The text of a member that must be there.
fn required(node: Option<Node<'_>>, field: &'static str) -> Result<String, ReceiveError> {
    let node = node.ok_or(ReceiveError::Missing(field))?;
    node.as_str()
        .map(String::from)
        .ok_or(ReceiveError::WrongKind(field))
}

/// The text of a member that must be there and keep a rule.
fn ruled(
    node: Option<Node<'_>>,
    field: &'static str,
    rule: impl Fn(&str) -> Result<(), Fault>,
) -> Result<String, ReceiveError> {
    let text = required(node, field)?;
    rule(&text).map_err(|fault| ReceiveError::Field { field, fault })?;
    Ok(text)
}

/// The text of a member that may be missing or `null`, and is a text otherwise.
fn optional(node: Option<Node<'_>>, field: &'static str) -> Result<Option<String>, ReceiveError> {
    node.filter(|node| !node.is_null())
        .map(|node| required(Some(node), field))
        .transpose()
}

fn timestamp(node: Option<Node<'_>>) -> Result<Option<i64>, ReceiveError> {
    node.filter(|node| !node.is_null())
        .map(|node| node.as_i64().ok_or(ReceiveError::WrongKind("timestamp")))
        .transpose()
}

fn systems(node: Option<Node<'_>>) -> Result<Vec<String>, ReceiveError> {
    const FIELD: &str = "systems_touched";
    let node = node.ok_or(ReceiveError::Missing(FIELD))?;
    if node.kind() != Kind::Array {
        return Err(ReceiveError::WrongKind(FIELD));
    }
    let systems: Option<Vec<String>> = node
        .elements()
        .map(|item| item.as_str().map(String::from))
        .collect();
    let systems = systems.ok_or(ReceiveError::WrongKind(FIELD))?;
    let kept = if systems.is_empty() {
        Err(Fault::NoSystem)
    } else {
        systems.iter().try_for_each(|system| rules::system(system))
    };
    kept.map_err(|fault| ReceiveError::Field {
        field: FIELD,
        fault,
    })?;
    Ok(systems)
}

/// The delegated fields. A request that has any of them is delegated, and then must have them all:
/// half an envelope is never taken for none.
fn delegated(
    root: Node<'_>,
    timestamp: Option<Node<'_>>,
    nonce: Option<Node<'_>>,
) -> Result<Option<Delegated>, ReceiveError> {
    let found = root.pick(DELEGATED);
    if found.iter().all(Option::is_none) {
        return Ok(None);
    }
    for (field, node) in [("timestamp", timestamp), ("nonce", nonce)] {
        if node.is_none_or(|node| node.is_null()) {
            return Err(ReceiveError::Missing(field));
        }
    }
    let [
        agent_id,
        delegation_token_id,
        delegation_chain_id,
        runtime_id,
        runtime_identity,
        service_identity,
        workload_identity,
        key_id,
        algorithm,
        body_hash,
        signature,
    ] = found;
    Ok(Some(Delegated {
        agent_id: required(agent_id, "agent_id")?,
        delegation_token_id: required(delegation_token_id, "delegation_token_id")?,
        delegation_chain_id: optional(delegation_chain_id, "delegation_chain_id")?,
        runtime_id: optional(runtime_id, "runtime_id")?,
        runtime_identity: optional(runtime_identity, "runtime_identity")?,
        service_identity: optional(service_identity, "service_identity")?,
        workload_identity: optional(workload_identity, "workload_identity")?,
        key_id: required(key_id, "key_id")?,
        algorithm: required(algorithm, "algorithm")?,
        body_hash: required(body_hash, "body_hash")?,
        signature: required(signature, "signature")?,
    }))
}
