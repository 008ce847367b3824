//! Remembered approvals: what a person has approved often enough is not asked again.
//!
//! Only low and medium risk, only when the arguments are digested whole, only for the same
//! principal and the same body. A rejection forgets. It never overrules a policy's `request`.

use std::sync::Arc;

use sernixa_protocol::RiskLevel;

use crate::approval::Subject;
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::settings::{MemoryRule, Unbound};

/// The approvals of one call by people, as a store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What tells the call from any other: organisation, principal and body without `resume_key`.
    pub fingerprint: Digest,
    /// The organisation it belongs to.
    pub organisation: Arc<str>,
    /// The key whose call it is.
    pub key: Arc<str>,
    /// What is intended.
    pub intent_id: Box<str>,
    /// What is done.
    pub action_id: Box<str>,
    /// When a person approved it: the latest, oldest first, at most as many as the rule needs.
    pub approved_at: Vec<Timestamp>,
}

impl Memory {
    /// A memory of `subject`'s call without any approval yet.
    pub(crate) fn of(subject: &Subject, fingerprint: Digest) -> Self {
        Self {
            fingerprint,
            organisation: Arc::clone(&subject.organisation),
            key: Arc::clone(&subject.key),
            intent_id: subject.intent_id.clone(),
            action_id: subject.action_id.clone(),
            approved_at: Vec::new(),
        }
    }

    /// Adds an approval by a person, and drops what no longer matters.
    pub(crate) fn add(&mut self, at: Timestamp, rule: &MemoryRule) {
        self.approved_at
            .retain(|&earlier| counts(earlier, at, rule));
        self.approved_at.push(at);
        let most = usize::try_from(rule.threshold).unwrap_or(usize::MAX);
        let surplus = self.approved_at.len().saturating_sub(most);
        self.approved_at.drain(..surplus);
    }

    /// Whether enough approvals count at `now` to let the call run without asking.
    pub fn suffices(&self, now: Timestamp, rule: &MemoryRule) -> bool {
        let counting = self
            .approved_at
            .iter()
            .filter(|&&at| counts(at, now, rule))
            .count();
        u32::try_from(counting).is_ok_and(|counting| counting >= rule.threshold)
    }
}

fn counts(at: Timestamp, now: Timestamp, rule: &MemoryRule) -> bool {
    at > now.minus(rule.window)
}

/// What a submission says of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// All of them are digested.
    Whole,
    /// None or not all are.
    Partial,
    /// It says nothing: neither a digest nor names.
    Silent,
}

/// Whether the rule remembers a call of this risk and binding at all.
pub(crate) fn is_remembered(risk: RiskLevel, binding: Binding, rule: &MemoryRule) -> bool {
    match (risk, binding) {
        // The body hash covers the digest: the same arguments, or not the same call.
        (RiskLevel::Low | RiskLevel::Medium, Binding::Whole) => true,
        // Any argument may differ unseen; an operator may accept that, at low risk.
        (RiskLevel::Low, Binding::Silent) => rule.unbound == Unbound::Low,
        // What is grave is asked every time; and so is what may differ unseen.
        (RiskLevel::High | RiskLevel::Critical, _)
        | (_, Binding::Partial)
        | (RiskLevel::Medium, Binding::Silent) => false,
    }
}
