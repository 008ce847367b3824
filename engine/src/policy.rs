//! What policies are asked, and the rule that is built in.
//!
//! Two questions for each submission. `request`: may this be asked at all? No: blocked.
//! `proceed`: may it run without a person? The answer to the second is only a proposal: the
//! engine's hard rules stand above it (see [`crate::grant`]).

use std::borrow::Cow;
use std::sync::Arc;

use sernixa_protocol::RiskLevel;

use crate::approval::Subject;
use crate::digest::Digest;
use crate::moment::Timestamp;

/// What a policy is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Everything that was submitted, and by whom.
    pub subject: &'a Subject,
    /// The time at which it is judged.
    pub now: Timestamp,
}

impl<'a> Question<'a> {
    /// The operation class as policies compare it: in lower case, however it was sent.
    pub fn operation_class(&self) -> Cow<'a, str> {
        folded(&self.subject.operation_class)
    }

    /// The data sensitivity as policies compare it: in lower case, however it was sent.
    pub fn data_sensitivity(&self) -> Cow<'a, str> {
        folded(&self.subject.data_sensitivity)
    }
}

fn folded(word: &str) -> Cow<'_, str> {
    if word
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.to_lowercase())
    }
}

/// A tool, before anything is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool<'a> {
    /// Who answers for the key that would ask, undelegated.
    pub owner: &'a str,
    /// What the tool does.
    pub action_id: &'a str,
    /// What its calls intend.
    pub intent_id: &'a str,
}

/// A policy's answer to both questions, and which policy set gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// May this be asked at all?
    pub request: RequestVerdict,
    /// May it run without a person?
    pub proceed: ProceedVerdict,
    /// The set that answered. A verdict counts only while this set is in force.
    pub digest: Digest,
    /// The delegation depth it was computed for. It counts only while that is still the depth.
    pub delegation_depth: u8,
    /// The policies that it rests on; `None` where the rule has no parts with names.
    pub grounds: Option<Arc<Grounds>>,
}

impl Verdict {
    /// What the answer to `request` rests on.
    pub(crate) fn request_because(&self) -> Option<&Because> {
        self.grounds.as_deref().map(|grounds| &grounds.request)
    }

    /// What the answer to `proceed` rests on.
    pub(crate) fn proceed_because(&self) -> Option<&Because> {
        self.grounds.as_deref().map(|grounds| &grounds.proceed)
    }
}

/// What a verdict rests on: for the audit, and for whoever asks why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// What the answer to `request` rests on.
    pub request: Because,
    /// What the answer to `proceed` rests on; empty where it was not asked.
    pub proceed: Because,
}

/// What one answer rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Because {
    /// The ids of the policies that determined it, in order. None: no policy permits.
    pub policies: Box<[Box<str>]>,
    /// The ids of the policies that failed, in order. Where there are any, the answer is no.
    pub failed: Box<[Box<str>]>,
    /// Why not, in the words of these policies.
    pub reason: Option<Box<str>>,
}

/// May this be asked at all?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestVerdict {
    /// Yes.
    Permit,
    /// No, and why: one line for the caller.
    Deny(Cow<'static, str>),
    /// The policy could not tell; that counts as no.
    Error,
    /// A metadata member that policies read is of another type than they expect; that counts as no.
    MetadataType {
        /// The member's name.
        key: Box<str>,
        /// The type that is declared for it.
        wanted: &'static str,
    },
    /// The policy broke down (it panicked); that counts as no.
    Broken,
}

/// May it run without a person?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProceedVerdict {
    /// Yes, as far as the policy goes.
    Proceed,
    /// No: a person decides.
    Review,
    /// The policy could not tell; a person decides.
    Error,
}

/// A policy set: a pure function from a question to a verdict.
///
/// It runs outside of the store's transaction, at most a few times per submission. It may be
/// exchanged or reload itself at any time; [`Policy::digest`] must then change.
pub trait Policy: Send + Sync {
    /// What tells this set from any other that answers differently.
    fn digest(&self) -> Digest;

    /// The answer to both questions.
    fn verdict(&self, question: &Question<'_>) -> Verdict;

    /// Whether there may be a call of this tool that `request` permits. `false` only where each is
    /// refused, whatever it says: such a tool need not be shown to anybody. Default: `true`.
    fn permits_some(&self, tool: &Tool<'_>) -> bool {
        let _ = tool;
        true
    }
}

/// The built-in rule: low-risk reads proceed, the rest is reviewed, everything may be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInPolicy;

impl Policy for BuiltInPolicy {
    fn digest(&self) -> Digest {
        // SHA-256 of "sernixa.policy.built_in.v1", so that the rule has one name for ever.
        Digest([
            0xd1, 0x47, 0xc2, 0x5c, 0x8a, 0xf1, 0x5a, 0x8c, 0xfe, 0xf0, 0xd7, 0xc4, 0x41, 0x50,
            0x8b, 0x31, 0x76, 0xd0, 0xa3, 0x49, 0xb5, 0xbc, 0xdd, 0x76, 0x91, 0xf5, 0xa1, 0x01,
            0x6c, 0xb7, 0xca, 0x41,
        ])
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        let subject = question.subject;
        let is_read = question.operation_class() == "read";
        Verdict {
            request: RequestVerdict::Permit,
            proceed: match subject.risk {
                RiskLevel::Low if is_read => ProceedVerdict::Proceed,
                _ => ProceedVerdict::Review,
            },
            digest: self.digest(),
            delegation_depth: subject.delegation_depth,
            grounds: None,
        }
    }
}
