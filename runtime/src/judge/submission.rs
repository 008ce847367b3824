//! Answers to `POST /api/actions/execute` (DESIGN 6, first table).

use sernixa_protocol::json::Node;

use super::read::{api, document, echoes, evidence, odd, offers, text};
use super::refusal::unauthorised;
use super::{Allowed, Judged, Offers, Terms, Ticket};
use crate::error::{Error, Refusal};
use crate::transport::{Answer, ApprovalId};

/// Judges the answer to a submission, after the retries.
///
/// # Errors
/// Whatever keeps the body from running; `Api` for everything that is not listed.
pub(crate) fn submission(terms: &Terms<'_>, answer: &Answer) -> Result<Judged, Error> {
    match answer.status {
        200 | 202 => {}
        // Refused by whom or what it is.
        401 | 403 => return Err(unauthorised(terms, answer, None)),
        // Still too many requests after the retries.
        429 => {
            let message = "the service asked to slow down; try again later";
            return Err(Error::RateLimit(
                Refusal::new(message).code(429).retryable().boxed(),
            ));
        }
        // Still failing after the retries; it may have stored the request before it failed.
        500..=599 => {
            let refusal = Refusal::new("the service failed; try again later");
            let refusal = refusal.code(answer.status).retryable().maybe_submitted();
            return Err(Error::Api(refusal.boxed()));
        }
        // Redirects, other successes, other refusals.
        _ => return Err(api(answer, "a status that answers no submission")),
    }
    let document = document(answer)?;
    let body = document.root();
    echoes(answer, body, "request_id", terms.request_id)?;
    if answer.status == 202 {
        // Whatever its status word says (PROTOCOL 2).
        return pending(terms, answer, body).map(Judged::Wait);
    }
    match text(body, "status").as_deref() {
        Some("pending" | "pending_review") => pending(terms, answer, body).map(Judged::Wait),
        Some("accepted" | "approved" | "auto_approved") => {
            let offers = claims_kept(terms, answer, body)?;
            allowed(terms, answer, body, offers).map(Judged::Run)
        }
        // The reference's word for an allow; where calls are claimed it means: started before.
        Some("executed") => {
            if offers(answer, body)?.claim {
                let message = "the service says that this call was started already";
                return Err(Error::Replay(said(message, answer, body).boxed()));
            }
            let offers = claims_kept(terms, answer, body)?;
            allowed(terms, answer, body, offers).map(Judged::Run)
        }
        Some("blocked") => Err(Error::Blocked(said("policy said no", answer, body).boxed())),
        Some("rejected") => Err(Error::Rejected(
            said("a reviewer said no", answer, body).boxed(),
        )),
        Some("expired") => Err(Error::Expired(
            said("the approval has expired", answer, body).boxed(),
        )),
        Some("failed") => Err(Error::Failed(
            said("the service says that the action failed", answer, body).boxed(),
        )),
        // Unknown, missing, or no string.
        _ => Err(api(answer, "a status word that we do not know")),
    }
}

/// An allow opens when nothing in it contradicts, and a person need not decide.
fn allowed(
    terms: &Terms<'_>,
    answer: &Answer,
    body: Node<'_>,
    offers: Offers,
) -> Result<Allowed, Error> {
    // An allow for another body is no allow for this one.
    echoes(answer, body, "body_hash", terms.body_hash)?;
    let agrees = body.get("decision").is_none_or(|decision| {
        decision.is_null()
            || decision.is("accepted")
            || decision.is("approved")
            || decision.is("auto_approved")
    });
    if !agrees {
        return Err(api(answer, "an allow whose decision contradicts it"));
    }
    // Whoever dispatches the call runs it, and it is to run once (PROTOCOL 7).
    let ours = body
        .get("dispatch_mode")
        .is_none_or(|mode| mode.is_null() || mode.is("caller_owned_after_allowed"));
    if !ours {
        return Err(api(answer, "an allow of a call that it dispatches itself"));
    }
    if !terms.opens_without_person() {
        let refusal = odd(answer, "an immediate allow at a risk that a person decides");
        return Err(Error::Api(refusal.boxed()));
    }
    // Nothing hangs on it but reports, so one that is not usable counts as none.
    let approval_id = text(body, "approval_id").and_then(|id| ApprovalId::new(&id));
    Ok(Allowed {
        approval_id,
        offers,
    })
}

/// What a waiting call needs: a usable id and, where calls are claimed, the token.
fn pending(terms: &Terms<'_>, answer: &Answer, body: Node<'_>) -> Result<Ticket, Error> {
    let offers = claims_kept(terms, answer, body)?;
    let Some(approval_id) = text(body, "approval_id").and_then(|id| ApprovalId::new(&id)) else {
        return Err(api(answer, "a pending answer without a usable approval_id"));
    };
    let claim_token = text(body, "claim_token").map(|token| token.into_owned().into());
    if offers.claim && claim_token.is_none() {
        return Err(api(answer, "an offer of claims without a claim_token"));
    }
    let bound = echoes(answer, body, "body_hash", terms.body_hash)?;
    if offers.claim && terms.body_hash.is_empty() {
        return Err(api(answer, "an offer of claims without a body_hash"));
    }
    let attached = body
        .get("receipt")
        .and_then(|receipt| receipt.get("seq")?.as_u64());
    let expires_at = text(body, "expires_at").and_then(|time| super::record::unix_millis(&time));
    Ok(Ticket {
        approval_id,
        claim_token,
        bound,
        attached,
        expires_at,
        offers,
    })
}

/// What the service says that it hashed, of a call whose body it makes itself: 64 hex digits.
pub(crate) fn body_hash(answer: &Answer) -> Option<Box<str>> {
    let document = document(answer).ok()?;
    let hash = text(document.root(), "body_hash")?;
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (hash.len() == 64 && hash.bytes().all(hex)).then(|| hash.into_owned().into())
}

/// What is offered; a client that has seen or demands claims goes on only with them.
fn claims_kept(terms: &Terms<'_>, answer: &Answer, body: Node<'_>) -> Result<Offers, Error> {
    let offers = offers(answer, body)?;
    if !offers.claim && terms.rules.claims_before {
        return Err(api(
            answer,
            "an answer without `claim`, which it offered before",
        ));
    }
    if !offers.claim && terms.rules.require_claim {
        return Err(api(
            answer,
            "an answer without `claim`, which this client requires",
        ));
    }
    Ok(offers)
}

/// Whether an answer to this call offers claims, even one that is refused for something else: a
/// later answer without them is a downgrade all the same.
pub(crate) fn offers_claims(terms: &Terms<'_>, answer: &Answer) -> bool {
    let Ok(document) = document(answer) else {
        return false;
    };
    let body = document.root();
    matches!(answer.status, 200 | 202)
        && echoes(answer, body, "request_id", terms.request_id).is_ok()
        && offers(answer, body).is_ok_and(|offers| offers.claim)
}

/// A refusal in a 200: reason, id and the whole body as evidence (PROTOCOL 2, 0.6.9).
fn said(message: &'static str, answer: &Answer, body: Node<'_>) -> Refusal {
    let reason = text(body, "reason").or_else(|| text(body, "decision_reason"));
    let mut refusal = Refusal::new(message)
        .because(reason.map(std::borrow::Cow::into_owned))
        .with_evidence(evidence(body))
        .code(answer.status);
    if let Some(word) = text(body, "status") {
        refusal = refusal.with_status(word.into_owned());
    }
    if let Some(id) = text(body, "approval_id").and_then(|id| ApprovalId::new(&id)) {
        refusal = refusal.approval(id.as_str());
    }
    refusal
}
