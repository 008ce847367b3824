//! A submission that was answered: [`Submitted`], and the [`Pending`] one that waits for its decision.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tracing::Span;

use crate::client::Client;
use crate::display::one_line;
use crate::door::Waiting;
use crate::error::Error;
use crate::grant::{Awaited, Grant};
use crate::permit::Permit;
use crate::transport::ApprovalId;

/// What came of a submission that was not refused. See [`Client::submit`].
#[derive(Debug)]
#[must_use = "a submission that is dropped is taken back, or its outcome is unknown"]
pub enum Submitted {
    /// The body may run.
    Allowed(Permit),
    /// Somebody has to decide first.
    Pending(Pending),
}

/// A call that waits for its decision: await [`decided`](Self::decided).
///
/// The client waits, and claims, from the start and for as long as `poll_timeout`. Dropped, or the
/// future of `decided` dropped, the request is withdrawn; where it [can be
/// resumed](Self::can_resume) it stays until it expires, and the same action asked again takes it up.
/// One that was claimed by then is reported as not started.
#[must_use = "a pending request that is dropped is taken back"]
pub struct Pending {
    waiting: Waiting<Grant>,
    span: Span,
    approval_id: ApprovalId,
    expires_at: Option<u64>,
    can_resume: bool,
}

impl Pending {
    pub(crate) fn new(client: Client, span: Span, awaited: Awaited) -> Self {
        Self {
            waiting: Waiting::new(client, awaited.decision),
            span,
            approval_id: awaited.approval_id,
            expires_at: awaited.expires_at,
            can_resume: awaited.can_resume,
        }
    }

    /// The approval that is waited for.
    pub fn approval_id(&self) -> &str {
        self.approval_id.as_str()
    }

    /// When it expires undecided, by the service's clock, if the service said so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.expires_at?))
    }

    /// Whether the same action asked again takes this approval up: a resume key was sent, and the
    /// service offers `resume`.
    pub fn can_resume(&self) -> bool {
        self.can_resume
    }

    /// Waits for the decision. The caller may stop earlier than `poll_timeout` by dropping the
    /// future.
    ///
    /// # Errors
    /// Whatever keeps the body from running.
    pub fn decided(self) -> impl Future<Output = Result<Permit, Error>> + Send + use<> {
        Decided(self)
    }
}

/// By hand, since an `async` block keeps what it captures twice, and thousands may wait.
struct Decided(Pending);

impl Future for Decided {
    type Output = Result<Permit, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Pending { waiting, span, .. } = &mut self.0;
        // Entered only while it polls.
        let _entered = span.enter();
        waiting
            .poll(context)
            .map(|granted| waiting.client().end(span, granted))
    }
}

/// The approval; no token.
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("approval_id", &one_line(self.approval_id()))
            .field("expires_at", &self.expires_at())
            .field("can_resume", &self.can_resume)
            .finish_non_exhaustive()
    }
}
