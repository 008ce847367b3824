//! Which tools need not be shown to anybody, since the policies refuse each call of them.

use serde_json::{Value, json};
use sernixa_protocol::json::Kind;

use crate::client::Client;
use crate::delegation::Delegation;
use crate::error::{Error, Refusal};
use crate::judge;
use crate::requests::refused;
use crate::transport::{Answer, Endpoint, Request};

/// How many are asked about at once: a request stays far below any limit of a body.
const AT_ONCE: usize = 200;

impl Client {
    /// For each tool, by action id and intent id: whether some call of it may be permitted. `false`
    /// only where the policies refuse every call, whatever it says, so that the tool may be hidden; a
    /// call that is made all the same is decided as any other.
    ///
    /// `None` where nobody can say: a service without this question, or inside a delegation, whose
    /// calls act as another agent.
    ///
    /// # Errors
    /// [`Error::Api`] for an answer that is none, and what keeps any request from being answered.
    pub async fn visible_tools(&self, tools: &[(&str, &str)]) -> Result<Option<Vec<bool>>, Error> {
        if Delegation::current().is_some() {
            return Ok(None);
        }
        let mut visible = Vec::with_capacity(tools.len());
        for tools in tools.chunks(AT_ONCE) {
            let answer = self.request(question(tools)).await?;
            match read(&answer, tools.len())? {
                Some(some) => visible.extend(some),
                None => return Ok(None),
            }
        }
        Ok(Some(visible))
    }
}

fn question(tools: &[(&str, &str)]) -> Request {
    let tools: Vec<Value> = tools
        .iter()
        .map(|(action, intent)| json!({"action_id": action, "intent_id": intent}))
        .collect();
    let body = json!({ "tools": tools }).to_string();
    Request::post(Endpoint::VisibleTools, body.into())
}

/// As many words as tools; `None` where the service does not know the question.
fn read(answer: &Answer, tools: usize) -> Result<Option<Vec<bool>>, Error> {
    match answer.status {
        200 => {}
        404 | 405 | 501 => return Ok(None),
        _ => return Err(refused(answer)),
    }
    let document = judge::document(answer)?;
    let list = document.root().get("visible");
    let list = list.filter(|list| list.kind() == Kind::Array);
    let words: Option<Vec<bool>> =
        list.and_then(|list| list.elements().map(|word| word.as_bool()).collect());
    match words {
        Some(words) if words.len() == tools => Ok(Some(words)),
        _ => {
            let message = "the service did not say which tools are visible";
            Err(Error::Api(
                Refusal::new(message).code(answer.status).boxed(),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_says_it_of_each_tool_or_of_none() {
        let said = |status, body: &str| read(&Answer::json(status, body.to_owned()), 2);
        let visible = said(200, r#"{"visible":[true,false],"policy_digest":"0"}"#).unwrap();
        assert_eq!(visible, Some(vec![true, false]));
        for unknown in [404, 405, 501] {
            assert_eq!(said(unknown, r#"{"detail":"no"}"#).unwrap(), None);
        }
        for (status, odd) in [
            (200, r#"{"visible":[true]}"#),
            (200, r#"{"visible":[true,false,true]}"#),
            (200, r#"{"visible":[true,0]}"#),
            (200, r#"{"visible":{"0":true,"1":true}}"#),
            (200, r#"{"visible":[true,true],"visible":[false,false]}"#),
            (200, "{}"),
            (200, "[true,true]"),
            (202, r#"{"visible":[true,true]}"#),
            (302, "{}"),
            (503, "{}"),
        ] {
            let error = said(status, odd).unwrap_err();
            assert!(matches!(error, Error::Api(_)), "{status} {odd}: {error}");
        }
        assert!(matches!(said(401, "{}"), Err(Error::Authentication(_))));
        assert!(matches!(said(429, "{}"), Err(Error::RateLimit(_))));
    }
}
