//! An approval: what was asked, where it stands, and the small moves it can make.
//!
//! ```text
//! pending_review ─┬─ approved ── (claim_by) ── expired
//!                 ├─ rejected
//!                 └─ expired (TTL, withdrawn)
//! approved ── (its delegation ended before it started) ── blocked
//! auto_approved     made by policy or memory, never waits
//! ```
//!
//! Beside the status stands the execution: `none | claimed | delivered | <outcome>`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sernixa_protocol::{DecisionStatus, RiskLevel};

use crate::audit::Receipt;
use crate::delegation::TokenId;
use crate::digest::{Digest, hex_to_bytes, push_hex, write_hex};
use crate::moment::Timestamp;

/// Names one approval; safe in a URL path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId(pub [u8; 16]);

impl ApprovalId {
    const PREFIX: &str = "apr_";

    /// Reads `apr_` and 32 lower-case hex digits; anything else names no approval.
    pub fn parse(text: &str) -> Option<Self> {
        hex_to_bytes(text.strip_prefix(Self::PREFIX)?).map(Self)
    }

    /// Appends its text.
    pub(crate) fn push(self, out: &mut String) {
        out.push_str(Self::PREFIX);
        push_hex(&self.0, out);
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an approval is about: fixed when it is made, shared by every copy of it.
///
/// Its `Debug` shows no text of the submission: metadata and summary are for who reads the record.
#[derive(Clone, PartialEq)]
pub struct Subject {
    /// The organisation it belongs to.
    pub organisation: Arc<str>,
    /// The public id of the key that asked.
    pub key: Arc<str>,
    /// Who answers for that key.
    pub owner: Arc<str>,
    /// The agent a delegated request acts as.
    pub agent_id: Option<Box<str>>,
    /// The chain of a delegated request's token.
    pub delegation_chain_id: Option<Box<str>>,
    /// The token of a delegated request.
    pub delegation_token_id: Option<TokenId>,
    /// Links from the root token to the one used; 0 when not delegated.
    pub delegation_depth: u8,
    /// Who answers for the agents that delegated, from the root on.
    pub delegator_owners: Box<[Box<str>]>,
    /// The signing key that a delegated request was signed with: its later steps are signed so too.
    pub signing_key_id: Option<Box<str>>,
    /// The client's name for this one request.
    pub request_id: Option<Box<str>>,
    /// What is intended.
    pub intent_id: Box<str>,
    /// What would be done.
    pub action_id: Box<str>,
    /// How grave it is.
    pub risk: RiskLevel,
    /// What kind of thing it does, as it was sent.
    pub operation_class: Box<str>,
    /// How sensitive the data is, as it was sent.
    pub data_sensitivity: Box<str>,
    /// The systems it touches.
    pub systems: Box<[Box<str>]>,
    /// One line for the reviewer.
    pub summary: Option<Box<str>>,
    /// The metadata as JSON text, as it was sent.
    pub metadata: Box<str>,
    /// SHA-256 of canonical `{action_id, intent_id, metadata}` (PROTOCOL 22).
    pub body_hash: Digest,
    /// Whether a later submission may take this approval up again.
    pub resume: Resume,
    /// What memory knows the call by; `None`: never remembered.
    pub fingerprint: Option<Digest>,
    /// Whether the client that asked claims what it was granted.
    pub client: ClientKind,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When it ends undecided.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("organisation", &self.organisation)
            .field("key", &self.key)
            .field("intent_id", &self.intent_id)
            .field("action_id", &self.action_id)
            .field("risk", &self.risk)
            .field("body_hash", &self.body_hash)
            .field("metadata_bytes", &self.metadata.len())
            .finish_non_exhaustive()
    }
}

/// Whether a later submission may re-attach to an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// No `resume_key`: its one waiter may withdraw it.
    Never,
    /// A `resume_key`, but not all arguments are digested: neither resumed nor withdrawn.
    Detached,
    /// The digest of everything that must be equal for a later submission to re-attach.
    By(Digest),
}

/// What is known of the client that submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// It claims (its `policy_surface` says so), so reading a record starts nothing.
    Claims,
    /// Nothing: it may be one that starts as soon as it reads `approved`.
    Unknown,
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for a person.
    PendingReview,
    /// A person said yes.
    Approved,
    /// Policy or memory said yes, at once.
    AutoApproved,
    /// A person said no.
    Rejected,
    /// Approved, but not to be started any more: the delegation that it rests on has ended.
    Blocked,
    /// Not decided, or not claimed, in time; or withdrawn.
    Expired,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::PendingReview,
        Self::Approved,
        Self::AutoApproved,
        Self::Rejected,
        Self::Blocked,
        Self::Expired,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        self.word().as_str()
    }

    /// The protocol's word.
    pub const fn word(self) -> DecisionStatus {
        match self {
            Self::PendingReview => DecisionStatus::PendingReview,
            Self::Approved => DecisionStatus::Approved,
            Self::AutoApproved => DecisionStatus::AutoApproved,
            Self::Rejected => DecisionStatus::Rejected,
            Self::Blocked => DecisionStatus::Blocked,
            Self::Expired => DecisionStatus::Expired,
        }
    }

    /// The status that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What became of the action itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Execution {
    /// Nobody has started it.
    None,
    /// Someone claimed it and may be running it.
    Claimed,
    /// A client that never claims has read the approval, and may be running it.
    Delivered,
    /// Someone said how it ended.
    Ended(ExecutionOutcome),
}

impl Execution {
    /// The word in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Claimed => "claimed",
            Self::Delivered => "delivered",
            Self::Ended(outcome) => outcome.as_str(),
        }
    }

    /// The execution that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Claimed, Self::Delivered]
            .into_iter()
            .find(|execution| execution.as_str() == text)
            .or_else(|| ExecutionOutcome::parse(text).map(Self::Ended))
    }
}

/// How a started action ended (DESIGN 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutionOutcome {
    /// It returned `Ok`.
    Succeeded,
    /// It returned `Err`.
    Failed,
    /// It panicked.
    Panicked,
    /// Its future was dropped.
    Cancelled,
    /// It returned, and nobody knows whether that is success.
    Returned,
    /// It goes on elsewhere; a later report says how it ended.
    Continued,
    /// It never began.
    NotStarted,
    /// Nobody knows.
    Unknown,
}

impl ExecutionOutcome {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Failed,
        Self::Panicked,
        Self::Cancelled,
        Self::Returned,
        Self::Continued,
        Self::NotStarted,
        Self::Unknown,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::Continued => "continued",
            Self::NotStarted => "not_started",
            Self::Unknown => "outcome_unknown",
        }
    }

    /// The outcome that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }

    /// Whether a later report may say it better.
    pub const fn is_provisional(self) -> bool {
        matches!(self, Self::Unknown | Self::Continued)
    }
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

impl Decision {
    /// The word on the wire, and the status it leads to.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }

    /// The decision that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Approve, Self::Reject]
            .into_iter()
            .find(|decision| decision.as_str() == text)
    }
}

/// A decision that was taken. It stays in the record whatever becomes of the approval.
///
/// Its `Debug` leaves out the reason, which may quote what was reviewed.
#[derive(Clone, PartialEq, Eq)]
pub struct Decided {
    /// Yes or no.
    pub decision: Decision,
    /// Why, in 3 to 500 characters.
    pub reason: Box<str>,
    /// The owner of the key that decided.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// Whether the same owner had asked.
    pub self_decided: bool,
}

impl fmt::Debug for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decided")
            .field("decision", &self.decision)
            .field("by", &self.by)
            .field("at", &self.at)
            .field("self_decided", &self.self_decided)
            .finish_non_exhaustive()
    }
}

/// How an approval expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// Nobody decided before `expires_at`.
    Undecided,
    /// Nobody claimed before `claim_by`.
    Unclaimed,
    /// The one who asked took it back.
    Withdrawn,
}

impl Expiry {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Undecided, Self::Unclaimed, Self::Withdrawn];

    /// The reason in a record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "not decided in time",
            Self::Unclaimed => "not claimed in time",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The expiry that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|expiry| expiry.as_str() == text)
    }
}

/// The claim that started an execution.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The 128 random bits the claimer made for this one start.
    pub id: [u8; 16],
    /// When.
    pub at: Timestamp,
    /// The audit event that recorded it.
    pub receipt: Receipt,
}

/// Without the claim id, which is shown nowhere (DESIGN 7).
impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("at", &self.at)
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}

/// An approval as a store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// What it is about.
    pub subject: Arc<Subject>,
    /// Where it stands.
    pub status: Status,
    /// What became of the action.
    pub execution: Execution,
    /// Why it waits, or why it was let through.
    pub reason: Cow<'static, str>,
    /// The person's answer.
    pub decided: Option<Arc<Decided>>,
    /// How it expired, when it did.
    pub expiry: Option<Expiry>,
    /// Until when an approval may be claimed.
    pub claim_by: Option<Timestamp>,
    /// The claim that started it.
    pub claim: Option<Arc<Claim>>,
    /// How many clients have attached; only the last one's token claims.
    pub attachment: u32,
    /// When a client that waits for it was last noticed: it attached, or looked at the record. Only
    /// where a later submission may attach; of the others the one waiter withdraws when it leaves.
    pub waiter_seen_at: Option<Timestamp>,
    /// The policy set it was judged by.
    pub policy_digest: Digest,
    /// The number of its last audit event.
    pub seq: u64,
    /// When it changes by itself if nobody does anything; `None`: never. Stores index this.
    pub due: Option<Timestamp>,
}

impl Approval {
    /// What [`Approval::due`] is for its state, when an outcome must come within
    /// `outcome_within` of the claim.
    pub(crate) fn due_at(&self, outcome_within: Duration) -> Option<Timestamp> {
        match (self.status, self.execution) {
            (Status::PendingReview, _) => Some(self.subject.expires_at),
            (Status::Approved, Execution::None) => self.claim_by,
            (Status::Approved, Execution::Claimed) => self
                .claim
                .as_ref()
                .map(|claim| claim.at.plus(outcome_within)),
            // Delivered: the client that read it reports nothing. The rest has ended.
            _ => None,
        }
    }

    /// Whether it outlives its waiter, so that nobody may be waiting for it.
    pub(crate) fn outlives_waiter(&self) -> bool {
        self.subject.resume != Resume::Never
    }

    /// Whether a submission with the same resume key may attach to it at `now`.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        match self.status {
            Status::PendingReview => now < self.subject.expires_at,
            Status::Approved => {
                self.execution == Execution::None && self.claim_by.is_some_and(|by| now < by)
            }
            Status::AutoApproved | Status::Rejected | Status::Blocked | Status::Expired => false,
        }
    }
}
