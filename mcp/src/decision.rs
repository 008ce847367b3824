//! What an MCP client is told of a call that was not let through: the same words in front of any
//! server.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sernixa::Error;
use sernixa_protocol::display::one_line;

/// The member of a result's `_meta` that says what became of a call.
pub(crate) const KEY: &str = "sernixa/decision";

/// The longest evidence that goes along, in bytes of JSON.
pub(crate) const EVIDENCE_MAX: usize = 4 << 10;

/// What became of a call, for programs: `_meta["sernixa/decision"]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision<'a> {
    pub(crate) status: &'static str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) approval_id: Option<&'a str>,
    pub(crate) evidence: Option<&'a Value>,
}

impl Decision<'_> {
    pub(crate) fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("status".to_owned(), self.status.into());
        let texts = [("reason", self.reason), ("approval_id", self.approval_id)];
        for (name, text) in texts {
            if let Some(text) = text {
                out.insert(name.to_owned(), one_line(text).to_string().into());
            }
        }
        let short = |evidence: &&Value| evidence.to_string().len() <= EVIDENCE_MAX;
        if let Some(evidence) = self.evidence.filter(short) {
            out.insert("evidence".to_owned(), evidence.clone());
        }
        Value::Object(out)
    }
}

/// Nobody decided in time, and nobody can any more.
pub(crate) const EXPIRED: &str = "expired";

/// Whoever decides is out of reach, or answers what cannot be trusted.
pub(crate) const UNAVAILABLE: &str = "unavailable";

/// What is said of a call that expired.
const UNDECIDED: (&str, &str, &str) = (
    EXPIRED,
    "nobody approved this call in time",
    "Calling again asks anew.",
);

/// What an error is called, what a model is told of it, and what it can do.
pub(crate) fn of_error(error: &Error) -> (String, Decision<'_>) {
    let (status, what, next) = match error {
        _ if error.is_undecided() => UNDECIDED,
        Error::Expired(_) => UNDECIDED,
        // Of no fault of the call's: the one who decides could not.
        Error::Blocked(_) if error.reason() == Some("engine_error") => (
            UNAVAILABLE,
            "whoever decides met an error",
            "Call again later, or tell the operator.",
        ),
        Error::Blocked(_) => (
            "blocked",
            "a policy forbids this call",
            "Do not repeat it as it is.",
        ),
        Error::Rejected(_) => (
            "rejected",
            "a person refused this call",
            "Do not repeat it as it is; ask the user what to do instead.",
        ),
        Error::Timeout(_) => (
            "timeout",
            "the approval service did not answer in time",
            "Call again later.",
        ),
        // No approval was used: the service took no request that is signed so.
        Error::Replay(refusal)
            if matches!(refusal.status(), Some("replayed_nonce" | "stale_timestamp")) =>
        {
            (
                "signature_refused",
                "the approval service took the signed request for a repeated or an old one",
                "Call again later, or tell the operator: the clock may be wrong.",
            )
        }
        Error::Replay(_) => (
            "replayed",
            "its approval was used by another, identical call",
            "If it is meant to happen once more, call again: that asks anew.",
        ),
        Error::Signature(_) => (
            "signature_refused",
            "the approval service did not accept the signature of the request",
            "Tell the operator.",
        ),
        Error::DelegationScope(_) => (
            "delegation_refused",
            "the delegation does not cover this call",
            "Do not repeat it as it is.",
        ),
        Error::Configuration(_) => (
            "configuration",
            "what governs this tool is not set up to ask for approval",
            "Tell the operator.",
        ),
        Error::Validation(_) => (
            "invalid",
            "this call cannot be submitted for approval",
            "Change it before calling again.",
        ),
        Error::RateLimit(_) => (
            "rate_limited",
            "the approval service is asked too often",
            "Call again later.",
        ),
        Error::Authentication(_) => (
            "authentication",
            "the approval service did not accept the credential",
            "Tell the operator.",
        ),
        Error::Failed(_) => (
            "failed",
            "the approval service could not decide",
            "Call again later.",
        ),
        // What else may come: the service out of reach, or an answer that cannot be trusted.
        _ => (
            UNAVAILABLE,
            "the approval service cannot be reached, or does not answer as it should",
            "Call again later, or tell the operator.",
        ),
    };
    let detail = error.reason().unwrap_or_else(|| error.refusal().message());
    let mut text = format!("Not run: {what}: {}.", one_line(detail));
    if let Some(id) = error.approval_id() {
        let _ = write!(text, " (Approval {}.)", one_line(id));
    }
    text.push(' ');
    text.push_str(next);
    let decision = Decision {
        status,
        reason: Some(detail),
        approval_id: error.approval_id(),
        evidence: error.evidence(),
    };
    (text, decision)
}
