//! Telling others that an approval changed, after it is committed and outside of all locks.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::approval::{Approval, ApprovalId, Status};
use crate::audit::EventKind;

/// What happened to an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was asked, and waits for review.
    Asked,
    /// Another client attached to it. Whoever waited for it before can no longer claim it.
    Resumed,
    /// A person decided.
    Decided,
    /// It was claimed: the action starts.
    Claimed,
    /// A client that never claims has read it.
    Delivered,
    /// It ended undecided, unclaimed or withdrawn.
    Expired,
    /// It was approved, and may not start any more.
    Blocked,
    /// Someone said, or time showed, how the execution ended.
    Outcome,
}

impl ChangeKind {
    /// The change that an audit event records; `None` where it changed no approval that anyone
    /// waits for.
    pub(crate) const fn of(event: EventKind) -> Option<Self> {
        Some(match event {
            EventKind::Asked => Self::Asked,
            EventKind::Resumed => Self::Resumed,
            EventKind::Approved | EventKind::Rejected => Self::Decided,
            EventKind::Claimed => Self::Claimed,
            EventKind::Delivered => Self::Delivered,
            EventKind::Expired | EventKind::Withdrawn => Self::Expired,
            EventKind::Blocked => Self::Blocked,
            EventKind::OutcomeRecorded | EventKind::OutcomeUnknown => Self::Outcome,
            _ => return None,
        })
    }

    /// The word for it in an event of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Resumed => "resumed",
            Self::Decided => "decided",
            Self::Claimed => "claimed",
            Self::Delivered => "delivered",
            Self::Blocked => "blocked",
            Self::Expired => "expired",
            Self::Outcome => "outcome",
        }
    }
}

/// One change of one approval.
///
/// Changes of one approval may be told out of order when two threads make them at once:
/// [`Change::seq`] orders them.
#[derive(Clone, Debug)]
pub struct Change {
    kind: ChangeKind,
    seq: u64,
    approval: Approval,
}

impl Change {
    pub(crate) fn new(kind: ChangeKind, approval: &Approval) -> Self {
        Self {
            kind,
            seq: approval.seq,
            approval: approval.clone(),
        }
    }

    /// A change of the past, recorded by event `seq`, with the approval as it stands now.
    pub(crate) fn of_event(kind: ChangeKind, seq: u64, approval: Approval) -> Self {
        Self {
            kind,
            seq,
            approval,
        }
    }

    /// What happened.
    pub const fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// Which approval.
    pub const fn approval_id(&self) -> ApprovalId {
        self.approval.id
    }

    /// Where it stands now.
    pub const fn status(&self) -> Status {
        self.approval.status
    }

    /// The number of the audit event that recorded it.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The organisation it belongs to.
    pub fn organisation(&self) -> &str {
        &self.approval.subject.organisation
    }

    /// The key that asked: it may see this change without being a reviewer.
    pub fn key(&self) -> &str {
        &self.approval.subject.key
    }

    /// The record as lists hold it, with `change` (what happened) and `seq`: what an event of the
    /// wire carries.
    pub fn json(&self) -> String {
        self.record().json_of_change(self.kind.as_str(), self.seq)
    }

    /// The approval after the change, for readers that may see it.
    pub fn record(&self) -> crate::Record {
        crate::Record::new(self.approval.clone())
    }
}

/// Called with every change.
pub type Listener = dyn Fn(&Change) + Send + Sync;

/// A listener with the number by which it is removed.
type Place = (u64, Arc<Listener>);

/// The listeners. A snapshot is taken to call them, so that a listener may subscribe, unsubscribe
/// or call the engine.
#[derive(Default)]
pub(crate) struct Listeners {
    all: Mutex<Arc<[Place]>>,
}

impl Listeners {
    fn snapshot(&self) -> Arc<[Place]> {
        Arc::clone(&self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn add(self: &Arc<Self>, listener: Arc<Listener>) -> Subscription {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let id = all.last().map_or(0, |(id, _)| id + 1);
        *all = all.iter().cloned().chain([(id, listener)]).collect();
        Subscription {
            id,
            listeners: Arc::downgrade(self),
        }
    }

    fn remove(&self, id: u64) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        *all = all
            .iter()
            .filter(|(other, _)| *other != id)
            .cloned()
            .collect();
    }

    /// Tells everyone. A listener that panics ends neither the command, which is committed, nor
    /// the other listeners.
    pub(crate) fn tell(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let listeners = self.snapshot();
        for change in changes {
            for (_, listener) in listeners.iter() {
                let _ = catch_unwind(AssertUnwindSafe(|| listener(change)));
            }
        }
    }
}

/// A place among the listeners. Dropped, it is given up.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    id: u64,
    listeners: Weak<Listeners>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            listeners.remove(self.id);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
