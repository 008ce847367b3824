//! The audit chain: what happened, in an order that cannot be changed unseen.
//!
//! An event is stored as the exact text that was hashed; nothing is ever serialised again.
//!
//! ```text
//! hash_0 = SHA-256("sernixa.audit.genesis.v1\0" ‖ organisation)
//! hash_n = SHA-256("sernixa.audit.event.v1\0" ‖ hash_{n-1} ‖ n (u64, big endian) ‖ SHA-256(payload))
//! ```
//!
//! What this proves: an event that was changed, removed, added or moved is found by [`verify`].
//! A tail that was cut off is found by a [`Receipt`] or head kept elsewhere, and by nothing else.
//! Whoever may write the store can write a whole new history; only receipts kept elsewhere (and,
//! in the service, signed checkpoints) show that.

pub(crate) mod bundle;
mod checkpoint;
mod event;
mod filter;
mod inspect;
mod key;
mod verify;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::digest::{Digest, write_hex};

pub use bundle::{BUNDLE_EVENTS_MAX, BUNDLE_MAX, BundleReport, BundleType, verify_bundle};
pub(crate) use checkpoint::{CHECKPOINT_EVERY, Checkpoint, checkpoint};
pub(crate) use event::Entry;
pub use event::{Event, EventKind};
pub use filter::EventFilter;
pub use inspect::{
    ApprovalFault, ApprovalFaultKind, ApprovalReport, KeyFault, KeyFaultKind, TokenFault,
    TokenFaultKind, verify_api_keys, verify_approvals, verify_chain, verify_delegations,
};
pub use key::{AuditKey, AuditKeyId, AuditPublicKey, InvalidPublicKey};
pub use verify::{Fault, FaultKind, Report, Verifier, verify};

/// Where an audit event stands in its chain: kept elsewhere, it shows later whether the log still
/// holds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The event's number, from 1.
    pub seq: u64,
    /// The chain's hash at that event.
    pub hash: Digest,
}

/// `SEQ:HASH`, as `audit verify --expect` takes it.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.seq)?;
        write_hex(&self.hash.0, f)
    }
}

/// A text is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidReceipt;

impl fmt::Display for InvalidReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a receipt is SEQ:HASH: a number, a colon and 64 lower-case hex digits")
    }
}

impl std::error::Error for InvalidReceipt {}

/// Reads `SEQ:HASH`, as [`Display`](fmt::Display) writes it and in no other form.
impl FromStr for Receipt {
    type Err = InvalidReceipt;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, hash) = text.split_once(':').ok_or(InvalidReceipt)?;
        let is_plain = seq.bytes().all(|byte| byte.is_ascii_digit()) && !seq.starts_with('0');
        let seq = seq.parse().ok().filter(|_| is_plain || seq == "0");
        Ok(Self {
            seq: seq.ok_or(InvalidReceipt)?,
            hash: Digest::parse(hash).ok_or(InvalidReceipt)?,
        })
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The end of a chain: the last event's number and hash; `seq` 0 before the first event.
pub type Head = Receipt;

/// The head of an organisation's chain before its first event.
pub fn genesis(organisation: &str) -> Head {
    let mut hasher = Sha256::new();
    hasher.update(b"sernixa.audit.genesis.v1\0");
    hasher.update(organisation.as_bytes());
    Head {
        seq: 0,
        hash: Digest(hasher.finalize().into()),
    }
}

/// The head after an event with `payload`.
pub fn link(head: &Head, payload: &str) -> Head {
    link_digest(head, &Digest::of(payload.as_bytes()))
}

/// The head after an event whose payload has this digest: for events of others in a bundle, which
/// show nothing but their digest.
pub fn link_digest(head: &Head, payload: &Digest) -> Head {
    let seq = head.seq.saturating_add(1);
    let mut hasher = Sha256::new();
    hasher.update(b"sernixa.audit.event.v1\0");
    hasher.update(head.hash.0);
    hasher.update(seq.to_be_bytes());
    hasher.update(payload.0);
    Head {
        seq,
        hash: Digest(hasher.finalize().into()),
    }
}
