//! Checkpoints: the chain so far, signed, as an event of the chain itself.
//!
//! A checkpoint's payload is one JSON object whose last member is `signature`:
//!
//! ```text
//! {"event_type":"audit_checkpoint","created_at":…,"organisation":…,
//!  "checkpoint":{"seq":…,"hash":…,"events":…},"previous":{"seq":…,"hash":…},
//!  "key_id":…,"public_key":…,"signature":…}
//! ```
//!
//! What is signed is `"sernixa.audit.checkpoint.v1\0"` and the payload's own text up to the comma
//! before `"signature"`: nothing is serialised again to verify it.

use sernixa_protocol::json::{Document, Node};

use crate::audit::key::{AuditKey, AuditKeyId, AuditPublicKey, Label};
use crate::audit::{Entry, EventKind, Head};
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::text::Object;

/// What stands between the text that is signed and the signature.
const SIGNATURE: &str = ",\"signature\":\"";

/// How many events may pass between two checkpoints of an engine that signs.
pub(crate) const CHECKPOINT_EVERY: u64 = 1_000;

/// The event that signs the chain up to `head`. `previous` is the checkpoint before it, or the
/// genesis.
pub(crate) fn checkpoint(
    organisation: &str,
    head: Head,
    previous: Head,
    key: &AuditKey,
    now: Timestamp,
) -> Entry {
    let place = |head: Head| {
        Object::with_capacity(128)
            .number("seq", head.seq)
            .digest("hash", &head.hash)
    };
    Entry::new(EventKind::Checkpoint, now).with(|object| {
        // Numbers are without gaps from 1, so the head's number is the count of events.
        let signed = object
            .string("organisation", organisation)
            .json(
                "checkpoint",
                &place(head).number("events", head.seq).finish(),
            )
            .json("previous", &place(previous).finish())
            .string("key_id", &key.id().to_string())
            .string("public_key", &key.public().to_string());
        let signature = key.sign(Label::Checkpoint, signed.so_far().as_bytes());
        signed.string("signature", &signature)
    })
}

/// A checkpoint that was read, and whose signature is that of the key it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The end of the chain that it signs.
    pub(crate) head: Head,
    /// The checkpoint before it.
    pub(crate) previous: Head,
    pub(crate) key: AuditPublicKey,
}

impl Checkpoint {
    /// Reads the payload of a checkpoint of `organisation`; `None` when it is none, or its
    /// signature is not that of its key.
    pub(crate) fn read(payload: &str, organisation: &str) -> Option<Self> {
        let document = Document::parse(payload).ok()?;
        let root = document.root();
        let text = |name: &str| root.get(name).and_then(|node| node.as_str());
        let key = AuditPublicKey::parse(&text("public_key")?)?;
        let (signed, rest) = payload.rsplit_once(SIGNATURE)?;
        let signature = text("signature")?;
        // Nothing may stand behind it: that would not be signed.
        if rest.strip_suffix("\"}") != Some(&*signature) {
            return None;
        }
        let checkpoint = root.get("checkpoint")?;
        let head = place(checkpoint)?;
        let holds = text("event_type")?.as_ref() == EventKind::Checkpoint.as_str()
            && text("organisation")?.as_ref() == organisation
            && AuditKeyId::parse(&text("key_id")?) == Some(key.id())
            && checkpoint.get("events")?.as_u64() == Some(head.seq)
            && key.verifies(Label::Checkpoint, signed.as_bytes(), &signature);
        holds.then_some(Self {
            head,
            previous: place(root.get("previous")?)?,
            key,
        })
    }
}

fn place(node: Node<'_>) -> Option<Head> {
    Some(Head {
        seq: node.get("seq")?.as_u64()?,
        hash: Digest::parse(&node.get("hash")?.as_str()?)?,
    })
}
