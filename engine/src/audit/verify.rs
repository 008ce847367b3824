//! Checking a chain from its texts alone, event by event, without holding it in memory.

use std::borrow::Borrow;
use std::fmt;

use sernixa_protocol::json::Document;

use crate::audit::{Event, Head, Receipt, genesis, link};

/// Where a chain is known to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor<'a> {
    /// At the organisation's first event.
    Genesis(&'a str),
    /// After an event whose receipt is trusted: the events up to it are not at hand.
    After(Receipt),
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many events were read.
    pub events: u64,
    /// The end of the chain as it was computed from the texts. Keep it elsewhere: it is what shows
    /// a cut tail later.
    pub head: Head,
    /// The first fault, if there is one. Nothing after it can be judged.
    pub fault: Option<Fault>,
}

impl Report {
    /// Whether the chain holds, and holds every expected receipt.
    pub const fn is_valid(&self) -> bool {
        self.fault.is_none()
    }
}

/// The first thing that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number at which it shows.
    pub seq: u64,
    /// What it is.
    pub kind: FaultKind,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Another number stands where this one belongs: removed, added or moved.
    OutOfOrder,
    /// The stored hash is not that of the text and what came before: changed or replaced.
    HashMismatch,
    /// A column that copies the text does not say what the text says.
    CopyMismatch,
    /// An expected receipt has another hash: this is another history.
    ReceiptMismatch,
    /// The log ends before an expected receipt: its tail is missing.
    Missing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::OutOfOrder => "an event is missing, added or out of its place",
            FaultKind::HashMismatch => "the event is not the one that was recorded",
            FaultKind::CopyMismatch => "a stored column differs from the event's text",
            FaultKind::ReceiptMismatch => "the event is not the one of the receipt",
            FaultKind::Missing => "the log ends before the event of a receipt",
        };
        write!(f, "audit event {}: {what}", self.seq)
    }
}

/// Reads `events` from `anchor` on and checks every link, every copied column and every expected
/// receipt. Receipts from before the anchor cannot be checked and count as missing.
pub fn verify<E: Borrow<Event>>(
    anchor: Anchor<'_>,
    events: impl IntoIterator<Item = E>,
    expected: &[Receipt],
) -> Report {
    let mut head = match anchor {
        Anchor::Genesis(organisation) => genesis(organisation),
        Anchor::After(receipt) => receipt,
    };
    let start = head;
    let mut count = 0;
    for event in events {
        let event = event.borrow();
        let next = link(&head, &event.payload);
        if let Some(kind) = event_fault(event, &next, expected) {
            let fault = Some(Fault {
                seq: next.seq,
                kind,
            });
            return Report {
                events: count,
                head,
                fault,
            };
        }
        head = next;
        count += 1;
    }
    // The anchor itself may be expected: it is trusted, so an equal receipt holds.
    let missing = expected
        .iter()
        .find(|receipt| receipt.seq > head.seq || (receipt.seq <= start.seq && **receipt != start));
    let fault = missing.map(|receipt| Fault {
        seq: receipt.seq,
        kind: FaultKind::Missing,
    });
    Report {
        events: count,
        head,
        fault,
    }
}

fn event_fault(event: &Event, next: &Head, expected: &[Receipt]) -> Option<FaultKind> {
    if event.seq != next.seq {
        Some(FaultKind::OutOfOrder)
    } else if event.hash != next.hash {
        Some(FaultKind::HashMismatch)
    } else if !copies_hold(event) {
        Some(FaultKind::CopyMismatch)
    } else if expected
        .iter()
        .any(|receipt| receipt.seq == next.seq && receipt != next)
    {
        Some(FaultKind::ReceiptMismatch)
    } else {
        None
    }
}

/// Whether the columns that copy the payload say the same as it does.
fn copies_hold(event: &Event) -> bool {
    let Ok(document) = Document::parse(&event.payload) else {
        return false;
    };
    let root = document.root();
    let kind = root.get("event_type").and_then(|node| node.as_str());
    let id = root.get("approval_id").and_then(|node| node.as_str());
    kind.as_deref() == Some(event.kind.as_str())
        && id.as_deref() == event.approval_id.map(|id| id.to_string()).as_deref()
}
