//! Answers to `GET /api/approvals/{id}` while a call waits (DESIGN 6, waiting).

use std::borrow::Cow;
use std::time::Duration;

use super::read::{api, document, echoes, text};
use super::refusal::unauthorised;
use super::{Terms, Ticket};
use crate::error::{Error, Refusal};
use crate::transport::Answer;

/// What a look at the record shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Approved: claim where claims are offered, else run.
    Open,
    /// Not decided yet.
    Pending,
    /// The service is busy or failing: look again, later than usual.
    Trouble(Option<Duration>),
}

/// Judges a look at the record of the approval that `ticket` names.
///
/// # Errors
/// Whatever ends the wait without the body; each error names the approval.
pub(crate) fn record(terms: &Terms<'_>, ticket: &Ticket, answer: &Answer) -> Result<Looked, Error> {
    let id = &ticket.approval_id;
    match answer.status {
        200 => {}
        // Neither ends a wait.
        429 | 500..=599 => return Ok(Looked::Trouble(answer.retry_after)),
        // We may not look any more.
        401 | 403 => return Err(unauthorised(terms, answer, Some(id))),
        // It is not there any more.
        404 | 410 => {
            let message = "the service does not know the approval any more";
            let refusal = Refusal::new(message)
                .code(answer.status)
                .approval(id.as_str());
            return Err(Error::Api(refusal.boxed()));
        }
        // Redirects, other successes, other refusals.
        _ => {
            return Err(about(
                api(answer, "a status that answers no look at an approval"),
                ticket,
            ));
        }
    }
    let document = document(answer).map_err(|error| about(error, ticket))?;
    let body = document.root();
    let named =
        echoes(answer, body, "approval_id", id.as_str()).map_err(|error| about(error, ticket))?;
    let same =
        echoes(answer, body, "body_hash", terms.body_hash).map_err(|error| about(error, ticket))?;
    // What the 202 carried must be there to the end; it always carried the id.
    if !named || (ticket.bound && !same) {
        return Err(about(
            api(answer, "a record that does not say what it is bound to"),
            ticket,
        ));
    }
    let refusal = |message: &'static str, word: &'static str| {
        Refusal::new(message)
            .because(text(body, "decision_reason").map(Cow::into_owned))
            .with_status(word)
            .approval(id.as_str())
            .boxed()
    };
    match text(body, "status").as_deref() {
        // A person said yes.
        Some("approved") => Ok(Looked::Open),
        // Policy or memory said yes, or the reference's word for it: not where a person decides.
        Some("auto_approved" | "executed") if terms.opens_without_person() => Ok(Looked::Open),
        Some("auto_approved" | "executed") => Err(about(
            api(
                answer,
                "an automatic approval at a risk that a person decides",
            ),
            ticket,
        )),
        Some("rejected") => Err(Error::Rejected(refusal("a reviewer said no", "rejected"))),
        Some("blocked") => Err(Error::Blocked(refusal(
            "the approval was blocked",
            "blocked",
        ))),
        Some("expired") => {
            let message = "the approval has expired; ask again";
            Err(Error::Expired(refusal(message, "expired")))
        }
        Some("failed") => Err(Error::Failed(refusal(
            "the service says that the action failed",
            "failed",
        ))),
        // pending, pending_review, words of later versions, none at all: none of them is a yes.
        _ => Ok(Looked::Pending),
    }
}

/// Names the approval in an error.
pub(super) fn about(error: Error, ticket: &Ticket) -> Error {
    error.about_approval(ticket.approval_id.as_str())
}

/// RFC 3339 as milliseconds since 1970, if it is in UTC (`Z`), as the service writes it
/// (DESIGN 11). Any other form counts as not said: it only times one more look.
pub(super) fn unix_millis(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let ranges = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !ranges || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let (years, months) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(seconds * 1_000 + millis.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::unix_millis;

    #[test]
    fn the_services_times_are_read_and_other_forms_count_as_not_said() {
        assert_eq!(unix_millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_millis("2000-02-29T23:59:59.5Z"), Some(951_868_799_500));
        assert_eq!(
            unix_millis("2026-11-22T12:30:27.042Z"),
            Some(1_795_350_627_042)
        );
        for odd in [
            "",
            "Z",
            "2026-11-22",
            "2026-11-22T12:30:27+01:00",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00.-5Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
        ] {
            assert_eq!(unix_millis(odd), None, "{odd}");
        }
    }
}
