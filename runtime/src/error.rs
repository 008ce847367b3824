//! What a governed call can end in instead of its body: [`Error`] and the [`Refusal`] inside it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use serde_json::Value;

use crate::display::one_line;

/// Why a governed function did not run, or why it could not be asked.
///
/// Whatever the variant, the body has not begun. Each variant carries a [`Refusal`] with the
/// approval id, the reason and the evidence; the accessors below read it without a `match`.
///
/// The messages are one line each, carry no secret and no source: walk
/// [`source`](StdError::source) for that.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Policy said no, or the service refused outright (PROTOCOL 2: 403).
    Blocked(Box<Refusal>),
    /// A person said no.
    Rejected(Box<Refusal>),
    /// Nobody decided in time, the approval lapsed unclaimed, or it was withdrawn.
    Expired(Box<Refusal>),
    /// No answer in time. A submission may have arrived all the same:
    /// see [`may_have_been_submitted`](Error::may_have_been_submitted).
    Timeout(Box<Refusal>),
    /// The request, or the approval, was already used.
    Replay(Box<Refusal>),
    /// The delegated request's signature or nonce was not accepted.
    Signature(Box<Refusal>),
    /// The delegation does not cover this call, or is no longer valid.
    DelegationScope(Box<Refusal>),
    /// A setting is missing or unusable; nothing was sent.
    Configuration(Box<Refusal>),
    /// The action itself breaks a rule of the contract; nothing was sent.
    Validation(Box<Refusal>),
    /// The service asked to slow down, and went on doing so.
    RateLimit(Box<Refusal>),
    /// The credential is missing or was not accepted (PROTOCOL 2: 401).
    Authentication(Box<Refusal>),
    /// The service could not be reached, or its answer is not one that may be trusted.
    Api(Box<Refusal>),
    /// The service says that the action itself failed.
    Failed(Box<Refusal>),
}

/// The status of a wait that ended without a decision; ours, not the service's.
pub(crate) const UNDECIDED: &str = "undecided";

/// A governed function's `Result` carries an `Error` on its way back: it must stay small.
const _: () = assert!(size_of::<Error>() <= 24);

impl Error {
    /// Nothing was sent: a setting is missing or unusable. `message` names it and says the rule.
    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Configuration(Refusal::new(message).boxed())
    }

    /// Nothing was sent: the action breaks a rule. `message` names field and rule, never a value.
    pub(crate) fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Validation(Refusal::new(message).boxed())
    }

    /// The service, or the way to it, cannot be trusted to have said yes.
    pub(crate) fn api(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Api(Refusal::new(message).boxed())
    }

    /// Names the approval that the call waited for.
    pub(crate) fn about_approval(mut self, id: &str) -> Self {
        self.refusal_mut().approval_id = Some(id.into());
        self
    }

    /// An attempt before the last may have arrived.
    pub(crate) fn maybe_submitted(mut self) -> Self {
        self.refusal_mut().submitted = true;
        self
    }

    fn refusal_mut(&mut self) -> &mut Refusal {
        let (Self::Blocked(refusal)
        | Self::Rejected(refusal)
        | Self::Expired(refusal)
        | Self::Timeout(refusal)
        | Self::Replay(refusal)
        | Self::Signature(refusal)
        | Self::DelegationScope(refusal)
        | Self::Configuration(refusal)
        | Self::Validation(refusal)
        | Self::RateLimit(refusal)
        | Self::Authentication(refusal)
        | Self::Api(refusal)
        | Self::Failed(refusal)) = self;
        refusal
    }

    /// The refusal inside, whatever the variant.
    pub fn refusal(&self) -> &Refusal {
        let (Self::Blocked(refusal)
        | Self::Rejected(refusal)
        | Self::Expired(refusal)
        | Self::Timeout(refusal)
        | Self::Replay(refusal)
        | Self::Signature(refusal)
        | Self::DelegationScope(refusal)
        | Self::Configuration(refusal)
        | Self::Validation(refusal)
        | Self::RateLimit(refusal)
        | Self::Authentication(refusal)
        | Self::Api(refusal)
        | Self::Failed(refusal)) = self;
        refusal
    }

    /// The approval that this call waited for, if it came as far as one.
    pub fn approval_id(&self) -> Option<&str> {
        self.refusal().approval_id()
    }

    /// What the reviewer, the policy or the service gave as its reason; raw text, as it came.
    ///
    /// For a refused signature, nonce or delegation it is the word of PROTOCOL 15, such as
    /// `replayed_nonce`.
    pub fn reason(&self) -> Option<&str> {
        self.refusal().reason()
    }

    /// What the service, or the DLP, gave as its grounds; raw JSON, as it came.
    pub fn evidence(&self) -> Option<&Value> {
        self.refusal().evidence()
    }

    /// The HTTP status of the answer that ended the call, if an answer did.
    pub fn status_code(&self) -> Option<u16> {
        self.refusal().status_code()
    }

    /// Whether the same call may succeed later: the service was out of reach, overloaded or
    /// failing. A refusal is never retryable.
    pub fn is_retryable(&self) -> bool {
        self.refusal().retryable
    }

    /// Whether the service may hold this request although the call ended in an error: a timeout
    /// or a broken connection after the request was sent. The body has not begun, and will not.
    pub fn may_have_been_submitted(&self) -> bool {
        self.refusal().submitted
    }

    /// Whether the request, its nonce or its approval was used before.
    pub fn is_replay(&self) -> bool {
        matches!(self, Self::Replay(_))
    }

    /// Whether a valid delegation does not cover this call (`out_of_scope`).
    pub fn is_scope(&self) -> bool {
        self.refusal().status() == Some("out_of_scope")
    }

    /// Whether a link of the delegation was revoked (`revoked_token`).
    pub fn is_revoked(&self) -> bool {
        self.refusal().status() == Some("revoked_token")
    }

    /// Whether the wait for a decision ended before there was one: `poll_timeout`, or
    /// [`Action::wait_at_most`](crate::Action::wait_at_most). No claim was sent, so that an approval
    /// with a resume key can still be given and taken up.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Timeout(refusal) if refusal.status() == Some(UNDECIDED))
    }

    /// The variant as a word: what stands in front of every message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "blocked",
            Self::Rejected(_) => "rejected",
            Self::Expired(_) => "expired",
            Self::Timeout(_) => "timed out",
            Self::Replay(_) => "replay refused",
            Self::Signature(_) => "signature refused",
            Self::DelegationScope(_) => "delegation refused",
            Self::Configuration(_) => "configuration",
            Self::Validation(_) => "validation",
            Self::RateLimit(_) => "rate limited",
            Self::Authentication(_) => "authentication",
            Self::Api(_) => "service",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.refusal())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.refusal().source()
    }
}

/// So that a governed function may keep `std::io::Error` as its error type: the refusal is the
/// inner error, of kind `PermissionDenied` when somebody said no, `TimedOut` when nobody answered,
/// `InvalidInput` when nothing could be asked, else `Other`.
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;

        let kind = match error {
            Error::Blocked(_)
            | Error::Rejected(_)
            | Error::Expired(_)
            | Error::Replay(_)
            | Error::Signature(_)
            | Error::DelegationScope(_)
            | Error::Authentication(_) => ErrorKind::PermissionDenied,
            Error::Timeout(_) => ErrorKind::TimedOut,
            Error::Configuration(_) | Error::Validation(_) => ErrorKind::InvalidInput,
            Error::RateLimit(_) | Error::Api(_) | Error::Failed(_) => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// What is known about one refusal; read through the accessors of [`Error`].
pub struct Refusal {
    /// What happened and what to do next: ours, lower-case, no full stop.
    message: Cow<'static, str>,
    approval_id: Option<Box<str>>,
    reason: Option<Box<str>>,
    /// The word of `detail.status` (PROTOCOL 15).
    status: Option<Box<str>>,
    evidence: Option<Value>,
    status_code: Option<u16>,
    retryable: bool,
    submitted: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Refusal {
    /// `message`: lower-case, no full stop, says what to do next, holds no secret and no source.
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            approval_id: None,
            reason: None,
            status: None,
            evidence: None,
            status_code: None,
            retryable: false,
            submitted: false,
            source: None,
        }
    }

    pub(crate) fn approval(mut self, id: impl Into<Box<str>>) -> Self {
        self.approval_id = Some(id.into());
        self
    }

    pub(crate) fn because(mut self, reason: Option<impl Into<Box<str>>>) -> Self {
        self.reason = reason.map(Into::into);
        self
    }

    pub(crate) fn with_status(mut self, word: impl Into<Box<str>>) -> Self {
        self.status = Some(word.into());
        self
    }

    pub(crate) fn with_evidence(mut self, evidence: Value) -> Self {
        self.evidence = Some(evidence);
        self
    }

    pub(crate) fn code(mut self, status_code: u16) -> Self {
        self.status_code = Some(status_code);
        self
    }

    pub(crate) fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    pub(crate) fn maybe_submitted(mut self) -> Self {
        self.submitted = true;
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn boxed(self) -> Box<Self> {
        Box::new(self)
    }

    /// As [`Error::approval_id`].
    pub fn approval_id(&self) -> Option<&str> {
        self.approval_id.as_deref()
    }

    /// As [`Error::reason`].
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// As [`Error::evidence`].
    pub fn evidence(&self) -> Option<&Value> {
        self.evidence.as_ref()
    }

    /// As [`Error::status_code`].
    pub fn status_code(&self) -> Option<u16> {
        self.status_code
    }

    /// The word of `detail.status` in the service's answer (PROTOCOL 15), such as `out_of_scope`.
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    /// What happened and what to do next, without reason and ids.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// One safe line: `message: reason (approval id, HTTP status)`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", one_line(&self.message))?;
        if let Some(reason) = self
            .reason
            .as_deref()
            .filter(|text| !text.trim().is_empty())
        {
            write!(f, ": {}", one_line(reason))?;
        }
        match (&self.approval_id, self.status_code) {
            (Some(id), Some(code)) => write!(f, " (approval {}, HTTP {code})", one_line(id)),
            (Some(id), None) => write!(f, " (approval {})", one_line(id)),
            (None, Some(code)) => write!(f, " (HTTP {code})"),
            (None, None) => Ok(()),
        }
    }
}

/// Evidence is data of the service's and may quote what was submitted: it is said to be there,
/// not shown. Absent fields are left out, since this is what `fn main() -> Result<_, Error>` prints.
#[expect(
    clippy::missing_fields_in_debug,
    reason = "the source has a chain of its own, and may quote what was sent"
)]
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Refusal");
        shown.field("message", &one_line(&self.message));
        let texts = [
            ("approval_id", &self.approval_id),
            ("reason", &self.reason),
            ("status", &self.status),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                shown.field(name, &one_line(text));
            }
        }
        if let Some(code) = self.status_code {
            shown.field("status_code", &code);
        }
        if self.evidence.is_some() {
            shown.field("evidence", &format_args!("…"));
        }
        if self.retryable {
            shown.field("retryable", &true);
        }
        if self.submitted {
            shown.field("may_have_been_submitted", &true);
        }
        shown.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Refusal {
        Refusal::new("a reviewer said no")
            .approval("apr_1")
            .because(Some("too much\nfor me"))
            .with_status("rejected")
            .with_evidence(serde_json::json!({"quoted": "marker-7"}))
            .code(403)
            .caused_by("the inner marker-8")
    }

    #[test]
    fn a_message_is_one_line_without_source_or_evidence() {
        let error = Error::Rejected(full().boxed());
        assert_eq!(
            error.to_string(),
            r"rejected: a reviewer said no: too much\nfor me (approval apr_1, HTTP 403)"
        );
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("marker") && !text.contains('\n'), "{text}");
        }
        assert_eq!(error.source().unwrap().to_string(), "the inner marker-8");
    }

    #[test]
    fn every_fact_is_read_without_a_match() {
        let error = Error::Rejected(full().retryable().maybe_submitted().boxed());
        assert_eq!(error.approval_id(), Some("apr_1"));
        assert_eq!(error.reason(), Some("too much\nfor me"));
        assert_eq!(error.evidence().unwrap()["quoted"], "marker-7");
        assert_eq!(error.status_code(), Some(403));
        assert!(error.is_retryable() && error.may_have_been_submitted());
        assert!(!error.is_replay() && !error.is_scope() && !error.is_revoked());
    }

    #[test]
    fn revoked_is_a_word_of_the_service_and_never_a_guess_from_its_text() {
        let text_only = Refusal::new("x").because(Some("revoked by nobody"));
        assert!(!Error::Blocked(text_only.boxed()).is_revoked());
        let word = Refusal::new("x").with_status("revoked_token");
        assert!(Error::DelegationScope(word.boxed()).is_revoked());
        let scope = Refusal::new("x").with_status("out_of_scope");
        assert!(Error::DelegationScope(scope.boxed()).is_scope());
    }

    #[test]
    fn an_io_error_keeps_the_refusal_inside() {
        let io = std::io::Error::from(Error::Rejected(full().boxed()));
        assert_eq!(io.kind(), std::io::ErrorKind::PermissionDenied);
        let inner = io.get_ref().unwrap().downcast_ref::<Error>().unwrap();
        assert_eq!(inner.approval_id(), Some("apr_1"));
    }

    #[test]
    fn an_error_travels_between_threads() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Error>();
    }
}
