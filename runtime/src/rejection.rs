//! Whether a person said no to a request that nobody waits for any more.

use crate::client::Client;
use crate::error::Error;
use crate::judge;
use crate::requests::refused;
use crate::transport::{Answer, ApprovalId, Endpoint, Request};

impl Client {
    /// The reason with which a person rejected this approval, if one did. For a caller that stopped
    /// waiting ([`Pending`](crate::Pending) with a resume key): asked again, the same action is not told
    /// of it, but is a new request.
    ///
    /// It says nothing of whether the action may run; an approval that is unknown was not rejected.
    ///
    /// # Errors
    /// [`Error::Api`] for an answer that is no record of this approval, and what keeps any request
    /// from being answered.
    pub async fn rejection(&self, approval_id: &str) -> Result<Option<String>, Error> {
        let Some(id) = ApprovalId::new(approval_id) else {
            return Ok(None);
        };
        let answer = self
            .request(Request::get(Endpoint::Record(id.clone())))
            .await?;
        reason(&answer, &id)
    }
}

fn reason(answer: &Answer, id: &ApprovalId) -> Result<Option<String>, Error> {
    match answer.status {
        200 => {}
        404 | 410 => return Ok(None),
        _ => return Err(refused(answer)),
    }
    let document = judge::document(answer)?;
    let record = document.root();
    if !record
        .get("approval_id")
        .is_some_and(|own| own.is(id.as_str()))
    {
        return Err(Error::api(
            "the service sent the record of another approval",
        ));
    }
    if !record
        .get("status")
        .is_some_and(|status| status.is("rejected"))
    {
        return Ok(None);
    }
    let reason = record
        .get("decision_reason")
        .and_then(|reason| reason.as_str());
    Ok(Some(reason.unwrap_or_default().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Result<Option<String>, Error> {
        let answer = Answer::json(status, body.to_owned());
        reason(&answer, &ApprovalId::new("apr_1").unwrap())
    }

    #[test]
    fn only_the_record_of_this_approval_says_that_it_was_rejected() {
        let rejected = r#"{"approval_id":"apr_1","status":"rejected","decision_reason":"no"}"#;
        assert_eq!(said(200, rejected).unwrap().as_deref(), Some("no"));
        let bare = r#"{"approval_id":"apr_1","status":"rejected"}"#;
        assert_eq!(said(200, bare).unwrap().as_deref(), Some(""));
        for status in ["pending_review", "approved", "expired", "REJECTED"] {
            let record = format!(r#"{{"approval_id":"apr_1","status":"{status}"}}"#);
            assert_eq!(said(200, &record).unwrap(), None);
        }
        assert_eq!(said(404, "{}").unwrap(), None);
        for (status, body) in [
            (200, r#"{"approval_id":"apr_2","status":"rejected"}"#),
            (200, r#"{"status":"rejected"}"#),
            (200, "<html>"),
            (500, rejected),
            (302, rejected),
        ] {
            assert!(said(status, body).is_err(), "{status} {body}");
        }
    }
}
