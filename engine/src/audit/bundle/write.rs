//! Writing a bundle.

use sernixa_protocol::canonicalize;

use crate::approval::{Approval, ApprovalId};
use crate::audit::bundle::{ALGORITHM, BundleType, SCHEMA, SIGNED, UNSIGNED};
use crate::audit::key::{AuditKey, Label};
use crate::audit::{Event, Head};
use crate::digest::{Digest, push_hex};
use crate::moment::Timestamp;
use crate::refusal::receipt_json;
use crate::store::StoreError;
use crate::text::{Object, array};

/// What a bundle is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    Approval(ApprovalId),
    TimeRange {
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    },
    Organisation {
        limit: usize,
    },
}

impl Scope {
    const fn kind(self) -> BundleType {
        match self {
            Self::Approval(_) => BundleType::Approval,
            Self::TimeRange { .. } => BundleType::TimeRange,
            Self::Organisation { .. } => BundleType::Organisation,
        }
    }

    fn json(self) -> String {
        match self {
            Self::Approval(id) => Object::new().id("approval_id", id),
            Self::TimeRange { from, to, limit } => Object::new()
                .time("date_from", from)
                .time("date_to", to)
                .number("limit", limit as u64),
            Self::Organisation { limit } => Object::new().number("limit", limit as u64),
        }
        .finish()
    }
}

/// A bundle that is being put together.
pub(crate) struct Draft {
    pub(crate) id: [u8; 16],
    pub(crate) scope: Scope,
    pub(crate) organisation: Box<str>,
    pub(crate) created_at: Timestamp,
    pub(crate) segments: Vec<Segment>,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) limitations: Vec<String>,
}

/// A part of the chain without gaps.
pub(crate) struct Segment {
    /// The place before its first event.
    pub(crate) after: Head,
    pub(crate) events: Vec<Shown>,
}

/// An event as a bundle shows it.
pub(crate) enum Shown {
    Whole(Event),
    /// An event of others.
    Digest {
        seq: u64,
        payload: Digest,
    },
}

impl Shown {
    fn json(&self) -> String {
        match self {
            Self::Whole(event) => Object::with_capacity(event.payload.len() + 256)
                .number("seq", event.seq)
                .digest("hash", &event.hash)
                .string("payload", &event.payload)
                .finish(),
            Self::Digest { seq, payload } => Object::with_capacity(128)
                .number("seq", *seq)
                .digest("payload_sha256", payload)
                .finish(),
        }
    }
}

/// What was submitted, as the text whose digest is the body hash.
pub(crate) struct Submission {
    approval_id: ApprovalId,
    body_hash: Digest,
    text: String,
}

impl Submission {
    /// The submission of an approval; `None` when its text is not the one that was hashed, which
    /// no engine writes.
    pub(crate) fn of(approval: &Approval) -> Option<Self> {
        let subject = &approval.subject;
        let text = Object::with_capacity(subject.metadata.len() + 256)
            .string("action_id", &subject.action_id)
            .string("intent_id", &subject.intent_id)
            .json("metadata", &subject.metadata)
            .finish();
        let text = canonicalize(&text).ok()?;
        let is_it = Digest::of(text.as_bytes()) == subject.body_hash;
        is_it.then_some(Self {
            approval_id: approval.id,
            body_hash: subject.body_hash,
            text,
        })
    }

    /// How many bytes its text has.
    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    fn json(&self) -> String {
        Object::with_capacity(self.text.len() + 256)
            .id("approval_id", self.approval_id)
            .digest("body_hash", &self.body_hash)
            .string("submission", &self.text)
            .finish()
    }
}

impl Draft {
    /// The bundle as JSON, signed where there is a key.
    ///
    /// # Errors
    /// Never for what an engine puts into it.
    pub(crate) fn finish(&self, key: Option<&AuditKey>) -> Result<String, StoreError> {
        let unsealed = self.write(&self.manifest().finish());
        let canonical = canonicalize(&unsealed)
            .map_err(|error| StoreError::new("an evidence bundle is no JSON").caused_by(error))?;
        let hash = Digest::of(canonical.as_bytes());
        let signature = match key {
            None => Object::new().string("status", UNSIGNED),
            Some(key) => Object::new()
                .string("status", SIGNED)
                .string("algorithm", ALGORITHM)
                .string("key_id", &key.id().to_string())
                .string("public_key", &key.public().to_string())
                .string(
                    "value",
                    &key.sign(Label::Bundle, hash.to_string().as_bytes()),
                ),
        };
        let integrity = Object::new()
            .digest("content_sha256", &hash)
            .json("signature", &signature.finish());
        let manifest = self.manifest().json("integrity", &integrity.finish());
        Ok(self.write(&manifest.finish()))
    }

    fn manifest(&self) -> Object {
        let all = self.segments.iter().flat_map(|segment| &segment.events);
        let (mut events, mut digests) = (0, 0);
        for shown in all {
            match shown {
                Shown::Whole(_) => events += 1,
                Shown::Digest { .. } => digests += 1,
            }
        }
        Object::new()
            .number("events", events)
            .number("digests", digests)
            .number("submissions", self.submissions.len() as u64)
    }

    fn write(&self, manifest: &str) -> String {
        let mut id = String::from("evb_");
        push_hex(&self.id, &mut id);
        let segments = self.segments.iter().map(|segment| {
            Object::new()
                .json("after", &receipt_json(segment.after))
                .json("events", &array(segment.events.iter().map(Shown::json)))
                .finish()
        });
        let submissions = self.submissions.iter().map(Submission::json);
        Object::with_capacity(4_096)
            .string("bundle_id", &id)
            .string("bundle_type", self.scope.kind().as_str())
            .string("schema", SCHEMA)
            .string("organisation", &self.organisation)
            .time("created_at", self.created_at)
            .json("scope", &self.scope.json())
            .json("segments", &array(segments))
            .json("submissions", &array(submissions))
            .strings("limitations", self.limitations.iter().map(String::as_str))
            .json("manifest", manifest)
            .finish()
    }
}
