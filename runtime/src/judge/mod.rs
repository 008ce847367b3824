//! What an answer means (DESIGN 6 and 7): pure functions from an answer to a verdict.
//!
//! One judge for HTTP, the embedded engine and the test double. Whatever is not listed here is
//! [`Error::Api`](crate::Error::Api), and the body does not run.

mod claim;
mod fault;
mod read;
mod record;
mod refusal;
mod submission;
#[cfg(test)]
mod tests;

use secrecy::SecretString;
use sernixa_protocol::RiskLevel;

pub(crate) use claim::{claim, is_not_yet};
pub(crate) use fault::{Step, fault};
pub(crate) use read::{document, strict};
pub(crate) use record::{Looked, record};
pub(crate) use submission::{body_hash, offers_claims, submission};

use crate::transport::ApprovalId;

/// What is known of a call before anybody answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) risk: RiskLevel,
    /// 32 hex digits.
    pub(crate) request_id: &'a str,
    /// 64 hex digits: what an approval is bound to.
    pub(crate) body_hash: &'a str,
    pub(crate) rules: Rules,
}

/// How strict the client is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// An immediate allow opens at high and critical risk, too.
    pub(crate) accept_immediate_high_risk: bool,
    /// A service that does not offer claims is refused.
    pub(crate) require_claim: bool,
    /// This client was offered `claim` before: from then on it must be offered always.
    pub(crate) claims_before: bool,
}

impl Terms<'_> {
    /// Whether anything but a person's `approved` may open (DESIGN promise 5).
    fn opens_without_person(&self) -> bool {
        !self.risk.needs_person() || self.rules.accept_immediate_high_risk
    }
}

/// What the service says it can do (`capabilities`, DESIGN 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of words, each there or not"
)]
pub(crate) struct Offers {
    pub(crate) claim: bool,
    pub(crate) outcome: bool,
    pub(crate) withdraw: bool,
    /// The same request takes up the approval that it left.
    pub(crate) resume: bool,
    /// Changes are pushed on a stream.
    pub(crate) events: bool,
}

/// What opens the claim, and nothing else: shown nowhere.
pub(crate) type ClaimToken = SecretString;

/// Leave to run at once.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// Where outcomes are reported to, if the answer named one.
    pub(crate) approval_id: Option<ApprovalId>,
    pub(crate) offers: Offers,
}

/// Leave to wait.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) approval_id: ApprovalId,
    /// Given wherever claims are offered.
    pub(crate) claim_token: Option<ClaimToken>,
    /// The answer carried our body hash, so that every record must.
    pub(crate) bound: bool,
    /// The audit number under which this call took the approval up, if the answer's receipt says
    /// it: of two calls that hold one approval, the later number may claim.
    pub(crate) attached: Option<u64>,
    /// When the approval lapses undecided: milliseconds since 1970, if it was said.
    pub(crate) expires_at: Option<u64>,
    pub(crate) offers: Offers,
}

/// What an answer to a submission that is no error leads to.
#[derive(Debug)]
pub(crate) enum Judged {
    Run(Allowed),
    Wait(Ticket),
}

impl Judged {
    pub(crate) fn offers(&self) -> Offers {
        match self {
            Self::Run(allowed) => allowed.offers,
            Self::Wait(ticket) => ticket.offers,
        }
    }
}
