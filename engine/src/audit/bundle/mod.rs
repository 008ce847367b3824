//! Evidence bundles: a part of an audit chain that verifies away from its service (PROTOCOL 10).
//!
//! ```text
//! {"bundle_id": "evb_…", "bundle_type": "approval" | "time_range" | "organisation",
//!  "schema": "sernixa.evidence_bundle.v1", "organisation", "created_at", "scope": {…},
//!  "segments": [{"after": {"seq", "hash"},
//!                "events": [{"seq", "hash", "payload"} | {"seq", "payload_sha256"}]}],
//!  "submissions": [{"approval_id", "body_hash", "submission"}],
//!  "limitations": [text],
//!  "manifest": {"events", "digests", "submissions", "integrity": {"content_sha256", "signature"}}}
//! ```
//!
//! * `payload` is the exact text that was hashed, and `submission` the canonical text of intent,
//!   action and metadata whose SHA-256 is `body_hash`. Both travel as strings, and all numbers are
//!   integers below 2^53, so whoever reads and writes the bundle again leaves it valid.
//! * Events between two of the bundle's own, which are of others, appear as the digest of their
//!   payload: links verify, and nothing is said of them.
//! * `content_sha256` is the SHA-256 of the bundle's canonical JSON (PROTOCOL 22) without
//!   `manifest.integrity`. The signature is Ed25519 over `"sernixa.evidence_bundle.v1\0"` and the
//!   64 hex digits of that hash.

mod read;
mod report;
mod verify;
mod write;

pub use report::BundleReport;
pub use verify::verify_bundle;
pub(crate) use write::{Draft, Scope, Segment, Shown, Submission};

/// The layout that this version writes and reads.
const SCHEMA: &str = "sernixa.evidence_bundle.v1";

/// The most bytes of a bundle that is verified (DESIGN 11).
pub const BUNDLE_MAX: usize = 64 << 20;

/// The most events that are asked for in one bundle (PROTOCOL 10).
pub const BUNDLE_EVENTS_MAX: usize = 5_000;

/// The word for a bundle that nothing signs (PROTOCOL 10).
const UNSIGNED: &str = "unsigned_local_demo";
/// The word for one that is signed.
const SIGNED: &str = "signed";
/// How it is signed.
const ALGORITHM: &str = "Ed25519";

/// What a bundle is about, as its `bundle_type` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleType {
    /// One approval: every event about it.
    Approval,
    /// What happened within a time.
    TimeRange,
    /// The newest events of an organisation.
    Organisation,
}

impl BundleType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Approval, Self::TimeRange, Self::Organisation];

    /// The word in `bundle_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::TimeRange => "time_range",
            Self::Organisation => "organisation",
        }
    }

    /// The type that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
