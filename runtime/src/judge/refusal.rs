//! 401 and 403: whose fault it is, by the words of PROTOCOL 2 and 15.

use sernixa_protocol::json::{Document, JsonErrorKind, Node};

use super::Terms;
use super::read::{api, echoes, evidence, text};
use crate::error::{Error, Refusal};
use crate::transport::{Answer, ApprovalId};

/// A 401 or 403, or a 409 to a claim: what the service says about itself in `detail`.
pub(super) struct Said {
    /// `detail.status`; a `status` beside `detail` does not count (DESIGN 6).
    word: Option<Box<str>>,
    reason: Option<Box<str>>,
    evidence: Option<serde_json::Value>,
}

impl Said {
    pub(super) fn word(&self) -> Option<&str> {
        self.word.as_deref()
    }

    /// Puts what was said into an error.
    pub(super) fn refusal(
        self,
        message: &'static str,
        answer: &Answer,
        approval: Option<&ApprovalId>,
    ) -> Refusal {
        let mut refusal = Refusal::new(message)
            .because(self.reason)
            .code(answer.status);
        if let Some(word) = self.word {
            refusal = refusal.with_status(word);
        }
        if let Some(evidence) = self.evidence {
            refusal = refusal.with_evidence(evidence);
        }
        if let Some(id) = approval {
            refusal = refusal.approval(id.as_str());
        }
        refusal
    }
}

/// Reads the `detail` of an error body (PROTOCOL 1). What is not JSON says nothing.
///
/// # Errors
/// `Api` for a member twice, and for another call's `request_id` where that is checked: in answers
/// that a submission can have, too.
pub(super) fn said(terms: Option<&Terms<'_>>, answer: &Answer) -> Result<Said, Error> {
    const NOTHING: Said = Said {
        word: None,
        reason: None,
        evidence: None,
    };
    if !answer.json {
        return Ok(NOTHING);
    }
    let Ok(body) = str::from_utf8(&answer.body) else {
        return Ok(NOTHING);
    };
    let document = match Document::parse(body) {
        Ok(document) => document,
        Err(error) if error.kind() == JsonErrorKind::DuplicateMember => {
            return Err(api(answer, "an answer that is not strict JSON"));
        }
        Err(_) => return Ok(NOTHING),
    };
    let root = document.root();
    if let Some(terms) = terms {
        echoes(answer, root, "request_id", terms.request_id)?;
    }
    Ok(detail(root))
}

fn detail(root: Node<'_>) -> Said {
    let own = |text: std::borrow::Cow<'_, str>| text.into_owned().into_boxed_str();
    match root.get("detail") {
        // The whole of `evidence`, as it came; without one, what stands in its place.
        Some(detail) if detail.is_object() => Said {
            word: text(detail, "status").map(own),
            reason: text(detail, "reason").map(own),
            evidence: Some(evidence(detail.get("evidence").unwrap_or(detail))),
        },
        // A text for people, or nothing of use: the rest of the body is the evidence.
        other => Said {
            word: None,
            reason: other
                .and_then(|detail| detail.as_str())
                .or_else(|| text(root, "reason"))
                .or_else(|| text(root, "error"))
                .map(own),
            evidence: root.is_object().then(|| evidence(root)),
        },
    }
}

/// A 401 or 403 as an error.
pub(super) fn unauthorised(
    terms: &Terms<'_>,
    answer: &Answer,
    approval: Option<&ApprovalId>,
) -> Error {
    let said = match said(Some(terms), answer) {
        Ok(said) => said,
        Err(error) => {
            return match approval {
                Some(id) => error.about_approval(id.as_str()),
                None => error,
            };
        }
    };
    match (said.word(), answer.status) {
        // The request was not signed as the service's key says.
        (Some("invalid_signature" | "invalid_nonce"), _) => {
            let message = "the service did not accept the signature of the request";
            Error::Signature(said.refusal(message, answer, approval).boxed())
        }
        // The nonce was used before, or the request is too old (or this clock is wrong).
        (Some("replayed_nonce" | "stale_timestamp"), _) => {
            let message = "the service took the request for a replay";
            Error::Replay(said.refusal(message, answer, approval).boxed())
        }
        // The delegation does not carry this call.
        (
            Some(
                "out_of_scope"
                | "mismatched_delegatee"
                | "unknown_agent"
                | "expired_token"
                | "revoked_token"
                | "invalid_chain",
            ),
            _,
        ) => {
            let message = "the delegation does not cover this call";
            Error::DelegationScope(said.refusal(message, answer, approval).boxed())
        }
        // Nobody knows who is asking.
        (_, 401) => {
            let message = "the service did not accept the credential; \
                           set SERNIXA_ACCESS_TOKEN or SERNIXA_API_KEY";
            Error::Authentication(said.refusal(message, answer, approval).boxed())
        }
        // A plain no.
        _ => Error::Blocked(
            said.refusal("the service refused the call", answer, approval)
                .boxed(),
        ),
    }
}
