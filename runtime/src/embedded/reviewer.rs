//! Who decides what the engine leaves to a person.

use std::borrow::Cow;
use std::fmt;

use sernixa_engine::Record;

/// Decides pending approvals, one after the other, on a thread of its own: it may block as long as
/// it likes. Closures `Fn(&Record) -> Decision` are reviewers.
///
/// A reviewer that panics has rejected. A governed call *from* a reviewer that would need review is
/// rejected, too: it would wait for itself.
pub trait Reviewer: Send + Sync + 'static {
    /// The decision on one pending approval. Its texts are as they were submitted: whoever shows
    /// them to a person escapes them first, as [`TerminalReviewer`](super::TerminalReviewer) does.
    fn review(&self, asked: &Record) -> Decision;
}

impl<F: Fn(&Record) -> Decision + Send + Sync + 'static> Reviewer for F {
    fn review(&self, asked: &Record) -> Decision {
        self(asked)
    }
}

/// What a reviewer says. Its `Debug` leaves out the reason, which may quote what was reviewed.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Decision(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Approve(Cow<'static, str>),
    Reject(Cow<'static, str>),
    Leave,
}

impl Decision {
    /// Yes.
    pub fn approve() -> Self {
        Self::approve_because("approved by the reviewer")
    }

    /// Yes, and why: 3 to 500 characters, else the reason says that none of use was given.
    pub fn approve_because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Approve(fitting(reason.into())))
    }

    /// No, and why: 3 to 500 characters, else the reason says that none of use was given.
    pub fn reject(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Kind::Reject(fitting(reason.into())))
    }

    /// Neither: it stays pending, for somebody who decides through the engine.
    pub fn leave() -> Self {
        Self(Kind::Leave)
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Approve(_) => "Decision(Approve)",
            Kind::Reject(_) => "Decision(Reject)",
            Kind::Leave => "Decision(Leave)",
        })
    }
}

/// A reason that the engine takes: a decision must not fail for its wording.
fn fitting(reason: Cow<'static, str>) -> Cow<'static, str> {
    let trimmed = reason.trim();
    match trimmed.chars().count() {
        0..3 => Cow::Borrowed("the reviewer gave no reason"),
        3..=500 => reason,
        _ => trimmed
            .chars()
            .take(499)
            .chain(['…'])
            .collect::<String>()
            .into(),
    }
}

/// Nobody is there: no terminal, and no reviewer was given.
pub(super) struct Nobody;

impl Reviewer for Nobody {
    fn review(&self, _: &Record) -> Decision {
        Decision::reject(
            "nobody can decide here: stdin and stderr are no terminal and no reviewer is set; \
             give one with ClientBuilder::reviewer, or use a service",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_made_to_fit_what_the_engine_takes() {
        for (given, taken) in [
            ("", "the reviewer gave no reason"),
            (" ok ", "the reviewer gave no reason"),
            ("yes", "yes"),
        ] {
            assert_eq!(Decision::reject(given).0, Kind::Reject(taken.into()));
        }
        let Kind::Approve(long) = Decision::approve_because("é".repeat(501)).0 else {
            panic!("not an approval");
        };
        assert_eq!(long.chars().count(), 500);
    }
}
