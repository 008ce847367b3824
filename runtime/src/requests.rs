//! The two requests that ask for no decision: readiness, and a delegation token.

use serde_json::Value;

use crate::client::Client;
use crate::delegation::{Token, TokenRequest};
use crate::driver::Job;
use crate::error::{Error, Refusal};
use crate::judge::{self, Step};
use crate::transport::{Answer, Endpoint, Request};
use crate::{door, driver};
use futures_channel::oneshot;

pub(crate) fn ready() -> Request {
    Request::get(Endpoint::Ready)
}

/// The readiness document: an object, from a status below 400, or from any if it has `checks`.
pub(crate) fn readiness(answer: &Answer) -> Result<Value, Error> {
    if answer.status == 429 {
        return Err(refused(answer));
    }
    let document = judge::document(answer)?;
    let root = document.root();
    if answer.status != 200 && root.get("checks").is_none() {
        return Err(refused(answer));
    }
    value(answer, root)
}

/// Whether a readiness document lists the capability `word`; `None` where it lists none at all.
fn lists(readiness: &Value, word: &str) -> Result<Option<bool>, Error> {
    let odd = || Error::api("the service sent a readiness document with odd capabilities");
    match readiness.get("capabilities") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(words)) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            Ok(Some(words.ok_or_else(odd)?.contains(&word)))
        }
        Some(_) => Err(odd()),
    }
}

/// The token of a 200 or 201.
fn token(answer: &Answer) -> Result<Token, Error> {
    if !matches!(answer.status, 200 | 201) {
        return Err(refused(answer));
    }
    let document = judge::document(answer)?;
    match value(answer, document.root())? {
        Value::Object(members) => Token::from_answer(members),
        _ => None,
    }
    .ok_or_else(|| {
        let refusal = Refusal::new("the service answered without a usable token_id");
        Error::Api(refusal.code(answer.status).boxed())
    })
}

pub(crate) fn value(
    answer: &Answer,
    node: sernixa_protocol::json::Node<'_>,
) -> Result<Value, Error> {
    node.to_value().map_err(|error| {
        let refusal = Refusal::new("the service sent a number or a depth that cannot be read");
        Error::Api(refusal.code(answer.status).caused_by(error).boxed())
    })
}

/// Any answer that is not the one asked for.
pub(crate) fn refused(answer: &Answer) -> Error {
    let refusal = |message: &'static str| Refusal::new(message).code(answer.status);
    match answer.status {
        401 => {
            let message = "the service did not accept the credential; \
                           set SERNIXA_ACCESS_TOKEN or SERNIXA_API_KEY";
            Error::Authentication(refusal(message).boxed())
        }
        429 => {
            let message = "the service asked to slow down; try again later";
            Error::RateLimit(refusal(message).retryable().boxed())
        }
        500..=599 => Error::Api(
            refusal("the service failed; try again later")
                .retryable()
                .boxed(),
        ),
        _ => {
            let refusal = refusal("the service refused the request");
            let detail = judge::document(answer).ok().and_then(|document| {
                document
                    .root()
                    .get("detail")
                    .and_then(|detail| detail.to_value().ok())
            });
            let reason = detail.as_ref().and_then(|detail| {
                detail
                    .as_str()
                    .or_else(|| detail.get("reason").and_then(Value::as_str))
            });
            let refusal = refusal.because(reason.map(ToOwned::to_owned));
            Error::Api(match detail {
                Some(detail) => refusal.with_evidence(detail).boxed(),
                None => refusal.boxed(),
            })
        }
    }
}

impl Client {
    /// Whether the service offers a capability (`events`, `claim`, `outcome`, `withdraw`, `resume`), as
    /// its readiness document says before anything is submitted; `None` where it does not say.
    ///
    /// # Errors
    /// As [`readiness`](Self::readiness).
    pub async fn offers(&self, capability: &str) -> Result<Option<bool>, Error> {
        lists(&self.readiness().await?, capability)
    }

    /// Asks for a delegation token (PROTOCOL 5).
    ///
    /// # Errors
    /// [`Error::Validation`] for a request that cannot be meant, [`Error::Authentication`] for a
    /// credential that is not accepted, [`Error::Timeout`] without an answer in time,
    /// [`Error::Api`] for every other refusal. Where
    /// [`may_have_been_submitted`](Error::may_have_been_submitted) holds, the token may have been
    /// made.
    pub async fn create_delegation_token(&self, request: TokenRequest) -> Result<Token, Error> {
        let body = request.body()?;
        let answer = self
            .request(Request::post(Endpoint::Delegations, body.into()))
            .await?;
        token(&answer)
    }

    /// As [`create_delegation_token`](Self::create_delegation_token), blocking this thread.
    ///
    /// # Errors
    /// As [`create_delegation_token`](Self::create_delegation_token).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as the async door, whose future owns it: one request, one token"
    )]
    pub fn create_delegation_token_blocking(&self, request: TokenRequest) -> Result<Token, Error> {
        let body = request.body()?;
        let answer = self.request_blocking(Request::post(Endpoint::Delegations, body.into()))?;
        token(&answer)
    }

    pub(crate) async fn request(&self, request: Request) -> Result<Answer, Error> {
        match self.requested(request)? {
            Requested::Now(answer) => Ok(answer),
            Requested::Later(step, answer) => answer.await.unwrap_or_else(|_| Err(lost(step))),
        }
    }

    pub(crate) fn request_blocking(&self, request: Request) -> Result<Answer, Error> {
        match self.requested(request)? {
            Requested::Now(answer) => Ok(answer),
            Requested::Later(step, mut answer) => door::wait_blocking(&mut answer, self.settings())
                .unwrap_or_else(|_| Err(lost(step))),
        }
    }

    fn requested(&self, request: Request) -> Result<Requested, Error> {
        let step = Step::of(&request.endpoint);
        if let Some(result) = self.core().transport.answer_now(&request) {
            let base = &self.settings().base;
            return result
                .map(Requested::Now)
                .map_err(|fault| judge::fault(step, base, fault, false));
        }
        let (reply, answer) = oneshot::channel();
        self.send(Job::Send { request, reply })?;
        Ok(Requested::Later(step, answer))
    }
}

enum Requested {
    Now(Answer),
    Later(Step, oneshot::Receiver<Result<Answer, Error>>),
}

/// The driver died with the request in its hands.
fn lost(step: Step) -> Error {
    match step {
        Step::Reading => driver::dead(),
        Step::Delegating | Step::Submitting | Step::Claiming => driver::dead().maybe_submitted(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readiness_document_may_come_with_a_failing_status() {
        let ready = readiness(&Answer::json(200, r#"{"status":"ready"}"#)).unwrap();
        assert_eq!(ready["status"], "ready");
        let not = readiness(&Answer::json(503, r#"{"status":"not_ready","checks":{}}"#)).unwrap();
        assert_eq!(not["status"], "not_ready");
        for (status, body) in [
            (503, "{}"),
            (200, "[]"),
            (404, r#"{"detail":"no"}"#),
            (200, "x"),
        ] {
            let error = readiness(&Answer::json(status, body)).unwrap_err();
            assert!(matches!(error, Error::Api(_)), "{error}");
        }
        let slow = readiness(&Answer::json(429, r#"{"checks":{}}"#)).unwrap_err();
        assert!(matches!(slow, Error::RateLimit(_)));
    }

    #[test]
    fn what_a_service_offers_is_what_its_readiness_document_lists() {
        let said = |text: &str| {
            let answer = Answer::json(200, format!(r#"{{"status":"ready"{text}}}"#));
            lists(&readiness(&answer).unwrap(), "resume")
        };
        assert_eq!(
            said(r#","capabilities":["claim","resume"]"#).unwrap(),
            Some(true)
        );
        assert_eq!(
            said(r#","capabilities":["claim","resumed"]"#).unwrap(),
            Some(false)
        );
        assert_eq!(said(r#","capabilities":[]"#).unwrap(), Some(false));
        for silent in ["", r#","capabilities":null"#] {
            assert_eq!(said(silent).unwrap(), None);
        }
        for odd in [
            r#""resume""#,
            r#"{"resume":true}"#,
            r#"["resume",1]"#,
            "true",
        ] {
            let error = said(&format!(r#","capabilities":{odd}"#)).unwrap_err();
            assert!(matches!(error, Error::Api(_)), "{odd}: {error}");
        }
    }

    #[test]
    fn a_token_comes_with_an_id_or_not_at_all() {
        let made = token(&Answer::json(201, r#"{"token_id":"dgt_1"}"#)).unwrap();
        assert_eq!(made.token_id(), "dgt_1");
        for (status, body) in [
            (200, "{}"),
            (202, r#"{"token_id":"t"}"#),
            (403, "{}"),
            (200, "[]"),
        ] {
            assert!(
                matches!(token(&Answer::json(status, body)), Err(Error::Api(_))),
                "{status}"
            );
        }
        let nobody = token(&Answer::json(401, "{}")).unwrap_err();
        assert!(matches!(nobody, Error::Authentication(_)));
    }
}
