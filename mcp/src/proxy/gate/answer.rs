//! What the host is told of a call that is not forwarded.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sernixa_protocol::display::one_line;

use crate::decision::KEY;
pub(super) use crate::decision::{Decision, EXPIRED, UNAVAILABLE, of_error};
use crate::message::{Code, Id};
use crate::proxy::seam::Generation;

/// The key of the proxy's own question among `inputRequests`.
pub(super) const QUESTION: &str = "sernixa_review";

/// A person is asked, and has not decided.
pub(super) const PENDING: &str = "pending_review";

/// In what form a call is answered.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    id: String,
    generation: Generation,
}

/// Whether a result may carry `structuredContent`: not where the tool has an output schema, which it
/// would not fit; some clients throw then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structured {
    Yes,
    No,
}

impl Shape {
    pub(super) fn new(id: Option<&Id>, generation: Generation) -> Self {
        Self {
            id: id.map_or_else(|| "null".to_owned(), Id::to_json),
            generation,
        }
    }

    /// A JSON-RPC error: the request itself is wrong.
    pub(super) fn error(&self, code: Code, message: &str) -> Bytes {
        let error = json!({"code": code.number(), "message": message});
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, self.id).into()
    }

    /// As a server answers a call of a tool that it does not have (both generations, "Error
    /// Handling" of server/tools).
    pub(super) fn unknown_tool(&self, name: &str) -> Bytes {
        let message = format!("Unknown tool: {}", one_line(name));
        self.error(Code::Params, &message)
    }

    /// A tool result that says no: one text block for the model, the decision for programs.
    pub(super) fn refusal(
        &self,
        text: &str,
        decision: &Decision<'_>,
        structured: Structured,
    ) -> Bytes {
        let decision = decision.to_json();
        let mut result = Map::new();
        if self.generation == Generation::Stateless {
            result.insert("resultType".to_owned(), "complete".into());
        }
        result.insert(
            "content".to_owned(),
            json!([{"type": "text", "text": text}]),
        );
        if structured == Structured::Yes {
            result.insert("structuredContent".to_owned(), decision.clone());
        }
        result.insert("isError".to_owned(), true.into());
        result.insert("_meta".to_owned(), json!({ KEY: decision }));
        self.result(result)
    }

    /// `input_required` (2026-07-28): come back with this state, after asking the user to open `url`
    /// where it is given.
    pub(super) fn come_back(
        &self,
        state: &str,
        question: Option<(&str, &str)>,
        approval_id: &str,
    ) -> Bytes {
        let decision = Decision {
            status: PENDING,
            approval_id: Some(approval_id),
            ..Decision::default()
        };
        let mut result = Map::new();
        result.insert("resultType".to_owned(), "input_required".into());
        if let Some((url, message)) = question {
            let params = json!({"mode": "url", "url": url, "message": message});
            let asked = json!({"method": "elicitation/create", "params": params});
            result.insert("inputRequests".to_owned(), json!({ QUESTION: asked }));
        }
        result.insert("requestState".to_owned(), state.into());
        let decision = decision.to_json();
        result.insert("_meta".to_owned(), json!({ KEY: decision }));
        self.result(result)
    }

    fn result(&self, result: Map<String, Value>) -> Bytes {
        let result = Value::Object(result);
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id).into()
    }
}

/// What is told of a person's refusal that nobody waited for.
pub(super) fn rejected<'a>(reason: &'a str, approval_id: &'a str) -> (String, Decision<'a>) {
    let text = format!(
        "Not run: a person refused this call: {}. (Approval {}.) Do not repeat it as it is; ask the \
         user what to do instead.",
        one_line(reason),
        one_line(approval_id)
    );
    let decision = Decision {
        status: "rejected",
        reason: Some(reason),
        approval_id: Some(approval_id),
        ..Decision::default()
    };
    (text, decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::EVIDENCE_MAX;

    fn read(bytes: &Bytes) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    fn shape(generation: Generation) -> Shape {
        Shape::new(Some(&Id::Text("a\"\u{1b}".into())), generation)
    }

    #[test]
    fn a_refusal_is_one_text_and_a_decision_and_structured_only_where_it_fits() {
        let evidence = json!({"policy": "no-wipe"});
        let decision = Decision {
            status: "blocked",
            reason: Some("no\u{1b}[2J"),
            approval_id: None,
            evidence: Some(&evidence),
        };
        for generation in [Generation::Sessions, Generation::Stateless] {
            let shape = shape(generation);
            let yes = read(&shape.refusal("Not run.", &decision, Structured::Yes));
            let no = read(&shape.refusal("Not run.", &decision, Structured::No));
            assert_eq!(yes["id"], "a\"\u{1b}");
            for answer in [&yes, &no] {
                let result = &answer["result"];
                assert_eq!(result["isError"], true);
                assert_eq!(
                    result["content"],
                    json!([{"type": "text", "text": "Not run."}])
                );
                let decision = &result["_meta"]["sernixa/decision"];
                assert_eq!(decision["status"], "blocked");
                assert_eq!(decision["reason"], "no\\u{1b}[2J");
                assert_eq!(decision["evidence"]["policy"], "no-wipe");
                assert!(decision.get("approval_id").is_none());
                let complete = (generation == Generation::Stateless)
                    .then_some(&json!("complete"))
                    .cloned();
                assert_eq!(result.get("resultType"), complete.as_ref());
            }
            assert_eq!(
                yes["result"]["structuredContent"],
                yes["result"]["_meta"]["sernixa/decision"]
            );
            assert!(no["result"].get("structuredContent").is_none());
        }
    }

    #[test]
    fn evidence_that_is_long_stays_behind() {
        let evidence = json!("x".repeat(EVIDENCE_MAX));
        let decision = Decision {
            evidence: Some(&evidence),
            ..Decision::default()
        };
        let answer = shape(Generation::Sessions).refusal("", &decision, Structured::No);
        assert!(answer.len() < 1_000);
    }

    #[test]
    fn a_hidden_tool_is_answered_as_one_that_is_not_there() {
        let answer = read(&shape(Generation::Sessions).unknown_tool("wi\u{202e}pe"));
        assert_eq!(answer["error"]["code"], -32602);
        assert_eq!(answer["error"]["message"], "Unknown tool: wi\\u{202e}pe");
    }
}
