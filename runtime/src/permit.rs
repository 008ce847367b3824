//! A [`Permit`]: the body may run, and its outcome is reported through it.

use std::fmt;
use std::time::Duration;

use crate::client::Client;
use crate::grant::Grant;
use crate::outcome::{Entry, ReportTo};

pub(crate) use crate::outcome::Outcome;

/// Leave to run one body, once. Say how it ended: [`succeeded`](Self::succeeded) or
/// [`failed`](Self::failed).
///
/// Dropped without either it reports `outcome_unknown` (`panicked` while a panic unwinds): nobody
/// can tell then whether the action happened.
#[must_use = "a permit that is dropped says that nobody knows how the action ended"]
pub struct Permit {
    client: Client,
    approval_id: Option<Box<str>>,
    /// Taken when the outcome is reported. `None` from the start where nobody takes reports.
    report: Option<ReportTo>,
    /// When the body could begin, on the client's monotonic clock; read only where it is reported.
    begin: Duration,
    when_dropped: Outcome,
    /// Another panic may be unwinding already: that one is not the body's.
    unwinding_before: bool,
}

impl Permit {
    pub(crate) fn new(client: Client, grant: Grant) -> Self {
        let begin = match &grant.report {
            Some(_) => client.settings().clock.monotonic(),
            None => Duration::ZERO,
        };
        Self {
            client,
            approval_id: grant.approval_id.map(|id| id.as_str().into()),
            report: grant.report,
            begin,
            when_dropped: Outcome::Unknown,
            unwinding_before: std::thread::panicking(),
        }
    }

    /// The approval that lets the body run, if the service named one.
    pub fn approval_id(&self) -> Option<&str> {
        self.approval_id.as_deref()
    }

    /// The action was done.
    pub fn succeeded(self) {
        self.finish(Outcome::Succeeded);
    }

    /// The action failed.
    pub fn failed(self) {
        self.finish(Outcome::Failed(None));
    }

    /// What dropping it says.
    pub(crate) fn or_when_dropped(mut self, outcome: Outcome) -> Self {
        self.when_dropped = outcome;
        self
    }

    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(to) = self.report.take() {
            let now = self.client.settings().clock.monotonic();
            let duration = now.saturating_sub(self.begin);
            self.client.report(Entry {
                to,
                outcome,
                duration,
            });
        }
    }
}

/// The approval; no token.
impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.approval_id.as_deref().map(crate::display::one_line);
        f.debug_struct("Permit")
            .field("approval_id", &id)
            .finish_non_exhaustive()
    }
}

/// Queues the report; never waits.
impl Drop for Permit {
    fn drop(&mut self) {
        let panicked = std::thread::panicking() && !self.unwinding_before;
        self.report(if panicked {
            Outcome::Panicked
        } else {
            self.when_dropped
        });
    }
}
