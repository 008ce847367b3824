//! From what a step decided to the answer on the wire (DESIGN 7 and 11).

use crate::api_key::ApiKey;
use crate::approval::{Approval, ApprovalId, Decision, Subject};
use crate::audit::Receipt;
use crate::digest::{Digest, push_hex};
use crate::grant::AutoApproved;
use crate::memory::Memory;
use crate::moment::Timestamp;
use crate::record::{Detail, Record};
use crate::refusal::{Refusal, Word, receipt_json};
use crate::settings::Settings;
use crate::step::Reported;
use crate::store::SecretKey;
use crate::text::{Object, array};
use crate::token;

/// An answer as the wire carries it: an HTTP status and a JSON text.
///
/// It may hold a claim token, so it is not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// One JSON value.
    pub body: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish()
    }
}

impl From<&Refusal> for Answer {
    fn from(refusal: &Refusal) -> Self {
        Self {
            status: refusal.word().http(),
            body: refusal.body(),
        }
    }
}

/// What a step decided.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Run now. It cannot be built for a high or critical risk, nor without an audit event.
    Allowed(AutoApproved),
    /// Wait. The claim token is derived when the answer is written.
    Pending {
        approval_id: ApprovalId,
        attachment: u32,
        expires_at: Timestamp,
        receipt: Receipt,
    },
    Refused(Refusal),
    /// A refusal that was given before, word for word.
    Again {
        status: u16,
        body: Box<str>,
    },
    Record(Approval),
    Decided(Approval, Decision),
    Records(Vec<Approval>),
    /// What waits and what was decided lately, as of one audit event.
    Snapshot {
        reaches: u64,
        pending: Vec<Approval>,
        decided: Vec<Approval>,
    },
    Claimed {
        approval_id: ApprovalId,
        claim_id: [u8; 16],
        body_hash: Digest,
        receipt: Receipt,
    },
    Reported(Vec<(ApprovalId, Reported)>),
    /// A delegation token that was made now, as JSON.
    Issued(String),
    /// A delegation token, as JSON.
    Token(String),
    /// Delegation tokens, as JSON.
    Tokens(Vec<String>),
    Memories(Vec<Memory>),
    Keys(Vec<ApiKey>),
    /// Whether the chain was signed now.
    Checkpointed(bool),
    Swept {
        changed: usize,
        next: Option<Timestamp>,
    },
    Done,
}

/// What the answer repeats of the submission it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) request_id: Option<&'a str>,
    pub(crate) body_hash: &'a Digest,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(subject: &'a Subject) -> Self {
        Self {
            request_id: subject.request_id.as_deref(),
            body_hash: &subject.body_hash,
        }
    }
}

/// The answer to a submission.
pub(crate) fn to_submission(
    reply: &Reply,
    asked: Asked<'_>,
    settings: &Settings,
    claim_key: &SecretKey,
) -> Answer {
    match reply {
        Reply::Allowed(granted) => allowed(granted, asked, settings),
        Reply::Pending {
            approval_id,
            attachment,
            expires_at,
            receipt,
        } => {
            let Some(token) = token::claim_token(claim_key, *approval_id, *attachment) else {
                return unavailable();
            };
            let body = Object::with_capacity(640)
                .string("status", "pending_review")
                .id("approval_id", *approval_id)
                .string("claim_token", &token)
                .digest("body_hash", asked.body_hash)
                .present("request_id", asked.request_id)
                .time("expires_at", *expires_at)
                .json("capabilities", settings.capabilities())
                .json("receipt", &receipt_json(*receipt))
                .finish();
            Answer { status: 202, body }
        }
        other => to_other(other),
    }
}

/// The one text that lets an action run at once.
fn allowed(granted: &AutoApproved, asked: Asked<'_>, settings: &Settings) -> Answer {
    let body = Object::with_capacity(512)
        .string("status", "accepted")
        .string("decision", "auto_approved")
        .id("approval_id", granted.approval_id())
        .digest("body_hash", asked.body_hash)
        .present("request_id", asked.request_id)
        .json("capabilities", settings.capabilities())
        .json("receipt", &receipt_json(granted.receipt()))
        .finish();
    Answer { status: 200, body }
}

/// The answer to anything but a submission.
pub(crate) fn to_other(reply: &Reply) -> Answer {
    let body = match reply {
        Reply::Refused(refusal) => return refusal.into(),
        Reply::Again { status, body } => {
            return Answer {
                status: *status,
                body: String::from(&**body),
            };
        }
        Reply::Record(approval) => Record::new(approval.clone()).json(Detail::Full),
        Reply::Decided(approval, decision) => {
            Record::new(approval.clone()).json_with_decision(*decision)
        }
        Reply::Records(approvals) => array(
            approvals
                .iter()
                .map(|approval| Record::new(approval.clone()).json(Detail::Listed)),
        ),
        Reply::Claimed {
            approval_id,
            claim_id,
            body_hash,
            receipt,
        } => {
            let mut id = String::new();
            push_hex(claim_id, &mut id);
            Object::with_capacity(400)
                .string("status", "claimed")
                .id("approval_id", *approval_id)
                .string("claim_id", &id)
                .digest("body_hash", body_hash)
                .json("receipt", &receipt_json(*receipt))
                .finish()
        }
        Reply::Reported(results) => {
            let results = results.iter().map(|(id, reported)| {
                Object::new()
                    .id("approval_id", *id)
                    .string("status", reported.as_str())
                    .finish()
            });
            Object::new().json("results", &array(results)).finish()
        }
        Reply::Keys(keys) => array(keys.iter().map(ApiKey::json)),
        Reply::Issued(token) => {
            return Answer {
                status: 201,
                body: token.clone(),
            };
        }
        Reply::Token(token) => token.clone(),
        Reply::Tokens(tokens) => array(tokens.iter().cloned()),
        Reply::Memories(memories) => array(memories.iter().map(memory)),
        Reply::Swept { .. } | Reply::Snapshot { .. } | Reply::Checkpointed(_) | Reply::Done => {
            Object::new().string("status", "done").finish()
        }
        // Leave to run and leave to wait are written above, for submissions alone.
        Reply::Allowed(_) | Reply::Pending { .. } => return unavailable(),
    };
    Answer { status: 200, body }
}

fn memory(memory: &Memory) -> String {
    let times: Vec<String> = memory.approved_at.iter().map(ToString::to_string).collect();
    Object::new()
        .digest("fingerprint", &memory.fingerprint)
        .string("key", &memory.key)
        .string("intent_id", &memory.intent_id)
        .string("action_id", &memory.action_id)
        .strings("approved_at", times.iter().map(String::as_str))
        .finish()
}

/// Which tools some call may be permitted of, in the order in which they were asked about.
pub(crate) fn visible_tools(visible: impl Iterator<Item = bool>, policy: &Digest) -> Answer {
    let words: Vec<&str> = visible
        .map(|visible| if visible { "true" } else { "false" })
        .collect();
    let body = Object::new()
        .json("visible", &format!("[{}]", words.join(",")))
        .digest("policy_digest", policy)
        .finish();
    Answer { status: 200, body }
}

/// The engine could not do its part, for anything but a submission: another try may succeed.
pub(crate) fn unavailable() -> Answer {
    (&Refusal::new(Word::Unavailable, "engine_error")).into()
}

/// The engine could not decide a submission: that is a no (DESIGN 10).
pub(crate) fn engine_error() -> Answer {
    (&Refusal::new(Word::Blocked, "engine_error")).into()
}
