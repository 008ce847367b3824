//! Verifying a bundle from its text alone.

use std::collections::HashMap;

use sernixa_protocol::canonicalize;
use sernixa_protocol::json::{Document, Node};

use crate::approval::ApprovalId;
use crate::audit::bundle::read::{Fault, Part};
use crate::audit::bundle::report::BundleReport;
use crate::audit::bundle::{ALGORITHM, BUNDLE_MAX, BundleType, SCHEMA, SIGNED, UNSIGNED};
use crate::audit::key::{AuditKeyId, AuditPublicKey, Label};
use crate::audit::{Checkpoint, EventKind, Head, Receipt, genesis, link_digest};
use crate::digest::{Digest, hex_to_bytes};
use crate::moment::Timestamp;

/// Levels of containers that a bundle has at most.
const LEVELS: usize = 16;

/// Verifies a bundle: its layout, its content hash, its signature, every link and checkpoint in it,
/// and that each submission is the one that its events are about. It must hold every `expected`
/// receipt; where keys are given, it and its checkpoints must be signed by one of these.
///
/// It is total: whatever the text is, there is a report.
pub fn verify_bundle(text: &str, expected: &[Receipt], trusted: &[AuditPublicKey]) -> BundleReport {
    let mut check = Check {
        expected: expected.to_vec(),
        trusted,
        signed_to: 0,
        body_hashes: HashMap::new(),
        report: BundleReport {
            bundle_id: None,
            bundle_type: None,
            organisation: None,
            events: 0,
            ends: Vec::new(),
            signed_by: None,
            failures: Vec::new(),
            warnings: Vec::new(),
            about: None,
            shown: Vec::new(),
        },
    };
    if let Err(fault) = check.run(text) {
        check.report.fail(fault);
    }
    check.report
}

struct Check<'a> {
    /// What has not been met yet.
    expected: Vec<Receipt>,
    trusted: &'a [AuditPublicKey],
    /// The number of the last event that a checkpoint in the bundle signs.
    signed_to: u64,
    /// The body hash of each approval that an event of the bundle is about.
    body_hashes: HashMap<ApprovalId, Digest>,
    report: BundleReport,
}

impl Check<'_> {
    fn run(&mut self, text: &str) -> Result<(), Fault> {
        if text.len() > BUNDLE_MAX {
            return Err("the bundle is longer than 64 MiB".to_owned());
        }
        let document = Document::parse_within(text, LEVELS)
            .map_err(|error| format!("the bundle is not strict JSON: {error}"))?;
        let root = document.root();
        let bundle = Part {
            node: root,
            path: "the bundle",
        };
        let [
            id,
            kind,
            schema,
            organisation,
            created_at,
            scope,
            segments,
            submissions,
            limitations,
            manifest,
        ] = bundle.members([
            "bundle_id",
            "bundle_type",
            "schema",
            "organisation",
            "created_at",
            "scope",
            "segments",
            "submissions",
            "limitations",
            "manifest",
        ])?;
        let part = |node, path| Part { node, path };
        let id = part(id, "bundle_id").parsed("`evb_` and 32 lower-case hex digits", bundle_id)?;
        self.report.bundle_id = Some(id);
        if part(schema, "schema").text()? != SCHEMA {
            return Err(format!("the bundle is not of the schema {SCHEMA}"));
        }
        let kind = part(kind, "bundle_type").parsed("a known type", BundleType::parse)?;
        self.report.bundle_type = Some(kind);
        let organisation = part(organisation, "organisation").text()?;
        self.report.organisation = Some(organisation.as_ref().into());
        time(part(created_at, "created_at"))?;
        self.check_scope(part(scope, "scope"), kind)?;
        for limitation in part(limitations, "limitations").elements()? {
            part(limitation, "each of limitations").text()?;
        }
        let [events, digests, submitted, integrity] = part(manifest, "manifest").members([
            "events",
            "digests",
            "submissions",
            "integrity",
        ])?;
        self.check_integrity(root, part(integrity, "manifest.integrity"))?;
        let digested = self.check_segments(part(segments, "segments"), &organisation)?;
        let submissions = self.check_submissions(part(submissions, "submissions"))?;
        for (name, counted, node) in [
            ("manifest.events", self.report.events, events),
            ("manifest.digests", digested, digests),
            ("manifest.submissions", submissions, submitted),
        ] {
            if part(node, name).number()? != counted {
                return Err(format!("{name} is not what the bundle holds"));
            }
        }
        self.check_expected();
        self.say_what_is_open();
        Ok(())
    }

    fn check_scope(&mut self, scope: Part<'_, '_>, kind: BundleType) -> Result<(), Fault> {
        let inside = |node| Part {
            node,
            path: "each of scope",
        };
        match kind {
            BundleType::Approval => {
                let [id] = scope.members(["approval_id"])?;
                let id = inside(id).parsed("the name of an approval", ApprovalId::parse)?;
                self.report.about = Some(id);
            }
            BundleType::TimeRange => {
                let [from, to, limit] = scope.members(["date_from", "date_to", "limit"])?;
                time(inside(from))?;
                time(inside(to))?;
                inside(limit).number()?;
            }
            BundleType::Organisation => {
                let [limit] = scope.members(["limit"])?;
                inside(limit).number()?;
            }
        }
        Ok(())
    }

    fn check_integrity(&mut self, root: Node<'_>, integrity: Part<'_, '_>) -> Result<(), Fault> {
        let [content, signature] = integrity.members(["content_sha256", "signature"])?;
        let path = "content_sha256";
        let content = Part {
            node: content,
            path,
        }
        .digest()?;
        let computed = canonicalize(&without_integrity(root))
            .map_err(|error| format!("the bundle has no canonical form: {error}"))?;
        // Nothing else in it can be believed then.
        if Digest::of(computed.as_bytes()) != content {
            return Err("the content is not the one of content_sha256: it was changed".to_owned());
        }
        self.check_signature(signature, &content)
    }

    fn check_signature(&mut self, signature: Node<'_>, content: &Digest) -> Result<(), Fault> {
        let part = |node, path| Part { node, path };
        let whole = part(signature, "signature");
        let status = signature.get("status").and_then(|node| node.as_str());
        if status.as_deref() == Some(UNSIGNED) {
            whole.members(["status"])?;
            if self.trusted.is_empty() {
                self.report.warn(
                    "the bundle is not signed: compare it with its service, or with a receipt",
                );
            } else {
                self.report.fail("the bundle is not signed");
            }
            return Ok(());
        }
        let [status, algorithm, id, key, value] =
            whole.members(["status", "algorithm", "key_id", "public_key", "value"])?;
        if !status.is(SIGNED) || !algorithm.is(ALGORITHM) {
            return Err("the kind of signature is not known".to_owned());
        }
        let key = part(key, "public_key").parsed("a public key", AuditPublicKey::parse)?;
        let id = part(id, "key_id").parsed("the name of a key", AuditKeyId::parse)?;
        let value = part(value, "the signature's value").text()?;
        if key.id() != id || !key.verifies(Label::Bundle, content.to_string().as_bytes(), &value) {
            self.report.fail("the signature is not that of its key");
        } else if !self.trusted.is_empty() && !self.trusted.contains(&key) {
            self.report.fail(format!(
                "the bundle is signed by {id}, which is not trusted"
            ));
        } else {
            if self.trusted.is_empty() {
                self.report.warn(format!(
                    "no key was given: the signature was checked with the key that the bundle \
                     itself names ({id})"
                ));
            }
            self.report.signed_by = Some(id);
        }
        Ok(())
    }

    /// Every segment; returns how many events are shown as digests.
    fn check_segments(&mut self, segments: Part<'_, '_>, organisation: &str) -> Result<u64, Fault> {
        let mut digests = 0;
        let mut last = None;
        for (at, node) in segments.elements()?.enumerate() {
            let path = format!("segments[{at}]");
            let [after, events] = Part { node, path: &path }.members(["after", "events"])?;
            let after = Part {
                node: after,
                path: &path,
            }
            .place()?;
            if !follows(last, after, organisation) {
                return Err(format!("{path} does not begin where it can"));
            }
            let mut walk = Walk {
                head: after,
                checkpoint: None,
                ends_whole: false,
            };
            for (at, node) in (Part {
                node: events,
                path: &path,
            })
            .elements()?
            .enumerate()
            {
                let path = format!("{path}.events[{at}]");
                let event = Part { node, path: &path };
                if node.get("payload").is_some() {
                    self.check_event(event, &mut walk, organisation)?;
                } else {
                    let [seq, payload] = event.members(["seq", "payload_sha256"])?;
                    let payload = Part {
                        node: payload,
                        ..event
                    }
                    .digest()?;
                    walk.step(Part { node: seq, ..event }, &payload)?;
                    walk.ends_whole = false;
                    digests += 1;
                }
                self.meet(walk.head)?;
            }
            if !walk.ends_whole {
                return Err(format!("{path} does not end in an event that it shows"));
            }
            self.report.ends.push(walk.head);
            last = Some(walk.head);
        }
        Ok(digests)
    }

    fn check_event(
        &mut self,
        event: Part<'_, '_>,
        walk: &mut Walk,
        organisation: &str,
    ) -> Result<(), Fault> {
        let path = event.path;
        let [seq, hash, payload] = event.members(["seq", "hash", "payload"])?;
        let hash = Part {
            node: hash,
            ..event
        }
        .digest()?;
        let payload = Part {
            node: payload,
            ..event
        }
        .text()?;
        let before = walk.head;
        walk.step(Part { node: seq, ..event }, &Digest::of(payload.as_bytes()))?;
        walk.ends_whole = true;
        if walk.head.hash != hash {
            return Err(format!(
                "audit event {} is not the one that was recorded",
                walk.head.seq
            ));
        }
        let document = Document::parse(&payload)
            .map_err(|_| format!("{path} holds a payload that is no JSON"))?;
        let text = |name| document.root().get(name).and_then(|node| node.as_str());
        let id = text("approval_id").and_then(|id| ApprovalId::parse(&id));
        if text("event_type").as_deref() == Some(EventKind::Checkpoint.as_str()) {
            self.check_checkpoint(&payload, before, walk, organisation)?;
        } else if self.report.about.is_some_and(|about| Some(about) != id) {
            return Err(format!("{path} shows an event of others"));
        }
        if let (Some(id), Some(hash)) =
            (id, text("body_hash").and_then(|hash| Digest::parse(&hash)))
            && *self.body_hashes.entry(id).or_insert(hash) != hash
        {
            return Err(format!("{path} is about another body than its approval"));
        }
        self.report.events += 1;
        self.report.shown.push(walk.head.seq);
        Ok(())
    }

    fn check_checkpoint(
        &mut self,
        payload: &str,
        before: Head,
        walk: &mut Walk,
        organisation: &str,
    ) -> Result<(), Fault> {
        let seq = walk.head.seq;
        let checkpoint = Checkpoint::read(payload, organisation)
            .filter(|checkpoint| checkpoint.head == before)
            .filter(|checkpoint| {
                walk.checkpoint
                    .is_none_or(|last| last == checkpoint.previous)
            })
            .ok_or_else(|| {
                format!("the checkpoint at audit event {seq} does not sign this chain")
            })?;
        if !self.trusted.is_empty() && !self.trusted.contains(&checkpoint.key) {
            return Err(format!(
                "the checkpoint at audit event {seq} is signed by {}, which is not trusted",
                checkpoint.key.id()
            ));
        }
        walk.checkpoint = Some(walk.head);
        self.signed_to = seq;
        Ok(())
    }

    /// Every submission; returns how many there are.
    fn check_submissions(&mut self, submissions: Part<'_, '_>) -> Result<u64, Fault> {
        let mut count = 0;
        for (at, node) in submissions.elements()?.enumerate() {
            let path = format!("submissions[{at}]");
            let submission = Part { node, path: &path };
            let part = |node| Part { node, path: &path };
            let [id, hash, text] =
                submission.members(["approval_id", "body_hash", "submission"])?;
            let id = part(id).parsed("the submission of an approval", ApprovalId::parse)?;
            let hash = part(hash).digest()?;
            if Digest::of(part(text).text()?.as_bytes()) != hash {
                self.report
                    .fail(format!("{path} is not the text of its body hash"));
            }
            // Taken out, so that no approval has two.
            if self.body_hashes.remove(&id) != Some(hash) {
                self.report.fail(format!(
                    "{path} is not what an event of the bundle is about"
                ));
            }
            count += 1;
        }
        Ok(count)
    }

    /// Compares a place with what is expected there.
    fn meet(&mut self, head: Head) -> Result<(), Fault> {
        if self.expected.is_empty() {
            return Ok(());
        }
        let other = |receipt: &&Receipt| receipt.seq == head.seq && **receipt != head;
        if self.expected.iter().any(|receipt| other(&receipt)) {
            return Err(format!(
                "audit event {} is not the one of the expected receipt",
                head.seq
            ));
        }
        self.expected.retain(|receipt| *receipt != head);
        Ok(())
    }

    fn check_expected(&mut self) {
        for receipt in std::mem::take(&mut self.expected) {
            self.report.fail(format!(
                "the bundle does not hold audit event {}, which is expected",
                receipt.seq
            ));
        }
    }

    fn say_what_is_open(&mut self) {
        let last = self.report.ends.last().map_or(0, |end| end.seq);
        if self.report.events > 0 && self.signed_to < last {
            self.report.warn(format!(
                "no signed checkpoint in the bundle follows audit event {last}"
            ));
        }
    }
}

/// A walk along a segment.
struct Walk {
    head: Head,
    /// The last checkpoint on the way.
    checkpoint: Option<Head>,
    /// Whether the last event was shown whole.
    ends_whole: bool,
}

impl Walk {
    fn step(&mut self, seq: Part<'_, '_>, payload: &Digest) -> Result<(), Fault> {
        let next = link_digest(&self.head, payload);
        if seq.number()? != next.seq {
            return Err(format!(
                "{} is not audit event {}, which belongs there",
                seq.path, next.seq
            ));
        }
        self.head = next;
        Ok(())
    }
}

/// Whether a segment may begin at `after`, when the one before it ended at `last`.
fn follows(last: Option<Head>, after: Head, organisation: &str) -> bool {
    match last {
        // The first place of all is known.
        None => after.seq > 0 || after == genesis(organisation),
        Some(last) => after.seq > last.seq || after == last,
    }
}

/// The text of the bundle without `manifest.integrity`. The document has no duplicate members.
fn without_integrity(root: Node<'_>) -> String {
    object_of(root, |key, value| {
        Some(if key.is("manifest") {
            object_of(value, |key, value| {
                (!key.is("integrity")).then(|| value.raw().to_owned())
            })
        } else {
            value.raw().to_owned()
        })
    })
}

/// An object's text with each value as `write` gives it; without those for which it gives none.
fn object_of(object: Node<'_>, write: impl Fn(Node<'_>, Node<'_>) -> Option<String>) -> String {
    let mut text = String::from("{");
    for (key, value) in object.members() {
        let Some(value) = write(key, value) else {
            continue;
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(key.raw());
        text.push(':');
        text.push_str(&value);
    }
    text.push('}');
    text
}

fn bundle_id(text: &str) -> Option<Box<str>> {
    hex_to_bytes::<16>(text.strip_prefix("evb_")?)?;
    Some(text.into())
}

/// A time as this crate writes it, and in no other form.
fn time(part: Part<'_, '_>) -> Result<Timestamp, Fault> {
    part.parsed("a time in UTC with milliseconds", |text| {
        Timestamp::parse(text).filter(|time| time.to_string() == text)
    })
}
