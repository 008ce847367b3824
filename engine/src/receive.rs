//! A submission's bytes become a [`Subject`], or a refusal that says what is wrong.
//!
//! The contract itself is the protocol's ([`submission::Received`]); here it is joined with who
//! asked, and with what binding, memory and resumption are made of (DESIGN 5, 7, 10).

use std::sync::Arc;

use sernixa_protocol::json::{Document, JsonErrorKind, Node};
use sernixa_protocol::secrets::{self, SecretKind};
use sernixa_protocol::submission::{self, ReceiveError};

use crate::approval::{ClientKind, Resume, Subject};
use crate::delegation::{self, Signed, Unverified};
use crate::digest::{Digest, hex_to_bytes};
use crate::keyring::Keyring;
use crate::memory::{Binding, is_remembered};
use crate::moment::Timestamp;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::settings::Settings;

/// The most that a body may hold, in bytes (DESIGN 11).
const BODY_MAX: usize = 1 << 20;

/// A submission that keeps the contract.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) subject: Subject,
    /// SHA-256 of the body as it came.
    pub(crate) request: Digest,
    pub(crate) nonce: Nonce,
    /// Its envelope, of a delegated one, as far as it can be verified without state.
    pub(crate) delegated: Option<Result<Signed, Unverified>>,
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
    keyring: &Keyring,
    now: Timestamp,
) -> Result<Received, Refusal> {
    if body.len() > BODY_MAX {
        return Err(invalid("the body is longer than 1 MiB"));
    }
    let sent = submission::Received::parse(body).map_err(|error| {
        let word = match error {
            // No JSON, or no object: the same fault as in any other body.
            ReceiveError::Json(_) | ReceiveError::WrongKind("body") => Word::Malformed,
            _ => Word::Invalid,
        };
        Refusal::new(word, error.to_string())
    })?;
    check_request_id(sent.request_id.as_deref())?;
    let body_hash = digest(&sent.body_hash)?;
    let binding = binding(&sent);
    Ok(Received {
        request: Digest::of(body.as_bytes()),
        nonce: nonce(sent.nonce.as_deref()),
        delegated: delegation::verify(&sent, keyring, now),
        secret: secret(&sent),
        subject: Subject {
            organisation: Arc::clone(caller.organisation()),
            key: Arc::clone(caller.key()),
            owner: Arc::clone(caller.owner()),
            // What the envelope claims is not taken before the delegation is verified.
            agent_id: None,
            delegation_chain_id: None,
            delegation_token_id: None,
            delegation_depth: 0,
            delegator_owners: Box::default(),
            signing_key_id: None,
            resume: resume(&sent, caller, &body_hash, binding),
            fingerprint: fingerprint(&sent, caller, settings, binding)?,
            client: client(&sent),
            body_hash,
            request_id: sent.request_id.map(Into::into),
            intent_id: sent.intent_id.into(),
            action_id: sent.action_id.into(),
            risk: sent.risk_level,
            operation_class: sent.operation_class.into(),
            data_sensitivity: sent.data_sensitivity.into(),
            systems: sent.systems_touched.into_iter().map(Into::into).collect(),
            summary: sent.summary.map(Into::into),
            metadata: sent.metadata.into(),
            created_at: now,
            expires_at: now.plus(settings.ttl),
        },
    })
}

/// Parses a body that is not a submission: strict JSON, one object, no duplicate members.
pub(crate) fn parse(body: &str, longest: usize) -> Result<Document<'_>, Refusal> {
    /// More than any of these bodies needs.
    const LEVELS: usize = 8;
    if body.len() > longest {
        return Err(invalid("the body is too large"));
    }
    let document = Document::parse_within(body, LEVELS).map_err(|error| {
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

/// The client's own name for the request comes back in answers and stands in logs and headers.
fn check_request_id(id: Option<&str>) -> Result<(), Refusal> {
    let fits = id.is_none_or(|id| {
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    });
    if fits {
        Ok(())
    } else {
        Err(invalid(
            "request_id must have 1 to 128 visible ASCII characters",
        ))
    }
}

fn nonce(sent: Option<&str>) -> Nonce {
    sent.map_or(Nonce::Absent, |text| {
        hex_to_bytes(text).map_or(Nonce::Malformed, Nonce::Given)
    })
}

fn digest(hex: &str) -> Result<Digest, Refusal> {
    Digest::parse(hex).ok_or_else(|| Refusal::new(Word::Unavailable, "engine_error"))
}

/// What the submission says of its arguments.
fn binding(sent: &submission::Received) -> Binding {
    match (&sent.arguments_digest, sent.has_unbound_arguments) {
        (None, false) => Binding::Silent,
        (Some(digest), false) if is_arguments_digest(digest) => Binding::Whole,
        // Some argument is not digested, or the digest is none.
        _ => Binding::Partial,
    }
}

/// `hmac-sha256:` and 64 lower-case hex digits (DESIGN 5).
fn is_arguments_digest(text: &str) -> bool {
    text.strip_prefix("hmac-sha256:")
        .is_some_and(|hex| Digest::parse(hex).is_some())
}

fn resume(
    sent: &submission::Received,
    caller: &Principal,
    body_hash: &Digest,
    binding: Binding,
) -> Resume {
    match (&sent.resume_key, binding) {
        (None, _) => Resume::Never,
        (Some(key), Binding::Whole) => Resume::By(Digest::of_parts(
            "sernixa.resume.v1",
            &[
                caller.organisation().as_bytes(),
                caller.key().as_bytes(),
                sent.action_id.as_bytes(),
                &body_hash.0,
                key.as_bytes(),
            ],
        )),
        // Another call could differ in what is not digested.
        (Some(_), Binding::Partial | Binding::Silent) => Resume::Detached,
    }
}

/// Binds a submission to arguments that stand in it whole, without a digest.
pub(crate) fn bind(received: &mut Received, caller: &Principal, settings: &Settings) {
    let subject = &mut received.subject;
    if is_remembered(subject.risk, Binding::Whole, &settings.memory) {
        subject.fingerprint = Some(known_by(caller, &subject.body_hash));
    }
}

/// What memory knows the call by, if it may know it.
fn fingerprint(
    sent: &submission::Received,
    caller: &Principal,
    settings: &Settings,
    binding: Binding,
) -> Result<Option<Digest>, Refusal> {
    if !is_remembered(sent.risk_level, binding, &settings.memory) {
        return Ok(None);
    }
    let body_hash = digest(&sent.fingerprint_hash())?;
    Ok(Some(known_by(caller, &body_hash)))
}

/// The fingerprint of a body by a caller.
fn known_by(caller: &Principal, body_hash: &Digest) -> Digest {
    Digest::of_parts(
        "sernixa.memory.v1",
        &[
            caller.organisation().as_bytes(),
            caller.key().as_bytes(),
            &body_hash.0,
        ],
    )
}

/// Our own client says in `policy_surface` that it is one, and claims.
fn client(sent: &submission::Received) -> ClientKind {
    match sent.policy_surface.as_deref() {
        Some("rust_sdk") => ClientKind::Claims,
        _ => ClientKind::Unknown,
    }
}

/// The first secret in what was sent.
fn secret(sent: &submission::Received) -> Option<SecretKind> {
    let canonical = sent.canonical_metadata();
    floor(&sent.intent_id)
        .or_else(|| floor(&sent.action_id))
        .or_else(|| {
            if canonical.contains('\\') {
                // An escape would hide where a word begins (`\nAKIA…`), so each text is read by itself.
                Document::parse(canonical)
                    .ok()
                    .and_then(|document| secret_in(document.root()))
            } else {
                floor(canonical)
            }
        })
}

/// The first secret in the keys and strings of a value. The contract bounds its depth.
pub(crate) fn secret_in(node: Node<'_>) -> Option<SecretKind> {
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
