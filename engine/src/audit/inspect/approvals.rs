//! Comparing approvals with the events about them.

use std::fmt;

use crate::approval::{Approval, ApprovalId};
use crate::audit::bundle::Submission;
use crate::audit::inspect::{PAGE, is, says};
use crate::audit::{BUNDLE_EVENTS_MAX, Event, EventFilter, EventKind};
use crate::change::ChangeKind;
use crate::store::{Store, StoreError};

/// What the check of a store's approvals found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalReport {
    /// How many approvals were compared with their events.
    pub checked: u64,
    /// How many could not be, since their events are no longer kept.
    pub skipped: u64,
    /// The approvals that their events do not support, the first hundred of them.
    pub faults: Vec<ApprovalFault>,
}

/// An approval that the audit does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalFault {
    /// Which.
    pub approval_id: ApprovalId,
    /// What does not fit.
    pub kind: ApprovalFaultKind,
}

/// What of an approval does not fit the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApprovalFaultKind {
    /// The event that would have brought it where it stands is not there.
    NoEvent,
    /// It stands otherwise than the event says that it does.
    OtherState,
    /// A later event changed it, and it does not show.
    SetBack,
    /// What was submitted is not what was hashed when it was asked.
    OtherSubmission,
    /// Who asked, or how grave it is, is not what was recorded when it was asked.
    OtherFacts,
    /// The person's decision is not the one that was recorded.
    OtherDecision,
}

impl fmt::Display for ApprovalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ApprovalFaultKind::NoEvent => "no audit event brought it where it stands",
            ApprovalFaultKind::OtherState => "it stands otherwise than its audit event says",
            ApprovalFaultKind::SetBack => "a later audit event changed it, and it does not show",
            ApprovalFaultKind::OtherSubmission => "what was submitted is not what was hashed",
            ApprovalFaultKind::OtherFacts => "who asked, or for what, is not what was recorded",
            ApprovalFaultKind::OtherDecision => "its decision is not the one that was recorded",
        };
        write!(f, "approval {}: {what}", self.approval_id)
    }
}

/// Compares every approval in a store with the events about it. Check the chains first: this
/// believes them.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub fn verify_approvals(store: &dyn Store) -> Result<ApprovalReport, StoreError> {
    const FAULTS_MAX: usize = 100;
    let mut report = ApprovalReport {
        checked: 0,
        skipped: 0,
        faults: Vec::new(),
    };
    let mut after = None;
    loop {
        let page = store.approvals(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for approval in &page {
            let organisation = &approval.subject.organisation;
            if approval.seq <= store.first_anchor(organisation)?.seq && approval.seq > 0 {
                report.skipped += 1;
                continue;
            }
            report.checked += 1;
            let fault = match check(store, approval)? {
                // It may have changed between two reads: look again.
                Some(_) => match store.approvals(before(approval.id), 1)?.first() {
                    Some(again) if again.id == approval.id => check(store, again)?,
                    _ => None,
                },
                None => None,
            };
            report.faults.extend(fault.map(|kind| ApprovalFault {
                approval_id: approval.id,
                kind,
            }));
            if report.faults.len() >= FAULTS_MAX {
                return Ok(report);
            }
        }
    }
    Ok(report)
}

/// The id before `id` in their order.
fn before(id: ApprovalId) -> Option<ApprovalId> {
    let number = u128::from_be_bytes(id.0).checked_sub(1)?;
    Some(ApprovalId(number.to_be_bytes()))
}

fn check(store: &dyn Store, approval: &Approval) -> Result<Option<ApprovalFaultKind>, StoreError> {
    let filter = EventFilter {
        approval_id: Some(approval.id),
        ..EventFilter::default()
    };
    let organisation = &approval.subject.organisation;
    let events = store.find_events(organisation, &filter, BUNDLE_EVENTS_MAX)?;
    Ok(compare(approval, &events).err())
}

/// Compares an approval with the events about it, the newest first.
fn compare(approval: &Approval, events: &[Event]) -> Result<(), ApprovalFaultKind> {
    let last = events
        .iter()
        .find(|event| event.seq == approval.seq)
        .ok_or(ApprovalFaultKind::NoEvent)?;
    let changes = |event: &&Event| ChangeKind::of(event.kind).is_some();
    if events
        .iter()
        .take_while(|event| event.seq > approval.seq)
        .any(|event| changes(&event))
    {
        return Err(ApprovalFaultKind::SetBack);
    }
    let stands = says(last, |event| {
        is(event, "status", approval.status.as_str())
            && is(event, "execution", approval.execution.as_str())
            && is(event, "body_hash", &approval.subject.body_hash.to_string())
    });
    if !stands {
        return Err(ApprovalFaultKind::OtherState);
    }
    if Submission::of(approval).is_none() {
        return Err(ApprovalFaultKind::OtherSubmission);
    }
    let asked = events
        .iter()
        .rev()
        .find(|event| matches!(event.kind, EventKind::Asked | EventKind::Allowed));
    let subject = &approval.subject;
    let facts = asked.is_some_and(|event| {
        says(event, |event| {
            is(event, "key", &subject.key)
                && is(event, "owner", &subject.owner)
                && is(event, "intent_id", &subject.intent_id)
                && is(event, "action_id", &subject.action_id)
                && is(event, "risk_level", subject.risk.as_str())
                && is(event, "operation_class", &subject.operation_class)
                && is(event, "data_sensitivity", &subject.data_sensitivity)
        })
    });
    if !facts {
        return Err(ApprovalFaultKind::OtherFacts);
    }
    compare_decision(approval, events)
}

/// The decision in the record is the one that was recorded, and none where none was.
fn compare_decision(approval: &Approval, events: &[Event]) -> Result<(), ApprovalFaultKind> {
    let recorded = events
        .iter()
        .find(|event| matches!(event.kind, EventKind::Approved | EventKind::Rejected));
    let same = match (recorded, approval.decided.as_deref()) {
        (None, None) => true,
        (Some(event), Some(decided)) => says(event, |event| {
            let own = event.get("self_decided").and_then(|node| node.as_bool());
            is(event, "decision", decided.decision.as_str())
                && is(event, "owner", &decided.by)
                && is(event, "reason", &decided.reason)
                && own == Some(decided.self_decided)
        }),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if same {
        Ok(())
    } else {
        Err(ApprovalFaultKind::OtherDecision)
    }
}
