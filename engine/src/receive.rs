//! A submission's bytes become a [`Subject`], or a refusal that says what is wrong (PROTOCOL 2,
//! 17, 18; DESIGN 5).

use std::sync::Arc;

use sernixa_protocol::json::{Document, JsonErrorKind, Node};
use sernixa_protocol::secrets::{self, SecretKind};
use sernixa_protocol::{RiskLevel, body_hash_json, rules};

use crate::approval::{ClientKind, Resume, Subject};
use crate::digest::{Digest, hex_to_bytes};
use crate::memory::{Binding, is_remembered};
use crate::moment::Timestamp;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::settings::Settings;

/// The most that a body may hold, in bytes (DESIGN 11).
const BODY_MAX: usize = 1 << 20;
/// The most that the metadata may hold, in bytes (DESIGN 8).
const METADATA_MAX: usize = 256 << 10;
/// The most levels of metadata; the body is one level more.
const LEVELS_MAX: usize = 64;

/// Members of the body that only a delegated request has (PROTOCOL 22).
const ENVELOPE: [&str; 11] = [
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

/// A submission that keeps the contract.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) subject: Subject,
    /// SHA-256 of the body as it came.
    pub(crate) request: Digest,
    pub(crate) nonce: Nonce,
    /// Whether it carries an envelope, or any part of one.
    pub(crate) delegated: bool,
    /// The first secret that is unmistakable, if there is one.
    pub(crate) secret: Option<SecretKind>,
}

/// A request's nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonce {
    Absent,
    Malformed,
    Given([u8; 16]),
}

/// Reads the body of a submission by `caller` at `now`.
pub(crate) fn receive(
    body: &str,
    caller: &Principal,
    settings: &Settings,
    now: Timestamp,
) -> Result<Received, Refusal> {
    let document = parse(body, BODY_MAX, LEVELS_MAX + 1)?;
    let root = document.root();
    let metadata = root
        .get("metadata")
        .ok_or_else(|| invalid("`metadata` is missing"))?;
    if !metadata.is_object() {
        return Err(invalid("`metadata` must be an object"));
    }
    if metadata.raw().len() > METADATA_MAX {
        return Err(invalid("`metadata` must be at most 256 KiB"));
    }
    let intent_id = text(root, "intent_id", rules::intent_id)?;
    let action_id = text(root, "action_id", rules::action_id)?;
    let body_hash = hash(&intent_id, &action_id, metadata.raw())?;
    let facts = Facts {
        caller,
        action_id: &action_id,
        metadata,
        body_hash,
    };
    let risk = risk_level(metadata)?;
    let subject = Subject {
        organisation: Arc::clone(caller.organisation()),
        key: Arc::clone(caller.key()),
        owner: Arc::clone(caller.owner()),
        agent_id: None,
        delegation_chain_id: None,
        delegation_depth: 0,
        request_id: request_id(root)?,
        risk,
        operation_class: text(metadata, "operation_class", rules::operation_class)?,
        data_sensitivity: text(metadata, "data_sensitivity", rules::data_sensitivity)?,
        systems: systems(metadata)?,
        summary: metadata
            .get("summary")
            .and_then(|node| node.as_str())
            .map(|text| (*text).into()),
        metadata: metadata.raw().into(),
        resume: facts.resume(),
        fingerprint: facts.fingerprint(&intent_id, risk, settings)?,
        client: facts.client(),
        created_at: now,
        expires_at: now.plus(settings.ttl),
        intent_id: intent_id.clone(),
        action_id: action_id.clone(),
        body_hash,
    };
    Ok(Received {
        request: Digest::of(body.as_bytes()),
        nonce: nonce(root),
        delegated: ENVELOPE.iter().any(|name| root.get(name).is_some()),
        secret: floor(&intent_id)
            .or_else(|| floor(&action_id))
            .or_else(|| secret_in(metadata)),
        subject,
    })
}

/// Parses a body: strict JSON, one object, no duplicate members.
pub(crate) fn parse(body: &str, longest: usize, levels: usize) -> Result<Document<'_>, Refusal> {
    if body.len() > longest {
        return Err(invalid("the body is too large"));
    }
    let document = Document::parse_within(body, levels).map_err(|error| {
        let word = match error.kind() {
            JsonErrorKind::TooDeep => Word::Invalid,
            _ => Word::Malformed,
        };
        Refusal::new(word, error.to_string())
    })?;
    if document.root().is_object() {
        Ok(document)
    } else {
        Err(Refusal::new(
            Word::Malformed,
            "the body must be a JSON object",
        ))
    }
}

pub(crate) fn invalid(reason: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Word::Invalid, reason)
}

fn text(
    object: Node<'_>,
    name: &str,
    rule: fn(&str) -> Result<(), rules::Fault>,
) -> Result<Box<str>, Refusal> {
    let node = object
        .get(name)
        .ok_or_else(|| invalid(format!("`{name}` is missing")))?;
    let text = node
        .as_str()
        .ok_or_else(|| invalid(format!("`{name}` must be a string")))?;
    rule(&text).map_err(|fault| invalid(format!("`{name}`: {}", fault.message())))?;
    Ok(text.into())
}

fn risk_level(metadata: Node<'_>) -> Result<RiskLevel, Refusal> {
    metadata
        .get("risk_level")
        .and_then(|node| RiskLevel::parse(&node.as_str()?))
        .ok_or_else(|| invalid("`risk_level` must be low, medium, high or critical"))
}

fn systems(metadata: Node<'_>) -> Result<Box<[Box<str>]>, Refusal> {
    let rule = || invalid("`systems_touched` must be a list of strings that are not blank");
    let systems: Option<Box<[Box<str>]>> = metadata
        .get("systems_touched")
        .ok_or_else(rule)?
        .elements()
        .map(|node| {
            let name = node.as_str()?;
            rules::system(&name).ok()?;
            Some(name.into())
        })
        .collect();
    systems
        .filter(|systems| !systems.is_empty())
        .ok_or_else(rule)
}

/// The client's own name for the request. It comes back in answers and stands in logs.
fn request_id(root: Node<'_>) -> Result<Option<Box<str>>, Refusal> {
    let Some(node) = root.get("request_id").filter(|node| !node.is_null()) else {
        return Ok(None);
    };
    let rule = || invalid("`request_id` must be a string of 1 to 128 visible ASCII characters");
    let id = node.as_str().ok_or_else(rule)?;
    let fits = (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(Some(id.into()))
    } else {
        Err(rule())
    }
}

fn nonce(root: Node<'_>) -> Nonce {
    let Some(node) = root.get("nonce") else {
        return Nonce::Absent;
    };
    node.as_str()
        .and_then(|text| hex_to_bytes(&text))
        .map_or(Nonce::Malformed, Nonce::Given)
}

fn hash(intent_id: &str, action_id: &str, metadata: &str) -> Result<Digest, Refusal> {
    let hash = body_hash_json(intent_id, action_id, metadata)
        .map_err(|error| invalid(error.to_string()))?;
    Digest::parse(&hash).ok_or_else(|| Refusal::new(Word::Unavailable, "engine_error"))
}

/// What binding, memory and resumption are made of.
struct Facts<'a> {
    caller: &'a Principal,
    action_id: &'a str,
    metadata: Node<'a>,
    body_hash: Digest,
}

impl Facts<'_> {
    fn binding(&self) -> Binding {
        let digest = self.metadata.get("arguments_digest");
        let unbound = self.metadata.get("arguments_unbound");
        match (digest, unbound) {
            (None, None) => Binding::Silent,
            (Some(digest), None) if is_arguments_digest(digest) => Binding::Whole,
            // Some argument is not digested, or the digest is none.
            _ => Binding::Partial,
        }
    }

    fn resume(&self) -> Resume {
        let Some(key) = self.metadata.get("resume_key") else {
            return Resume::Never;
        };
        match (self.binding(), key.as_str()) {
            (Binding::Whole, Some(key)) => Resume::By(Digest::of_parts(
                "sernixa.resume.v1",
                &[
                    self.caller.organisation().as_bytes(),
                    self.caller.key().as_bytes(),
                    self.action_id.as_bytes(),
                    &self.body_hash.0,
                    key.as_bytes(),
                ],
            )),
            _ => Resume::Detached,
        }
    }

    fn fingerprint(
        &self,
        intent_id: &str,
        risk: RiskLevel,
        settings: &Settings,
    ) -> Result<Option<Digest>, Refusal> {
        if !is_remembered(risk, self.binding(), &settings.memory) {
            return Ok(None);
        }
        // Whoever resumes with another key asks for the same thing.
        let body_hash = match self.metadata.get("resume_key") {
            None => self.body_hash,
            Some(_) => hash(
                intent_id,
                self.action_id,
                &without(self.metadata, "resume_key"),
            )?,
        };
        Ok(Some(Digest::of_parts(
            "sernixa.memory.v1",
            &[
                self.caller.organisation().as_bytes(),
                self.caller.key().as_bytes(),
                &body_hash.0,
            ],
        )))
    }

    fn client(&self) -> ClientKind {
        match self.metadata.get("policy_surface") {
            Some(surface) if surface.is("rust_sdk") => ClientKind::Claims,
            _ => ClientKind::Unknown,
        }
    }
}

/// `hmac-sha256:` and 64 lower-case hex digits (DESIGN 5).
fn is_arguments_digest(node: Node<'_>) -> bool {
    node.as_str().is_some_and(|text| {
        text.strip_prefix("hmac-sha256:")
            .is_some_and(|hex| Digest::parse(hex).is_some())
    })
}

/// The text of an object without one of its members.
fn without(object: Node<'_>, name: &str) -> String {
    let mut text = String::from("{");
    for (key, value) in object.members().filter(|(key, _)| !key.is(name)) {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(key.raw());
        text.push(':');
        text.push_str(value.raw());
    }
    text.push('}');
    text
}

/// The first secret in the keys and strings of a value. Depth is bounded by the parser.
fn secret_in(node: Node<'_>) -> Option<SecretKind> {
    if let Some(text) = node.as_str() {
        return floor(&text);
    }
    node.members()
        .find_map(|(key, value)| secret_in(key).or_else(|| secret_in(value)))
        .or_else(|| node.elements().find_map(secret_in))
}

/// What may never be stored, whatever DLP mode the client runs in: private keys and tokens of
/// providers (DESIGN 10). Card numbers and JWTs are the client's to judge.
fn floor(text: &str) -> Option<SecretKind> {
    secrets::scan(text)
        .map(|secret| secret.kind)
        .find(|kind| !matches!(kind, SecretKind::Card | SecretKind::Jwt))
}
