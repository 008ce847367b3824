//! The way to a `TestGate`: the JSON texts of a service, so that the same judge reads them.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sernixa_protocol::json::Document;
use sernixa_protocol::submission::Received;
use sernixa_protocol::{RiskLevel, body_hash_json};

use super::recorded::{Parts, Recorded};
use super::table::{Ruling, Table, Verdict};
use crate::transport::{Answer, Endpoint, Fault, Request, Sending, Subscription, Transport, Wake};

/// Answers from the gate's table, on the caller's own thread.
pub(super) struct TestTransport {
    table: Arc<Table>,
}

impl TestTransport {
    pub(super) fn new(table: Arc<Table>) -> Self {
        Self { table }
    }

    fn answer(&self, request: &Request) -> Answer {
        match &request.endpoint {
            Endpoint::Submit => self.submit(request.text()),
            Endpoint::CallTool => self.call_tool(request.text()),
            Endpoint::Record(id) | Endpoint::Await(id) => self.record(id.as_str()),
            Endpoint::Withdraw(id) if self.table.withdrawn(id.as_str()) => {
                say(200, &json!({"status": "expired", "reason": "withdrawn"}))
            }
            Endpoint::Claim(_) | Endpoint::Withdraw(_) | Endpoint::VisibleTools => {
                say(404, &json!({"detail": {"status": "not_found"}}))
            }
            Endpoint::Outcomes => say(200, &json!({"results": []})),
            Endpoint::Ready => say(
                200,
                // With a Flight Recorder, so that what asks for one can be tested.
                &json!({"status": "ready", "runtime_mode": "test_gate",
                        "checks": {"flight_recorder": {"enabled": true}}}),
            ),
            Endpoint::Delegations => say(
                200,
                &json!({"token_id": "test-token", "chain_id": "test-chain", "status": "active"}),
            ),
        }
    }

    fn submit(&self, body: &str) -> Answer {
        let received = match Received::parse(body) {
            Ok(received) => received,
            Err(error) => return say(422, &json!({"detail": error.to_string()})),
        };
        let request_id = received.request_id.clone();
        self.judge(recorded(received, body), request_id.as_deref())
    }

    /// A tool call, as the submission that it stands for: its own body is what was recorded.
    fn call_tool(&self, body: &str) -> Answer {
        match called(body) {
            Some((recorded, request_id)) => self.judge(recorded, Some(&request_id)),
            None => say(422, &json!({"detail": "no tool call"})),
        }
    }

    fn judge(&self, recorded: Recorded, request_id: Option<&str>) -> Answer {
        let intent_id = recorded.intent_id().to_owned();
        let mut answer = Map::new();
        answer.insert("request_id".into(), request_id.into());
        answer.insert("body_hash".into(), recorded.body_hash().into());
        let (code, status, reason) = match self.table.submitted(recorded) {
            Verdict::Approve => (200, "accepted", None),
            Verdict::Refuse(reason) => (200, "rejected", Some(reason)),
            Verdict::Pending(id) => {
                answer.insert("approval_id".into(), id.into());
                // A call that is dropped while it waits is withdrawn, and not held any more.
                answer.insert("capabilities".into(), json!(["withdraw"]));
                answer.insert("claim_token".into(), "test-claim-token".into());
                (202, "pending_review", None)
            }
            Verdict::Unknown => (
                200,
                "blocked",
                Some(format!(
                    "this TestGate was not told what to do with the intent; call \
                     gate.approve({intent_id:?}), .refuse or .hold first"
                )),
            ),
        };
        answer.insert("status".into(), status.into());
        if let Some(reason) = reason {
            answer.insert("reason".into(), reason.into());
        }
        say(code, &Value::Object(answer))
    }

    fn record(&self, id: &str) -> Answer {
        let Some(standing) = self.table.standing(id) else {
            return say(404, &json!({"detail": {"status": "not_found"}}));
        };
        let (status, reason) = match standing.ruling {
            None | Some(Ruling::Hold) => ("pending_review", None),
            Some(Ruling::Approve) => ("approved", None),
            Some(Ruling::Refuse(reason)) => ("rejected", Some(reason)),
        };
        let record = json!({
            "approval_id": id,
            "status": status,
            "body_hash": standing.body_hash,
            "decision_reason": reason,
            "reason": reason,
        });
        say(200, &record)
    }
}

fn say(status: u16, body: &Value) -> Answer {
    Answer::json(status, body.to_string())
}

fn recorded(received: Received, body: &str) -> Recorded {
    let metadata = match serde_json::from_str(&received.metadata) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    Recorded(Arc::new(Parts {
        intent_id: received.intent_id,
        action_id: received.action_id,
        risk_level: received.risk_level,
        agent_id: received.delegated.map(|delegated| delegated.agent_id),
        body_hash: received.body_hash,
        metadata,
        body: body.to_owned(),
    }))
}

/// A call of the MCP call gate (PROTOCOL 7), with its `request_id`. Only our own client asks a gate,
/// so what such a call always has is there.
fn called(body: &str) -> Option<(Recorded, String)> {
    let document = Document::parse(body).ok()?;
    let call = document.root();
    let text = |name: &str| Some(call.get(name)?.as_str()?.into_owned());
    let intent_id = text("intent_id")?;
    let action_id = text("action_id").or_else(|| text("tool_name"))?;
    let metadata = call.get("metadata")?.raw();
    let recorded = Recorded(Arc::new(Parts {
        risk_level: RiskLevel::parse(&text("risk_level")?)?,
        agent_id: text("agent_id"),
        // Over the whole call, so that no two calls that differ have the same.
        body_hash: body_hash_json(&intent_id, &action_id, body).ok()?,
        metadata: serde_json::from_str(metadata).unwrap_or_default(),
        body: body.to_owned(),
        intent_id,
        action_id,
    }));
    Some((recorded, text("request_id")?))
}

/// Ends the subscription when it is dropped.
struct Subscribed {
    table: Arc<Table>,
    number: u64,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.table.unsubscribe(self.number);
    }
}

impl Transport for TestTransport {
    fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>> {
        Some(Ok(self.answer(request)))
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(std::future::ready(Ok(self.answer(&request))))
    }

    fn subscribe(&self, wake: Wake) -> Option<Subscription> {
        let number = self.table.subscribe(wake);
        let table = Arc::clone(&self.table);
        Some(Box::new(Subscribed { table, number }))
    }

    fn retries(&self) -> bool {
        false
    }
}
