//! A record: an approval as others may read it. Claim tokens and claim ids are no part of it.

use sernixa_protocol::RiskLevel;

use crate::approval::{Approval, ApprovalId, Decision, Execution, Status};
use crate::moment::Timestamp;
use crate::text::Object;

/// An approval as a reviewer, its own client or an auditor reads it.
///
/// Texts are as they were submitted: whoever shows them to a person escapes them first.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    approval: Approval,
}

/// How much of a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// As lists and events hold it.
    Listed,
    /// With the metadata, as a single read gives it.
    Full,
}

impl Record {
    pub(crate) const fn new(approval: Approval) -> Self {
        Self { approval }
    }

    /// Which approval.
    pub const fn approval_id(&self) -> ApprovalId {
        self.approval.id
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.approval.status
    }

    /// What became of the action.
    pub const fn execution(&self) -> Execution {
        self.approval.execution
    }

    /// What is intended.
    pub fn intent_id(&self) -> &str {
        &self.approval.subject.intent_id
    }

    /// What would be done.
    pub fn action_id(&self) -> &str {
        &self.approval.subject.action_id
    }

    /// How grave it is.
    pub fn risk_level(&self) -> RiskLevel {
        self.approval.subject.risk
    }

    /// What kind of thing it does, as it was sent.
    pub fn operation_class(&self) -> &str {
        &self.approval.subject.operation_class
    }

    /// How sensitive the data is, as it was sent.
    pub fn data_sensitivity(&self) -> &str {
        &self.approval.subject.data_sensitivity
    }

    /// The systems it touches.
    pub fn systems_touched(&self) -> impl Iterator<Item = &str> {
        self.approval.subject.systems.iter().map(AsRef::as_ref)
    }

    /// The submitter's one line for the reviewer.
    pub fn summary(&self) -> Option<&str> {
        self.approval.subject.summary.as_deref()
    }

    /// The metadata as JSON text, as it was submitted.
    pub fn metadata(&self) -> &str {
        &self.approval.subject.metadata
    }

    /// The client's name for the request that made it.
    pub fn request_id(&self) -> Option<&str> {
        self.approval.subject.request_id.as_deref()
    }

    /// The public id of the key that asked.
    pub fn requester(&self) -> &str {
        &self.approval.subject.key
    }

    /// The agent that a delegated request acts as.
    pub fn agent_id(&self) -> Option<&str> {
        self.approval.subject.agent_id.as_deref()
    }

    /// The chain of tokens that a delegated request rests on.
    pub fn delegation_chain_id(&self) -> Option<&str> {
        self.approval.subject.delegation_chain_id.as_deref()
    }

    /// SHA-256 of what was asked, in hex (PROTOCOL 22).
    pub fn body_hash(&self) -> String {
        self.approval.subject.body_hash.to_string()
    }

    /// Why it waits, was let through, or ended.
    pub fn reason(&self) -> &str {
        match self.approval.expiry {
            Some(expiry) => expiry.as_str(),
            None => &self.approval.reason,
        }
    }

    /// The person's reason, if one decided; else how it ended without a decision, if it has.
    pub fn decision_reason(&self) -> Option<&str> {
        match (&self.approval.decided, self.approval.expiry) {
            // The reason that lets nothing run says more than the one that would have.
            _ if self.approval.status == Status::Blocked => Some(&self.approval.reason),
            (Some(decided), _) => Some(&decided.reason),
            (None, Some(expiry)) => Some(expiry.as_str()),
            (None, None) => None,
        }
    }

    /// Who decided.
    pub fn decided_by(&self) -> Option<&str> {
        self.approval.decided.as_ref().map(|decided| &*decided.by)
    }

    /// Whether the one who decided had asked.
    pub fn self_decided(&self) -> bool {
        self.approval
            .decided
            .as_ref()
            .is_some_and(|decided| decided.self_decided)
    }

    /// When it was asked.
    pub fn created_at(&self) -> Timestamp {
        self.approval.subject.created_at
    }

    /// When it ends undecided.
    pub fn expires_at(&self) -> Timestamp {
        self.approval.subject.expires_at
    }

    /// Until when it may be claimed, once approved.
    pub const fn claim_by(&self) -> Option<Timestamp> {
        self.approval.claim_by
    }

    /// When a client that waits for it was last noticed, of an approval that outlives its waiters
    /// (a resume key): about every 20 s while one waits.
    pub const fn waiter_seen_at(&self) -> Option<Timestamp> {
        self.approval.waiter_seen_at
    }

    /// The record as JSON (DESIGN 11).
    pub fn json(&self, detail: Detail) -> String {
        self.write(detail).finish()
    }

    /// The listed record with what happened to it, and the audit event that recorded that.
    pub(crate) fn json_of_change(&self, change: &str, seq: u64) -> String {
        self.write(Detail::Listed)
            .string("change", change)
            .number("seq", seq)
            .finish()
    }

    /// The full record with the decision that was asked for, which the CLI reads (PROTOCOL 3.4).
    pub(crate) fn json_with_decision(&self, decision: Decision) -> String {
        self.write(Detail::Full)
            .string("decision", decision.as_str())
            .finish()
    }

    fn write(&self, detail: Detail) -> Object {
        let subject = &self.approval.subject;
        let object = Object::with_capacity(1024 + subject.metadata.len())
            .id("approval_id", self.approval.id)
            .string("action_id", &subject.action_id)
            .string("intent_id", &subject.intent_id)
            .string("status", self.approval.status.as_str())
            .string("reason", self.reason())
            .optional("decision_reason", self.decision_reason())
            .optional("decided_by", self.decided_by())
            .time("created_at", subject.created_at)
            .time("expires_at", subject.expires_at)
            .optional_time("claim_by", self.approval.claim_by)
            .string("risk_level", subject.risk.as_str())
            .string("operation_class", &subject.operation_class)
            .string("data_sensitivity", &subject.data_sensitivity)
            .strings("systems_touched", self.systems_touched())
            .optional("summary", subject.summary.as_deref())
            .optional("agent_id", subject.agent_id.as_deref())
            .optional(
                "delegation_chain_id",
                subject.delegation_chain_id.as_deref(),
            )
            .digest("body_hash", &subject.body_hash)
            .string("execution", self.approval.execution.as_str())
            .optional_time("waiter_seen_at", self.approval.waiter_seen_at)
            .digest("policy_digest", &self.approval.policy_digest)
            .flag("self_decided", self.self_decided());
        match detail {
            Detail::Listed => object,
            Detail::Full => object.json("metadata", &subject.metadata),
        }
    }
}
