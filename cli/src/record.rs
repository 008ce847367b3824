//! A record as any service sends it (DESIGN 11): fields that are missing are missing, others than
//! the known ones do no harm.

use jiff::{SignedDuration, Timestamp};
use sernixa_protocol::json::{Document, JsonError, Node};

use crate::output::{compact, pretty_cut};
use crate::{Failure, when};

/// The levels of JSON in a record that are read; the service's own limit is 64.
const DEEPEST: usize = 128;

/// A waiter is seen at least every 50 s; one that was not seen for so long has gone.
const LEFT_AFTER: SignedDuration = SignedDuration::from_secs(120);

/// What is shown then.
pub(crate) const NOBODY_WAITS: &str = "nobody is waiting";

/// The words that let an action run (PROTOCOL 15).
const APPROVED: [&str; 3] = ["approved", "auto_approved", "executed"];
/// The words after which nothing changes.
const ENDED: [&str; 4] = ["rejected", "blocked", "expired", "failed"];

/// A record. Texts are as they were sent: they are made safe where they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) approval_id: Option<String>,
    pub(crate) action_id: Option<String>,
    pub(crate) intent_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) decision_reason: Option<String>,
    pub(crate) decided_by: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) claim_by: Option<String>,
    pub(crate) risk_level: Option<String>,
    pub(crate) operation_class: Option<String>,
    pub(crate) data_sensitivity: Option<String>,
    pub(crate) systems_touched: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) delegation_chain_id: Option<String>,
    pub(crate) body_hash: Option<String>,
    pub(crate) execution: Option<String>,
    pub(crate) waiter_seen_at: Option<String>,
    pub(crate) policy_digest: Option<String>,
    pub(crate) self_decided: Option<String>,
    /// Indented, with long texts cut and everything safe to show.
    pub(crate) metadata: Option<String>,
    /// All of it as JSON in one line.
    pub(crate) json: String,
}

impl Record {
    /// Reads one record.
    pub(crate) fn parse(json: &str) -> Result<Self, Failure> {
        let document = Document::parse_within(json, DEEPEST).map_err(no_record)?;
        let root = document.root();
        if root.is_object() {
            Ok(Self::of(root))
        } else {
            Err(Failure::new("the answer is no record"))
        }
    }

    /// Reads a list; what is no object in it is passed over, as the reference does.
    pub(crate) fn parse_list(json: &str) -> Result<Vec<Self>, Failure> {
        let document = Document::parse_within(json, DEEPEST).map_err(no_record)?;
        let root = document.root();
        if root.kind() != sernixa_protocol::json::Kind::Array {
            return Err(Failure::new("the answer is no list of records"));
        }
        let objects = root.elements().filter(Node::is_object);
        Ok(objects.map(Self::of).collect())
    }

    fn of(node: Node<'_>) -> Self {
        let text = |name| node.get(name).and_then(text);
        Self {
            approval_id: text("approval_id"),
            action_id: text("action_id"),
            intent_id: text("intent_id"),
            status: text("status"),
            reason: text("reason"),
            decision_reason: text("decision_reason"),
            decided_by: text("decided_by"),
            created_at: text("created_at"),
            expires_at: text("expires_at"),
            claim_by: text("claim_by"),
            risk_level: text("risk_level"),
            operation_class: text("operation_class"),
            data_sensitivity: text("data_sensitivity"),
            systems_touched: text("systems_touched"),
            summary: text("summary"),
            agent_id: text("agent_id"),
            delegation_chain_id: text("delegation_chain_id"),
            body_hash: text("body_hash"),
            execution: text("execution"),
            waiter_seen_at: text("waiter_seen_at"),
            policy_digest: text("policy_digest"),
            self_decided: text("self_decided"),
            metadata: node
                .get("metadata")
                .filter(|metadata| !metadata.is_null())
                .map(pretty_cut),
            json: compact(node),
        }
    }

    /// The id; empty where a service sends none.
    pub(crate) fn id(&self) -> &str {
        self.approval_id.as_deref().unwrap_or_default()
    }

    /// The status in lower case, as the reference's CLI reads it.
    pub(crate) fn status(&self) -> String {
        self.status.as_deref().unwrap_or_default().to_lowercase()
    }

    /// Whether nobody waits any more for what is still to be decided: the one who asked has left,
    /// and may come back for the decision until it expires.
    pub(crate) fn is_left(&self, now: Timestamp) -> bool {
        let seen = self.waiter_seen_at.as_deref().and_then(when::parse);
        !self.has_ended() && seen.is_some_and(|seen| now.duration_since(seen) >= LEFT_AFTER)
    }

    /// Whether a person, a policy or memory said yes.
    pub(crate) fn is_approved(&self) -> bool {
        APPROVED.contains(&&*self.status())
    }

    /// Whether nothing changes any more. A word that nobody knows may still become another.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_approved() || ENDED.contains(&&*self.status())
    }
}

/// A value as one text; `None` for null, and for a list without anything in it.
pub(crate) fn text(node: Node<'_>) -> Option<String> {
    use sernixa_protocol::json::Kind;
    match node.kind() {
        Kind::Null => None,
        Kind::String => node.as_str().map(std::borrow::Cow::into_owned),
        Kind::Array => {
            let items: Vec<String> = node.elements().filter_map(text).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        _ => Some(node.raw().to_owned()),
    }
}

fn no_record(error: JsonError) -> Failure {
    Failure::new("the answer cannot be read").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_what_is_undecided_and_was_not_looked_at_for_two_minutes() {
        let now = when::parse("2026-11-22T12:02:00Z").unwrap();
        let record = |status: &str, seen: &str| {
            Record::parse(&format!(
                r#"{{"status": "{status}", "waiter_seen_at": {seen}}}"#
            ))
            .unwrap()
        };
        for (status, seen, left) in [
            ("pending_review", r#""2026-11-22T12:00:00Z""#, true),
            ("pending_review", r#""2026-11-22T12:00:00.001Z""#, false),
            // A clock that is ahead.
            ("pending_review", r#""2026-11-22T13:00:00Z""#, false),
            ("approved", r#""2026-11-22T12:00:00Z""#, false),
            ("expired", r#""2026-11-22T12:00:00Z""#, false),
            ("pending_review", "null", false),
            ("pending_review", r#""long ago""#, false),
            ("pending_review", "7", false),
        ] {
            assert_eq!(record(status, seen).is_left(now), left, "{status} {seen}");
        }
    }
}
