//! The endpoints of a service, the approval ids that may stand in them, and what a service says it
//! can do.

use std::fmt;

/// Where an action is submitted (PROTOCOL 2).
pub const EXECUTE: &str = "/api/actions/execute";
/// Where outcomes are reported (DESIGN 7).
pub const OUTCOMES: &str = "/api/approvals/outcomes";
/// The stream of approval events (DESIGN 7).
pub const EVENTS: &str = "/api/approvals/events";
/// The approvals that wait for a person (PROTOCOL 3.3).
pub const PENDING: &str = "/api/approvals/pending";
/// Where delegation tokens are made (PROTOCOL 5).
pub const DELEGATIONS: &str = "/api/delegations";
/// Whether the service is ready (PROTOCOL 6).
pub const READY: &str = "/ready";

/// The id of an approval that is usable in a path (DESIGN 6): 1 to 200 characters, not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId(Box<str>);

impl ApprovalId {
    /// The longest id, in characters.
    pub const MAX: usize = 200;

    /// The id in `text`, if it is usable.
    pub fn parse(text: &str) -> Option<Self> {
        let usable = !matches!(text, "" | "." | "..") && text.chars().nth(Self::MAX).is_none();
        usable.then(|| Self(text.into()))
    }

    /// The id as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of its record: `/api/approvals/{id}`.
    pub fn path(&self) -> String {
        let mut path = String::from("/api/approvals/");
        push_segment(&self.0, &mut path);
        path
    }

    /// Where it is claimed: `/api/approvals/{id}/claim`.
    pub fn claim_path(&self) -> String {
        self.path() + "/claim"
    }

    /// Where it is withdrawn: `/api/approvals/{id}/withdraw`.
    pub fn withdraw_path(&self) -> String {
        self.path() + "/withdraw"
    }

    /// Where it is decided: `/api/approvals/{id}/decision` (PROTOCOL 3.4).
    pub fn decision_path(&self) -> String {
        self.path() + "/decision"
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends `text` as one path segment: everything but RFC 3986's unreserved characters is
/// percent-encoded, so that no id can name another path.
fn push_segment(text: &str, path: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let digit = |nibble: u8| {
                char::from_digit(nibble.into(), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase()
            };
            path.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// What a service offers beyond the plain protocol, named in `capabilities` of its answers
/// (DESIGN 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// One stream of events instead of polling.
    Events,
    /// One approval starts one execution.
    Claim,
    /// Outcomes are taken.
    Outcome,
    /// A request can be taken back.
    Withdraw,
    /// A request can be attached to again.
    Resume,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Events,
        Self::Claim,
        Self::Outcome,
        Self::Withdraw,
        Self::Resume,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Claim => "claim",
            Self::Outcome => "outcome",
            Self::Withdraw => "withdraw",
            Self::Resume => "resume",
        }
    }

    /// The capability that `word` names, exactly. Others are for later versions to know.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        let path = |id: &str| ApprovalId::parse(id).map(|id| id.path());
        assert_eq!(
            path("apr_1-x.~").as_deref(),
            Some("/api/approvals/apr_1-x.~")
        );
        assert_eq!(
            path("../x y?z=1#é%").as_deref(),
            Some("/api/approvals/..%2Fx%20y%3Fz%3D1%23%C3%A9%25")
        );
        assert_eq!(
            ApprovalId::parse("a").map(|id| id.claim_path()).as_deref(),
            Some("/api/approvals/a/claim")
        );
    }

    #[test]
    fn ids_that_name_a_directory_or_never_end_are_unusable() {
        for id in ["", ".", ".."] {
            assert_eq!(ApprovalId::parse(id), None, "{id:?}");
        }
        assert!(ApprovalId::parse(&"é".repeat(200)).is_some());
        assert!(ApprovalId::parse(&"a".repeat(201)).is_none());
        assert!(ApprovalId::parse("...").is_some());
    }

    #[test]
    fn capabilities_are_known_by_their_word() {
        for capability in Capability::ALL {
            assert_eq!(Capability::parse(capability.as_str()), Some(capability));
        }
        assert_eq!(Capability::parse("CLAIM"), None);
    }
}
