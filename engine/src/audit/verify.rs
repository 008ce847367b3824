//! Checking a chain from its texts alone, event by event, without holding it in memory.

use std::borrow::Borrow;
use std::fmt;

use sernixa_protocol::json::Document;

use crate::audit::key::{AuditKeyId, AuditPublicKey};
use crate::audit::{CHECKPOINT_EVERY, Checkpoint, Event, EventKind, Head, Receipt, genesis, link};
use crate::refusal::receipt_json;
use crate::text::Object;

/// How many events at the end of a log may be unsigned where signatures are asked for. An engine
/// with a key signs every thousandth event; where another process, without the key, wrote that
/// one, the next thousandth at the latest.
const UNSIGNED_MAX: u64 = 2 * CHECKPOINT_EVERY;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The trusted point before the first event that was read; `seq` 0 where that is the first of
    /// all.
    pub start: Head,
    /// How many events were read.
    pub events: u64,
    /// The end of the chain as it was computed from the texts. Keep it elsewhere: it is what shows
    /// a cut tail later.
    pub head: Head,
    /// How many checkpoints were read.
    pub checkpoints: u64,
    /// How far the last checkpoint signs.
    pub signed: Option<Head>,
    /// The keys that signed, in the order in which they first did.
    pub keys: Vec<AuditKeyId>,
    /// The first fault, if there is one. Nothing after it can be judged.
    pub fault: Option<Fault>,
    expected: usize,
    trusted: usize,
}

impl Report {
    /// Whether the chain holds, and holds every expected receipt.
    pub const fn is_valid(&self) -> bool {
        self.fault.is_none()
    }

    /// The report as JSON.
    pub fn json(&self) -> String {
        let fault = self.fault.map(|fault| {
            Object::new()
                .number("seq", fault.seq)
                .string("reason", &fault.to_string())
                .finish()
        });
        let signed = self.signed.map(receipt_json);
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        let warnings = self.warnings();
        Object::with_capacity(512)
            .flag("valid", self.is_valid())
            .number("events", self.events)
            .json("head", &receipt_json(self.head))
            .number("checkpoints", self.checkpoints)
            .json("signed", signed.as_deref().unwrap_or("null"))
            .strings("keys", keys.iter().map(String::as_str))
            .json("fault", fault.as_deref().unwrap_or("null"))
            .strings("warnings", warnings.iter().map(String::as_str))
            .finish()
    }

    /// What the check does not show, in words for a person.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.start.seq > 0 {
            warnings.push(format!(
                "the log begins after event {}: what was before is not kept here",
                self.start.seq
            ));
        }
        if self.expected == 0 {
            let what = "no receipt or head was given to compare with: a tail that was cut off \
                        would not show";
            warnings.push(what.to_owned());
        }
        match self.signed {
            None if self.events > 0 => warnings.push("no checkpoint signs this log".to_owned()),
            None => {}
            Some(signed) => {
                if self.trusted == 0 {
                    let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
                    warnings.push(format!(
                        "no key was given: signatures were checked with the keys that the log \
                         itself names ({})",
                        keys.join(", ")
                    ));
                }
                // The checkpoint's own event stands behind what it signs.
                let unsigned = self.head.seq.saturating_sub(signed.seq + 1);
                if unsigned > 0 {
                    warnings.push(format!("the last {unsigned} events are not signed yet"));
                }
            }
        }
        warnings
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
    /// A checkpoint that does not sign this chain, or not with the key it names.
    BadCheckpoint,
    /// A checkpoint by a key that is not one of those trusted.
    UntrustedKey,
    /// Too many events at the end, or all of them, are signed by no checkpoint.
    Unsigned,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::OutOfOrder => "an event is missing, added or out of its place",
            FaultKind::HashMismatch => "the event is not the one that was recorded",
            FaultKind::CopyMismatch => "a stored column differs from the event's text",
            FaultKind::ReceiptMismatch => "the event is not the one of the receipt",
            FaultKind::Missing => "the log ends before the event of a receipt",
            FaultKind::BadCheckpoint => "the checkpoint does not sign this chain",
            FaultKind::UntrustedKey => "the checkpoint is signed by a key that is not trusted",
            FaultKind::Unsigned => "no checkpoint signs the log from here to its end",
        };
        write!(f, "audit event {}: {what}", self.seq)
    }
}

/// Checks a chain event by event: every link, every copied column, every checkpoint and every
/// expected receipt. It holds no event.
#[derive(Clone, Debug)]
pub struct Verifier<'a> {
    organisation: &'a str,
    expected: &'a [Receipt],
    trusted: &'a [AuditPublicKey],
    /// The last checkpoint's own event.
    checkpoint: Option<Receipt>,
    report: Report,
}

impl<'a> Verifier<'a> {
    /// For the chain of `organisation` after `start`: its [`genesis`], or the place of an event up
    /// to which the log is trusted.
    pub const fn new(organisation: &'a str, start: Head) -> Self {
        Self {
            organisation,
            expected: &[],
            trusted: &[],
            checkpoint: None,
            report: Report {
                start,
                events: 0,
                head: start,
                checkpoints: 0,
                signed: None,
                keys: Vec::new(),
                fault: None,
                expected: 0,
                trusted: 0,
            },
        }
    }

    /// The same, but the chain must hold these receipts. Those from before the start cannot be
    /// checked and count as missing.
    #[must_use]
    pub const fn expecting(mut self, receipts: &'a [Receipt]) -> Self {
        self.expected = receipts;
        self.report.expected = receipts.len();
        self
    }

    /// The same, but the chain must be signed, and by these keys alone. With none, every
    /// checkpoint is still checked, with the key that it names itself.
    #[must_use]
    pub const fn trusting(mut self, keys: &'a [AuditPublicKey]) -> Self {
        self.trusted = keys;
        self.report.trusted = keys.len();
        self
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// The first fault. From then on nothing can be judged, and every call repeats it.
    pub fn push(&mut self, event: &Event) -> Result<(), Fault> {
        if let Some(fault) = self.report.fault {
            return Err(fault);
        }
        let next = link(&self.report.head, &event.payload);
        match self.check(event, &next) {
            Ok(()) => {
                self.report.head = next;
                self.report.events += 1;
                Ok(())
            }
            Err(kind) => {
                let fault = Fault {
                    seq: next.seq,
                    kind,
                };
                self.report.fault = Some(fault);
                Err(fault)
            }
        }
    }

    /// What the check found.
    pub fn finish(mut self) -> Report {
        if self.report.fault.is_none() {
            self.report.fault = self.missing().or_else(|| self.unsigned());
        }
        self.report
    }

    fn check(&mut self, event: &Event, next: &Head) -> Result<(), FaultKind> {
        let is_expected = |receipt: &Receipt| receipt.seq != next.seq || receipt == next;
        if event.seq != next.seq {
            Err(FaultKind::OutOfOrder)
        } else if event.hash != next.hash {
            Err(FaultKind::HashMismatch)
        } else if !copies_hold(event) {
            Err(FaultKind::CopyMismatch)
        } else if !self.expected.iter().all(is_expected) {
            Err(FaultKind::ReceiptMismatch)
        } else if event.kind == EventKind::Checkpoint {
            self.check_checkpoint(event)
        } else {
            Ok(())
        }
    }

    fn check_checkpoint(&mut self, event: &Event) -> Result<(), FaultKind> {
        let checkpoint =
            Checkpoint::read(&event.payload, self.organisation).ok_or(FaultKind::BadCheckpoint)?;
        if !self.trusted.is_empty() && !self.trusted.contains(&checkpoint.key) {
            return Err(FaultKind::UntrustedKey);
        }
        let previous = match self.checkpoint {
            Some(last) => last == checkpoint.previous,
            // What was before the start is not at hand.
            None if self.report.start.seq > 0 => true,
            None => checkpoint.previous == genesis(self.organisation),
        };
        if !previous || checkpoint.head != self.report.head {
            return Err(FaultKind::BadCheckpoint);
        }
        self.checkpoint = Some(event.receipt());
        self.report.checkpoints += 1;
        self.report.signed = Some(checkpoint.head);
        let id = checkpoint.key.id();
        if !self.report.keys.contains(&id) {
            self.report.keys.push(id);
        }
        Ok(())
    }

    fn missing(&self) -> Option<Fault> {
        let (start, head) = (self.report.start, self.report.head);
        // The start itself may be expected: it is trusted, so an equal receipt holds.
        let missing = self.expected.iter().find(|receipt| {
            receipt.seq > head.seq || (receipt.seq <= start.seq && **receipt != start)
        })?;
        Some(Fault {
            seq: missing.seq,
            kind: FaultKind::Missing,
        })
    }

    fn unsigned(&self) -> Option<Fault> {
        let (start, head) = (self.report.start, self.report.head);
        let (from, most) = match self.checkpoint {
            Some(last) => (last, UNSIGNED_MAX),
            None => (start, 0),
        };
        let too_many = head.seq.saturating_sub(from.seq) > most;
        (!self.trusted.is_empty() && too_many).then_some(Fault {
            seq: from.seq.saturating_add(1),
            kind: FaultKind::Unsigned,
        })
    }
}

/// Checks `events`, which follow `start` in the chain of `organisation`, and that they hold every
/// `expected` receipt.
pub fn verify<E: Borrow<Event>>(
    organisation: &str,
    start: Head,
    events: impl IntoIterator<Item = E>,
    expected: &[Receipt],
) -> Report {
    let mut verifier = Verifier::new(organisation, start).expecting(expected);
    for event in events {
        if verifier.push(event.borrow()).is_err() {
            break;
        }
    }
    verifier.finish()
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
