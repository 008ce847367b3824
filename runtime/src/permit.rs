//! A [`Permit`]: the body may run, and its outcome is reported through it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sernixa_protocol::dlp::{Protector, Text};

use crate::client::Client;
use crate::continuation::Continuation;
use crate::display::one_line;
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
    /// In an earlier call, which ended as `continued`.
    has_begun: bool,
    /// Nobody waits for the report, also where it is taken in this process.
    later: bool,
    /// Another panic may be unwinding already: that one is not the body's.
    unwinding_before: bool,
}

impl Permit {
    pub(crate) fn new(client: Client, grant: Grant) -> Self {
        let approval_id = grant.approval_id.map(|id| id.as_str().into());
        Self::with(client, approval_id, grant.report)
    }

    /// Of a start that goes on.
    pub(crate) fn of_continued(client: Client, to: ReportTo) -> Self {
        let approval_id = Some(to.approval_id.as_str().into());
        let mut permit = Self::with(client, approval_id, Some(to));
        permit.has_begun = true;
        permit
    }

    fn with(client: Client, approval_id: Option<Box<str>>, report: Option<ReportTo>) -> Self {
        let begin = match &report {
            Some(_) => client.settings().clock.monotonic(),
            None => Duration::ZERO,
        };
        Self {
            client,
            approval_id,
            report,
            begin,
            when_dropped: Outcome::Unknown,
            has_begun: false,
            later: false,
            unwinding_before: std::thread::panicking(),
        }
    }

    /// The approval that lets the body run, if the service named one.
    pub fn approval_id(&self) -> Option<&str> {
        self.approval_id.as_deref()
    }

    /// The same, but whoever says how the action ended does not wait until that is on disk, where an
    /// engine in this process keeps it in a file: it is written within 100 ms, with the next decision
    /// if that comes first, and by [`Client::close`] at the latest. [`continued`](Self::continued) is
    /// written at once all the same.
    pub fn reported_later(mut self) -> Self {
        self.later = true;
        self
    }

    /// The action was done.
    pub fn succeeded(self) {
        self.finish(Outcome::Succeeded);
    }

    /// The action failed.
    pub fn failed(self) {
        self.finish(Outcome::Failed(None));
    }

    /// The action has begun, and goes on in another call: an MCP server that answers
    /// `input_required` ends this one so (DESIGN 7).
    ///
    /// What that other call is reported through, for [`Client::continue_permit`]; `None` where nobody
    /// takes reports. Without it nothing more is heard of the action.
    pub fn continued(mut self) -> Option<Continuation> {
        let continuation = self.report.as_ref().map(Continuation::new);
        // Another process may go on with it, and report that.
        self.later = false;
        self.finish(Outcome::Continued);
        continuation
    }

    /// The action did not begin after all, and will not: whoever was to do it is gone. Of one that
    /// had begun in an earlier call nobody knows then how it ended.
    pub fn not_started(self) {
        let outcome = if self.has_begun {
            Outcome::Unknown
        } else {
            Outcome::NotStarted
        };
        self.finish(outcome);
    }

    /// What dropping it says.
    pub(crate) fn or_when_dropped(mut self, outcome: Outcome) -> Self {
        self.when_dropped = outcome;
        self
    }

    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.report(outcome, None);
    }

    /// The body ended in an error, of which this text goes along: after DLP, as one line.
    pub(crate) fn finish_with_text(mut self, outcome: Outcome, error: &dyn fmt::Display) {
        let text = self
            .report
            .is_some()
            .then(|| self.outgoing(error))
            .flatten();
        self.report(outcome, text);
    }

    /// What may leave of an error's text. `None` where DLP blocks, or where it has none: a report
    /// never fails the call.
    fn outgoing(&self, error: &dyn fmt::Display) -> Option<Box<str>> {
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string())).ok()?;
        let settings = self.client.settings();
        let mut protector = Protector::new(settings.dlp_mode, &settings.detectors);
        let text = protector.text("error", &text, Text::Reviewer);
        (!protector.blocked()).then(|| one_line(&text).to_string().into())
    }

    fn report(&mut self, outcome: Outcome, error_text: Option<Box<str>>) {
        if let Some(to) = self.report.take() {
            let now = self.client.settings().clock.monotonic();
            let duration = now.saturating_sub(self.begin);
            let entry = Entry {
                to,
                outcome,
                duration,
                error_text,
            };
            if self.later {
                self.client.report_later(entry);
            } else {
                self.client.report(entry);
            }
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
        let outcome = if panicked {
            Outcome::Panicked
        } else {
            self.when_dropped
        };
        self.report(outcome, None);
    }
}
