//! The way to whoever decides: what is sent, what comes back, and the trait that HTTP, the
//! embedded engine and the test double share.
//!
//! All of them answer with the same status codes and JSON texts, so one judge reads them all.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::events::{Hearing, Unheard};

/// The id of an approval, usable as one path segment (DESIGN 6: 1 to 200 characters, neither `.`
/// nor `..`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ApprovalId(Arc<str>);

impl ApprovalId {
    /// The most characters of a usable id.
    const LONGEST: usize = 200;

    /// `None` if the text is not usable as an id.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let characters = text.chars().take(Self::LONGEST + 1).count();
        let usable = (1..=Self::LONGEST).contains(&characters) && text != "." && text != "..";
        usable.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::display::one_line(&self.0).fmt(f)
    }
}

/// What a request asks for. The method follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `POST /api/actions/execute` (PROTOCOL 2).
    Submit,
    /// `POST /api/mcp/tools/call` (PROTOCOL 7): a submission of which the service makes the body.
    CallTool,
    /// `GET /api/approvals/{id}` (PROTOCOL 3.1).
    Record(ApprovalId),
    /// `GET /api/approvals/{id}?waiting=true`: the record, and a sign that somebody waits.
    Await(ApprovalId),
    /// `POST /api/approvals/{id}/claim` (DESIGN 7).
    Claim(ApprovalId),
    /// `POST /api/approvals/{id}/withdraw` (DESIGN 7).
    Withdraw(ApprovalId),
    /// `POST /api/mcp/tools/visible`.
    VisibleTools,
    /// `POST /api/approvals/outcomes` (DESIGN 7).
    Outcomes,
    /// `POST /api/delegations` (PROTOCOL 5).
    Delegations,
    /// `GET /ready` (PROTOCOL 6).
    Ready,
}

/// One request. Cheap to clone: a retry sends the same bytes.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) endpoint: Endpoint,
    /// JSON text, UTF-8; `None` for a `GET`.
    pub(crate) body: Option<Bytes>,
    /// Sent again where that may help; else what the first attempt says is the answer.
    pub(crate) retried: bool,
}

impl Request {
    pub(crate) fn get(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            body: None,
            retried: true,
        }
    }

    pub(crate) fn post(endpoint: Endpoint, body: Bytes) -> Self {
        Self {
            endpoint,
            body: Some(body),
            retried: true,
        }
    }

    /// One attempt, whatever comes of it.
    pub(crate) fn once(self) -> Self {
        Self {
            retried: false,
            ..self
        }
    }

    /// The body as text; empty for a `GET`, and for bytes that are not UTF-8 (we send none).
    #[cfg_attr(
        not(any(feature = "embedded", feature = "testing")),
        expect(
            dead_code,
            reason = "only transports inside the process read what is sent"
        )
    )]
    pub(crate) fn text(&self) -> &str {
        let bytes = self.body.as_deref().unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Never the body: it may hold captured arguments and claim tokens.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.body.as_ref().map(Bytes::len))
            .field("retried", &self.retried)
            .finish()
    }
}

/// An answer as it came, not yet believed.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The HTTP status code.
    pub(crate) status: u16,
    /// Whether `Content-Type` is `application/json`: parameters ignored, any case; `+json` is not
    /// it (DESIGN 6).
    pub(crate) json: bool,
    /// `Retry-After`, not yet capped.
    pub(crate) retry_after: Option<Duration>,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// A JSON answer of a transport inside the process.
    #[cfg_attr(
        not(any(feature = "embedded", feature = "testing", test)),
        expect(dead_code, reason = "only transports inside the process make answers")
    )]
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            json: true,
            retry_after: None,
            body: body.into(),
        }
    }
}

/// Never the body: a 202 carries a claim token.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("json", &self.json)
            .field("retry_after", &self.retry_after)
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// What stands behind a fault, kept for the error's source chain.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// No answer came, or none that could be read to its end.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No connection was made: the request cannot have arrived.
    Unreachable(Cause),
    /// Nobody answered within the request's timeout. The request may have arrived.
    Timeout,
    /// The connection broke before the answer's end. The request may have arrived.
    Interrupted(Cause),
    /// The answer is longer than we read. Not worth a retry.
    TooLarge,
}

/// What happened to an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// It was decided, or it ended: its record says how.
    Changed,
    /// It was approved: it can be claimed, and the claim decides. Where nothing is claimed, as
    /// [`Changed`](Self::Changed).
    Approved,
    /// A call took it up, which was audited under this number: the tokens given before that claim
    /// nothing any more (DESIGN 7).
    Superseded(u64),
}

/// What a push calls with the approval and what happened to it.
pub(crate) type Wake = Arc<dyn Fn(&ApprovalId, Push) + Send + Sync>;

/// A subscription; dropping it ends it.
pub(crate) type Subscription = Box<dyn Any + Send>;

/// The future of one request. It runs on the driver's thread, so it need not be `Send`.
pub(crate) type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + 'a>>;

/// The future of a stream's opening.
pub(crate) type Listening<'a> = Pin<Box<dyn Future<Output = Result<Hearing, Unheard>> + 'a>>;

/// A way to whoever decides.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Answers on the caller's own thread, if this transport can: no hop, no driver.
    /// `None`: use [`send`](Self::send).
    fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>>;

    /// The answers to a submission and to a report of outcomes, which is made before it: as
    /// [`answer_now`](Self::answer_now) gives them, with one access to the disk for both where one is
    /// needed.
    fn answer_with_outcomes(
        &self,
        request: &Request,
        outcomes: &Request,
    ) -> Option<(Result<Answer, Fault>, Answer)> {
        let reported = self.answer_now(outcomes)?.ok()?;
        Some((self.answer_now(request)?, reported))
    }

    /// Sends, and waits on the driver, to the transport's own timeout.
    fn send(&self, request: Request) -> Sending<'_>;

    /// Calls `wake` after an approval changed, from any thread. `None`: the waiter polls.
    fn subscribe(&self, wake: Wake) -> Option<Subscription>;

    /// Whether any call waits on the driver: told when the first one begins to, before it looks at
    /// its record, and when the last one has ended.
    fn awaited(&self, awaited: bool) {
        let _ = awaited;
    }

    /// Opens a stream of changes, which goes on after the event `after` if that is given. `None`:
    /// this transport has none.
    fn listen(&self, after: Option<&str>) -> Option<Listening<'_>> {
        let _ = after;
        None
    }

    /// Whether a fault or a 5xx may be gone at the next attempt; never so inside the process.
    fn retries(&self) -> bool;
}
