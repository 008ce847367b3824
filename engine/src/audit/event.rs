//! One audit event, and how its text is written.

use crate::approval::{Approval, ApprovalId, Subject};
use crate::audit::{Head, Receipt, link};
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::policy::Because;
use crate::principal::Principal;
use crate::text::Object;

/// One event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the chain, from 1 without gaps.
    pub seq: u64,
    /// The chain's hash at this event.
    pub hash: Digest,
    /// The exact text that was hashed: one JSON object.
    pub payload: Box<str>,
    /// What happened. A copy for queries: the payload's `event_type` decides.
    pub kind: EventKind,
    /// Which approval it is about. A copy for queries: the payload's `approval_id` decides.
    pub approval_id: Option<ApprovalId>,
}

impl Event {
    /// The receipt of this event.
    pub const fn receipt(&self) -> Receipt {
        Receipt {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)+) => {
        /// What an event says happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventKind { $($(#[$doc])* $kind,)+ }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The word in the payload's `event_type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// The kind that `text` names.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
            }
        }
    };
}

kinds! {
    /// Policy or memory let an action run at once.
    Allowed = "submission_auto_approved",
    /// A submission waits for a person.
    Asked = "submission_pending_review",
    /// A submission was refused.
    Refused = "submission_blocked",
    /// A submission took up an approval that was open.
    Resumed = "approval_resumed",
    /// A person said yes.
    Approved = "approval_approved",
    /// A person said no.
    Rejected = "approval_rejected",
    /// Nobody decided or claimed in time.
    Expired = "approval_expired",
    /// The one who asked took it back.
    Withdrawn = "approval_withdrawn",
    /// A withdrawal of a delegated request was not signed as that request was.
    WithdrawRefused = "withdraw_refused",
    /// What was approved may not start any more: its delegation has ended.
    Blocked = "approval_blocked",
    /// A claim started the action.
    Claimed = "approval_claimed",
    /// A claim was refused.
    ClaimRefused = "claim_refused",
    /// The policy set had changed since the decision, and still permits what was approved.
    PolicyRechecked = "policy_rechecked",
    /// A client that never claims read the approval.
    Delivered = "approval_delivered",
    /// Someone said how the action ended.
    OutcomeRecorded = "outcome_recorded",
    /// A report that fits no claim.
    OutcomeRefused = "outcome_refused",
    /// Nobody said in time how the action ended.
    OutcomeUnknown = "outcome_unknown",
    /// A remembered approval was revoked.
    MemoryForgotten = "memory_forgotten",
    /// A delegation token was made.
    TokenIssued = "delegation_issued",
    /// A delegation token was asked for, and refused.
    TokenRefused = "delegation_refused",
    /// A delegation token was revoked, and with it all that narrow it.
    TokenRevoked = "delegation_revoked",
    /// An API key was made.
    KeyCreated = "api_key_created",
    /// An API key was revoked.
    KeyRevoked = "api_key_revoked",
    /// The chain so far, signed.
    Checkpoint = "audit_checkpoint",
    /// The engine could not decide, and refused.
    EngineError = "engine_error",
}

/// An event being written.
pub(crate) struct Entry {
    kind: EventKind,
    approval_id: Option<ApprovalId>,
    object: Object,
}

impl Entry {
    /// An event of `kind` at `now`.
    pub(crate) fn new(kind: EventKind, now: Timestamp) -> Self {
        let object = Object::with_capacity(768)
            .string("event_type", kind.as_str())
            .time("created_at", now);
        Self {
            kind,
            approval_id: None,
            object,
        }
    }

    /// An event about `approval`: which one, and where it stands now.
    pub(crate) fn about(kind: EventKind, now: Timestamp, approval: &Approval) -> Self {
        let mut entry = Self::new(kind, now);
        entry.approval_id = Some(approval.id);
        entry.with(|object| {
            object
                .id("approval_id", approval.id)
                .present("request_id", approval.subject.request_id.as_deref())
                .string("action_id", &approval.subject.action_id)
                .digest("body_hash", &approval.subject.body_hash)
                .string("status", approval.status.as_str())
                .string("execution", approval.execution.as_str())
        })
    }

    /// Who did it.
    pub(crate) fn by(self, principal: &Principal) -> Self {
        self.with(|object| {
            object
                .string("key", principal.key())
                .string("owner", principal.owner())
        })
    }

    /// Everything that was asked, but the metadata: the body hash stands for it.
    pub(crate) fn asked(self, subject: &Subject) -> Self {
        self.with(|object| {
            object
                .string("intent_id", &subject.intent_id)
                .string("risk_level", subject.risk.as_str())
                .string("operation_class", &subject.operation_class)
                .string("data_sensitivity", &subject.data_sensitivity)
                .strings("systems_touched", subject.systems.iter().map(AsRef::as_ref))
                .present("agent_id", subject.agent_id.as_deref())
                .present(
                    "delegation_chain_id",
                    subject.delegation_chain_id.as_deref(),
                )
        })
        .with(|object| match subject.delegation_token_id {
            Some(id) => object
                .string("delegation_token_id", &id.to_string())
                .number("delegation_depth", u64::from(subject.delegation_depth))
                .present("signing_key_id", subject.signing_key_id.as_deref())
                .strings(
                    "delegator_owners",
                    subject.delegator_owners.iter().map(AsRef::as_ref),
                ),
            None => object,
        })
    }

    /// Which policies the answer rests on.
    pub(crate) fn because(self, because: Option<&Because>) -> Self {
        self.with(|object| object.because(because))
    }

    /// Adds what this kind of event has to say.
    pub(crate) fn with(mut self, add: impl FnOnce(Object) -> Object) -> Self {
        self.object = add(self.object);
        self
    }

    /// The event after `head`.
    pub(crate) fn seal(self, head: &Head) -> Event {
        let payload = self.object.finish().into_boxed_str();
        let Head { seq, hash } = link(head, &payload);
        Event {
            seq,
            hash,
            payload,
            kind: self.kind,
            approval_id: self.approval_id,
        }
    }
}
