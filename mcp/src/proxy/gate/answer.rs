//! What the host is told of a call that is not forwarded.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sernixa::Error;
use sernixa_protocol::display::one_line;

use crate::message::{Code, Id};
use crate::proxy::seam::Generation;

/// The longest evidence that goes along, in bytes of JSON.
const EVIDENCE_MAX: usize = 4 << 10;

/// The key of the proxy's own question among `inputRequests`.
pub(super) const QUESTION: &str = "sernixa_review";

/// In what form a call is answered.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    id: String,
    generation: Generation,
}

/// What became of a call, for programs: `_meta["sernixa/decision"]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Decision<'a> {
    pub(super) status: &'static str,
    pub(super) reason: Option<&'a str>,
    pub(super) approval_id: Option<&'a str>,
    pub(super) evidence: Option<&'a Value>,
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
        result.insert("_meta".to_owned(), json!({"sernixa/decision": decision}));
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
        result.insert("_meta".to_owned(), json!({"sernixa/decision": decision}));
        self.result(result)
    }

    fn result(&self, result: Map<String, Value>) -> Bytes {
        let result = Value::Object(result);
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id).into()
    }
}

impl Decision<'_> {
    fn to_json(&self) -> Value {
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

/// A person is asked, and has not decided.
pub(super) const PENDING: &str = "pending_review";

/// Nobody decided in time, and nobody can any more.
pub(super) const EXPIRED: &str = "expired";

/// What an error is called, what a model is told of it, and what it can do.
pub(super) fn of_error(error: &Error) -> (String, Decision<'_>) {
    let (status, what, next) = match error {
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
        Error::Expired(_) => (
            EXPIRED,
            "nobody approved this call in time",
            "Calling again asks anew.",
        ),
        Error::Timeout(_) => (
            "timeout",
            "the approval service did not answer in time",
            "Call again later.",
        ),
        Error::Replay(_) => (
            "replayed",
            "its approval was used by another, identical call",
            "If it is meant to happen once more, call again: that asks anew.",
        ),
        Error::Signature(_) => (
            "signature_refused",
            "the approval service did not accept the signature of the request",
            "Tell the operator of this proxy.",
        ),
        Error::DelegationScope(_) => (
            "delegation_refused",
            "the delegation does not cover this call",
            "Do not repeat it as it is.",
        ),
        Error::Configuration(_) => (
            "configuration",
            "this proxy is not set up to ask for approval",
            "Tell its operator.",
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
            "the approval service did not accept this proxy's credential",
            "Tell the operator of this proxy.",
        ),
        Error::Failed(_) => (
            "failed",
            "the approval service could not decide",
            "Call again later.",
        ),
        // What else may come: the service out of reach, or an answer that cannot be trusted.
        _ => (
            "unavailable",
            "the approval service cannot be reached, or does not answer as it should",
            "Call again later, or tell the operator of this proxy.",
        ),
    };
    let detail = error.reason().unwrap_or_else(|| error.refusal().message());
    let mut text = format!("Not run: {what}: {}.", one_line(detail));
    if let Some(id) = error.approval_id() {
        text.push_str(&format!(" (Approval {}.)", one_line(id)));
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

#[cfg(test)]
mod tests {
    use super::*;

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
