//! Comparing approvals with the events about them.

use std::fmt;

use sernixa_protocol::json::{Document, Node};

use crate::approval::{Approval, ApprovalId, Status};
use crate::audit::bundle::Submission;
use crate::audit::inspect::{PAGE, is, says};
use crate::audit::{BUNDLE_EVENTS_MAX, Event, EventFilter, EventKind};
use crate::change::ChangeKind;
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::store::{Store, StoreError};

/// More events than any approval has.
const MOST: usize = 1 << 24;

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
    /// Until when, by whom or under which policies it may be used is not what was recorded.
    OtherUse,
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
            ApprovalFaultKind::OtherUse => "how it may be used is not what was recorded",
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
    let mut events = store.find_events(organisation, &filter, BUNDLE_EVENTS_MAX)?;
    // Refused claims and reports are events, too, and whoever asked can make as many as they like.
    if events.len() == BUNDLE_EVENTS_MAX {
        events = store.find_events(organisation, &filter, MOST)?;
    }
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
    if !compare_facts(approval, events) {
        return Err(ApprovalFaultKind::OtherFacts);
    }
    compare_decision(approval, events)?;
    if compare_use(approval, events) {
        Ok(())
    } else {
        Err(ApprovalFaultKind::OtherUse)
    }
}

/// Who asked, for what and on whose behalf is what was recorded, and what a reviewer is shown is
/// what was submitted.
fn compare_facts(approval: &Approval, events: &[Event]) -> bool {
    let subject = &approval.subject;
    let token = subject.delegation_token_id.map(|id| id.to_string());
    let recorded = |event: Node<'_>| {
        let depth = event
            .get("delegation_depth")
            .map_or(Some(0), |node| node.as_u64());
        is(event, "key", &subject.key)
            && is(event, "owner", &subject.owner)
            && is(event, "intent_id", &subject.intent_id)
            && is(event, "action_id", &subject.action_id)
            && is(event, "risk_level", subject.risk.as_str())
            && is(event, "operation_class", &subject.operation_class)
            && is(event, "data_sensitivity", &subject.data_sensitivity)
            && is_list(event, "systems_touched", &subject.systems)
            && is_text(event, "request_id", subject.request_id.as_deref())
            && is_text(event, "agent_id", subject.agent_id.as_deref())
            && is_text(
                event,
                "delegation_chain_id",
                subject.delegation_chain_id.as_deref(),
            )
            && is_text(event, "delegation_token_id", token.as_deref())
            && is_text(event, "signing_key_id", subject.signing_key_id.as_deref())
            && is_list(event, "delegator_owners", &subject.delegator_owners)
            && depth == Some(u64::from(subject.delegation_depth))
            && (approval.status == Status::Blocked || is(event, "reason", &approval.reason))
    };
    let shown = Document::parse(&subject.metadata).is_ok_and(|metadata| {
        let said = metadata.root().get("summary");
        said.and_then(|node| node.as_str()).as_deref() == subject.summary.as_deref()
    });
    let asked = first(events, |kind| {
        matches!(kind, EventKind::Asked | EventKind::Allowed)
    });
    shown && asked.is_some_and(|event| says(event, recorded))
}

/// How long it may be decided and used, by whom, and under which policies, is what was recorded.
fn compare_use(approval: &Approval, events: &[Event]) -> bool {
    let last = |wanted: fn(EventKind) -> bool| events.iter().find(|event| wanted(event.kind));
    let time = |event: &Event, name, wanted: Option<Timestamp>| {
        let wanted = wanted.map(|time| time.to_string());
        says(event, |event| is_text(event, name, wanted.as_deref()))
    };
    let asked = last(|kind| kind == EventKind::Asked);
    let attached = last(|kind| matches!(kind, EventKind::Asked | EventKind::Resumed));
    let attachment = attached.map_or(Some(0), |event| {
        let document = Document::parse(&event.payload).ok()?;
        let number = document.root().get("attachment").map(|node| node.as_u64());
        number.unwrap_or(Some(1))
    });
    let approved = last(|kind| kind == EventKind::Approved);
    let judged = last(|kind| {
        matches!(
            kind,
            EventKind::Asked | EventKind::Allowed | EventKind::Resumed | EventKind::PolicyRechecked
        )
    });
    let claimed = match (last(|kind| kind == EventKind::Claimed), &approval.claim) {
        (None, None) => true,
        (Some(event), Some(claim)) => {
            claim.receipt == event.receipt()
                && says(event, |event| {
                    is(event, "claim", &Digest::of(&claim.id).to_string())
                })
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    asked.is_none_or(|event| time(event, "expires_at", Some(approval.subject.expires_at)))
        && approved.is_none_or(|event| time(event, "claim_by", approval.claim_by))
        && (approved.is_some() || approval.claim_by.is_none())
        && attachment == Some(u64::from(approval.attachment))
        && judged.is_some_and(|event| {
            let digest = approval.policy_digest.to_string();
            says(event, |event| is(event, "policy_digest", &digest))
        })
        && claimed
}

/// The oldest event of a kind.
fn first(events: &[Event], wanted: impl Fn(EventKind) -> bool) -> Option<&Event> {
    events.iter().rev().find(|event| wanted(event.kind))
}

/// Whether a member is that text, or is not there where there is none.
fn is_text(event: Node<'_>, name: &str, text: Option<&str>) -> bool {
    let node = event.get(name).filter(|node| !node.is_null());
    match (node, text) {
        (None, None) => true,
        (Some(node), Some(text)) => node.is(text),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether a member is that list of texts; one that is not there is empty.
fn is_list(event: Node<'_>, name: &str, wanted: &[Box<str>]) -> bool {
    let Some(list) = event.get(name) else {
        return wanted.is_empty();
    };
    let mut said = list.elements();
    wanted
        .iter()
        .all(|text| said.next().is_some_and(|node| node.is(text)))
        && said.next().is_none()
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
