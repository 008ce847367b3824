//! Answers to `POST /api/approvals/{id}/claim` (DESIGN 7): only one of them starts the body.

use super::read::{api, document, echoes};
use super::record::about;
use super::refusal::{said, unauthorised};
use super::{Terms, Ticket};
use crate::error::{Error, Refusal};
use crate::transport::Answer;

/// Judges the answer to a claim, after the retries.
///
/// # Errors
/// Whatever keeps the body from running; each error names the approval.
pub(crate) fn claim(
    terms: &Terms<'_>,
    ticket: &Ticket,
    claim_id: &str,
    answer: &Answer,
) -> Result<(), Error> {
    let id = &ticket.approval_id;
    let refusal = |message: &'static str| {
        Refusal::new(message)
            .code(answer.status)
            .approval(id.as_str())
    };
    match answer.status {
        200 => {}
        401 | 403 => return Err(unauthorised(terms, answer, Some(id))),
        409 => return Err(conflict(ticket, answer)),
        404 => {
            let message = "the service does not know the approval any more";
            return Err(Error::Api(refusal(message).boxed()));
        }
        429 => {
            let message = "the service asked to slow down; try again later";
            return Err(Error::RateLimit(
                refusal(message).retryable().maybe_submitted().boxed(),
            ));
        }
        500..=599 => {
            let refusal = refusal("the service failed during the claim");
            return Err(Error::Api(refusal.retryable().maybe_submitted().boxed()));
        }
        _ => return Err(about(api(answer, "a status that answers no claim"), ticket)),
    }
    let document = document(answer).map_err(|error| about(error, ticket))?;
    let body = document.root();
    let ours = |name: &'static str, value: &str| {
        echoes(answer, body, name, value).map_err(|error| about(error, ticket))
    };
    // All four: `claimed` means exactly that, of this approval, by this call, for this body.
    let claimed = body
        .get("status")
        .is_some_and(|status| status.is("claimed"))
        && ours("approval_id", id.as_str())?
        && ours("claim_id", claim_id)?
        && ours("body_hash", terms.body_hash)?;
    if claimed {
        Ok(())
    } else {
        Err(about(
            api(answer, "an answer that is no claim of ours"),
            ticket,
        ))
    }
}

/// Whether a claim was refused because nobody has decided yet: what one that follows an event
/// meets when the event was wrong. The wait goes on then.
pub(crate) fn is_not_yet(answer: &Answer) -> bool {
    answer.status == 409
        && said(None, answer).is_ok_and(|said| said.word() == Some("pending_review"))
}

/// A 409, by the word of its `detail.status`.
fn conflict(ticket: &Ticket, answer: &Answer) -> Error {
    // What is no strict JSON object says nothing that we may act on.
    if let Err(error) = document(answer) {
        return about(error, ticket);
    }
    let said = match said(None, answer) {
        Ok(said) => said,
        Err(error) => return about(error, ticket),
    };
    let word = said.word().map(ToOwned::to_owned);
    let end = |message| {
        said.refusal(message, answer, Some(&ticket.approval_id))
            .boxed()
    };
    match word.as_deref() {
        // Somebody else holds the right to start it.
        Some("superseded" | "already_claimed") => {
            Error::Replay(end("the approval was taken by another start"))
        }
        // That, or the key that claim tokens are made with was replaced since.
        Some("invalid_claim_token") => {
            Error::Replay(end("the right to start it was not accepted; ask again"))
        }
        Some("expired") => Error::Expired(end("the approval lapsed before it was claimed")),
        Some("revoked_token" | "expired_token") => {
            Error::DelegationScope(end("the delegation ended before the claim"))
        }
        Some("policy_changed") => {
            Error::Blocked(end("the policy changed, and does not permit this any more"))
        }
        Some("blocked") => Error::Blocked(end("the approval was blocked")),
        Some("rejected") => Error::Rejected(end("a reviewer said no")),
        // `body_mismatch`, and every word that we do not know.
        _ => Error::Api(end("the service did not accept the claim")),
    }
}
