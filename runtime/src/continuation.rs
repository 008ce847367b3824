//! A [`Continuation`]: what a start that goes on in another call is reported through, perhaps by
//! another process.

use std::fmt;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use sernixa_protocol::json::{Document, Node};

use crate::action::signer;
use crate::client::Client;
use crate::core::closed;
use crate::display::one_line;
use crate::error::{Error, Refusal};
use crate::judge;
use crate::outcome::{self, Proof, ReportTo};
use crate::permit::Permit;
use crate::requests;
use crate::transport::{Answer, ApprovalId, Endpoint, Request};

/// A start that goes on in another call: [`Permit::continued`] gives it,
/// [`Client::continue_permit`] takes it.
///
/// It is good for one report after another about that start, and starts nothing: whoever has it
/// and the client's credential can say how the action ended. It shows no secret.
pub struct Continuation {
    approval_id: ApprovalId,
    proof: Proof,
    body_hash: Box<str>,
}

impl Continuation {
    pub(crate) fn new(to: &ReportTo) -> Self {
        Self {
            approval_id: to.approval_id.clone(),
            proof: to.proof.clone(),
            body_hash: to.body_hash.clone(),
        }
    }

    /// The approval that let the start through.
    pub fn approval_id(&self) -> &str {
        self.approval_id.as_str()
    }

    /// As text, to be kept encrypted: it holds the proof that the service takes reports for.
    pub fn expose_secret(&self) -> String {
        let (name, proof) = match &self.proof {
            Proof::ClaimToken(token) => ("claim_token", token.expose_secret()),
            Proof::RequestId(id) => ("request_id", &**id),
        };
        let mut text = Map::new();
        text.insert("approval_id".into(), self.approval_id.as_str().into());
        text.insert(name.into(), proof.into());
        text.insert("body_hash".into(), (*self.body_hash).into());
        Value::Object(text).to_string()
    }

    /// Reads what [`expose_secret`](Self::expose_secret) wrote; `None` for anything else.
    pub fn from_secret(text: &str) -> Option<Self> {
        let document = Document::parse(text).ok()?;
        let root = document.root();
        let text = |name| Some(root.get(name)?.as_str()?.into_owned());
        let proof = match (text("claim_token"), text("request_id")) {
            (Some(token), None) => Proof::ClaimToken(token.into()),
            (None, Some(id)) => Proof::RequestId(id.into()),
            _ => return None,
        };
        Some(Self {
            approval_id: ApprovalId::new(&text("approval_id")?)?,
            proof,
            body_hash: text("body_hash")?.into(),
        })
    }
}

/// The approval; no token.
impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Continuation")
            .field("approval_id", &self.approval_id)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Goes on with a start that ended as [`continued`](Permit::continued): has the service record what
    /// the action is told now, and gives the permit that its next end is reported through. Whoever
    /// forwards nothing without that permit has every round in the audit before it happens.
    ///
    /// `input_digest` is `hmac-sha256:` and 64 lowercase hex digits: a keyed digest of what the
    /// action is told. Of a delegated call the report is signed in the scope that this is called in.
    ///
    /// The action has begun: the permit's [`not_started`](Permit::not_started) says `outcome_unknown`.
    ///
    /// # Errors
    /// [`Error::Configuration`] for what the client lacks; [`Error::Api`] where the service does not
    /// record it; else what keeps any request from being answered. The action must not go on then.
    pub fn continue_permit(
        &self,
        continuation: Continuation,
        input_digest: &str,
    ) -> impl Future<Output = Result<Permit, Error>> + Send + use<> {
        let prepared = self.prepare_round(continuation, input_digest);
        let client = self.clone();
        async move {
            let (to, request) = prepared?;
            let about = |error: Error| error.about_approval(to.approval_id.as_str());
            let answer = client.request(request).await.map_err(about)?;
            recorded(&answer, &to.approval_id).map_err(about)?;
            Ok(Permit::of_continued(client, to))
        }
    }

    fn prepare_round(
        &self,
        continuation: Continuation,
        input_digest: &str,
    ) -> Result<(ReportTo, Request), Error> {
        if self.core().is_closed() {
            return Err(closed());
        }
        let to = ReportTo {
            approval_id: continuation.approval_id,
            proof: continuation.proof,
            body_hash: continuation.body_hash,
            signer: signer(self.settings())?,
        };
        let body = outcome::round(&to, input_digest, self.core().now());
        Ok((to, Request::post(Endpoint::Outcomes, body)))
    }
}

/// Whether the service says that it recorded the one report.
fn recorded(answer: &Answer, id: &ApprovalId) -> Result<(), Error> {
    if answer.status != 200 {
        return Err(requests::refused(answer));
    }
    let document = judge::document(answer)?;
    let results = document.root().get("results");
    let mut results = results.iter().flat_map(Node::elements);
    let of_ours = results.next().filter(|result| {
        result
            .get("approval_id")
            .is_some_and(|said| said.is(id.as_str()))
    });
    let status = of_ours
        .and_then(|result| result.get("status"))
        .and_then(|status| status.as_str());
    match (status, results.next()) {
        (Some(word), None) if word == "recorded" => Ok(()),
        (Some(word), None) => {
            let message = "the service did not record that the action goes on";
            let refusal = Refusal::new(message).code(answer.status);
            Err(Error::Api(
                refusal.because(Some(one_line(&word).to_string())).boxed(),
            ))
        }
        _ => {
            let message = "the service did not say whether it recorded that the action goes on";
            Err(Error::Api(
                Refusal::new(message).code(answer.status).boxed(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn continuation(proof: Proof) -> Continuation {
        Continuation {
            approval_id: ApprovalId::new("apr_1").unwrap(),
            proof,
            body_hash: "00ff".into(),
        }
    }

    #[test]
    fn it_can_be_kept_as_a_text_and_shows_no_secret() {
        for proof in [
            Proof::ClaimToken("s3cret \"token".to_owned().into()),
            Proof::RequestId("s3cret id".into()),
        ] {
            let kept = continuation(proof);
            let text = kept.expose_secret();
            let read = Continuation::from_secret(&text).unwrap();
            assert_eq!(read.expose_secret(), text);
            assert_eq!(read.approval_id(), "apr_1");
            assert!(text.contains("s3cret"));
            let shown = format!("{kept:?}");
            assert!(
                shown.contains("apr_1") && !shown.contains("s3cret"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_no_continuation_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"approval_id":"a","body_hash":"00"}"#,
            r#"{"approval_id":"a","claim_token":"t"}"#,
            r#"{"claim_token":"t","body_hash":"00"}"#,
            r#"{"approval_id":"..","claim_token":"t","body_hash":"00"}"#,
            r#"{"approval_id":"a","claim_token":7,"body_hash":"00"}"#,
            r#"{"approval_id":"a","claim_token":"t","request_id":"r","body_hash":"00"}"#,
        ] {
            assert!(Continuation::from_secret(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_the_word_recorded_about_this_approval_lets_it_go_on() {
        let id = ApprovalId::new("apr_1").unwrap();
        let said = |status: u16, body: &'static str| recorded(&Answer::json(status, body), &id);
        let good = r#"{"results":[{"approval_id":"apr_1","status":"recorded"}]}"#;
        said(200, good).unwrap();
        for (status, body) in [
            (201, good),
            (404, good),
            (200, "{}"),
            (200, "[]"),
            (200, r#"{"results":[]}"#),
            (200, r#"{"results":{}}"#),
            (200, r#"{"results":["recorded"]}"#),
            (200, r#"{"results":[{"approval_id":"apr_1"}]}"#),
            (
                200,
                r#"{"results":[{"approval_id":"apr_1","status":true}]}"#,
            ),
            (
                200,
                r#"{"results":[{"approval_id":"apr_2","status":"recorded"}]}"#,
            ),
            (
                200,
                r#"{"results":[{"approval_id":"apr_1","status":"recorded"},{}]}"#,
            ),
        ] {
            assert!(
                matches!(said(status, body), Err(Error::Api(_))),
                "{status} {body}"
            );
        }
        let refused = r#"{"results":[{"approval_id":"apr_1","status":"invalid_claim_token"}]}"#;
        let error = said(200, refused).unwrap_err();
        assert_eq!(error.reason(), Some("invalid_claim_token"));
    }
}
