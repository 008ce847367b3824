//! Every "no" of the engine: its HTTP status, its word, and the reason that a caller reads.

use std::borrow::Cow;
use std::fmt;

use crate::approval::Status;
use crate::audit::Receipt;
use crate::delegation::BrokenLink;
use crate::text::Object;

/// The word of a refusal, in `detail.status` (PROTOCOL 15, DESIGN 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Word {
    /// 400: the body is not the JSON that it should be.
    Malformed,
    /// 422: a value breaks a rule.
    Invalid,
    /// 403: the key lacks the role.
    Forbidden,
    /// 403: the owner would decide what its own key asked.
    SelfDecision,
    /// 404: there is no such thing, or the key may not see it.
    NotFound,
    /// 403: refused by policy or by a rule.
    Blocked,
    /// 403: a signature that does not verify, or cannot be verified here.
    InvalidSignature,
    /// 403: a nonce that is none.
    InvalidNonce,
    /// 403: a nonce that was used for another request.
    ReplayedNonce,
    /// 403: signed too long ago, or too far ahead.
    StaleTimestamp,
    /// 403: the delegation that a request rests on does not hold.
    Delegation(BrokenLink),
    /// 403: the token was given to another agent.
    MismatchedDelegatee,
    /// 403: the agent may not act through this API key, or sign with this signing key.
    UnknownAgent,
    /// 403: the delegation does not reach so far.
    OutOfScope,
    /// 409: a token that was never given for this approval to this caller.
    InvalidClaimToken,
    /// 409: a token of an older attachment.
    Superseded,
    /// 409: the action was started, or will never be.
    AlreadyClaimed,
    /// 409: the approval is of another body.
    BodyMismatch,
    /// 409: the policy set changed and no longer permits what was approved.
    PolicyChanged,
    /// 409: the delegation that the approval rests on holds no more.
    DelegationEnded(BrokenLink),
    /// 409: a request with a `resume_key` is not withdrawn.
    Resumable,
    /// 409: the approval stands where this cannot be done.
    Standing(Status),
    /// 501: this engine does not do that.
    NotOffered,
    /// 503: the engine could not do its part; another try may succeed.
    Unavailable,
}

impl Word {
    /// The HTTP status it travels with.
    pub const fn http(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Forbidden
            | Self::SelfDecision
            | Self::Blocked
            | Self::InvalidSignature
            | Self::InvalidNonce
            | Self::ReplayedNonce
            | Self::StaleTimestamp
            | Self::Delegation(_)
            | Self::MismatchedDelegatee
            | Self::UnknownAgent
            | Self::OutOfScope => 403,
            Self::NotFound => 404,
            Self::InvalidClaimToken
            | Self::Superseded
            | Self::AlreadyClaimed
            | Self::BodyMismatch
            | Self::PolicyChanged
            | Self::DelegationEnded(_)
            | Self::Resumable
            | Self::Standing(_) => 409,
            Self::Invalid => 422,
            Self::NotOffered => 501,
            Self::Unavailable => 503,
        }
    }

    /// The text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed | Self::Invalid => "invalid_request",
            Self::Forbidden => "forbidden",
            Self::SelfDecision => "self_decision",
            Self::NotFound => "not_found",
            Self::Blocked => "blocked",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidNonce => "invalid_nonce",
            Self::ReplayedNonce => "replayed_nonce",
            Self::StaleTimestamp => "stale_timestamp",
            Self::Delegation(broken) | Self::DelegationEnded(broken) => broken.as_str(),
            Self::MismatchedDelegatee => "mismatched_delegatee",
            Self::UnknownAgent => "unknown_agent",
            Self::OutOfScope => "out_of_scope",
            Self::InvalidClaimToken => "invalid_claim_token",
            Self::Superseded => "superseded",
            Self::AlreadyClaimed => "already_claimed",
            Self::BodyMismatch => "body_mismatch",
            Self::PolicyChanged => "policy_changed",
            Self::Resumable => "resumable",
            Self::Standing(status) => status.as_str(),
            Self::NotOffered => "not_offered",
            Self::Unavailable => "engine_error",
        }
    }
}

/// A "no": what it is, why, and what supports it. On the wire
/// `{"detail": {"status": …, "reason": …, "evidence": {…}}}` (PROTOCOL 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    word: Word,
    reason: Cow<'static, str>,
    /// The members of `evidence`, as a JSON object.
    evidence: Option<Box<str>>,
}

impl Refusal {
    /// A refusal with its reason: one line for the caller, without anything secret.
    pub(crate) fn new(word: Word, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            word,
            reason: reason.into(),
            evidence: None,
        }
    }

    /// The same with a JSON object in support.
    pub(crate) fn with_evidence(mut self, evidence: Object) -> Self {
        self.evidence = Some(evidence.finish().into_boxed_str());
        self
    }

    /// What cannot be told apart from what does not exist.
    pub(crate) fn not_found() -> Self {
        Self::new(Word::NotFound, "there is no such approval")
    }

    /// Which "no" it is.
    pub const fn word(&self) -> Word {
        self.word
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The body on the wire.
    pub(crate) fn body(&self) -> String {
        let detail = Object::new()
            .string("status", self.word.as_str())
            .string("reason", &self.reason)
            .json("evidence", self.evidence.as_deref().unwrap_or("{}"))
            .finish();
        Object::with_capacity(detail.len() + 16)
            .json("detail", &detail)
            .finish()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word.as_str(), self.reason)
    }
}

impl std::error::Error for Refusal {}

/// A receipt as JSON.
pub(crate) fn receipt_json(receipt: Receipt) -> String {
    Object::with_capacity(96)
        .number("seq", receipt.seq)
        .digest("hash", &receipt.hash)
        .finish()
}
