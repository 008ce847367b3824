//! What the host is told of a call that is not forwarded.

use bytes::Bytes;
use serde_json::{Value, json};
use sernixa::Error;
use sernixa_protocol::display::one_line;

use crate::message::Id;
use crate::proxy::seam::{Generation, ToolCall};

/// In what form a call is answered.
pub(super) struct Shape {
    id: String,
    generation: Generation,
}

impl Shape {
    pub(super) fn of(call: &ToolCall) -> Self {
        Self {
            id: call
                .request
                .id()
                .map_or_else(|| "null".to_owned(), Id::to_json),
            generation: call.generation,
        }
    }

    /// Its parameters are wrong.
    pub(super) fn invalid(&self, reason: &str) -> Bytes {
        let error = json!({"code": -32602, "message": reason});
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, self.id).into()
    }

    pub(super) fn refused(&self, error: &Error) -> Bytes {
        let text = format!("Not run: {error}");
        self.result(
            &text,
            json!({
                "status": super::word(error),
                "reason": error.reason(),
                "approval_id": error.approval_id(),
            }),
        )
    }

    pub(super) fn pending(&self, id: &str, decide: &str) -> Bytes {
        let text = format!(
            "Not run yet: a person has to decide ({decide} {}). Call again with the same arguments.",
            one_line(id)
        );
        self.result(
            &text,
            json!({"status": "pending_review", "approval_id": id}),
        )
    }

    fn result(&self, text: &str, decision: Value) -> Bytes {
        let mut result = json!({
            "content": [{"type": "text", "text": text}],
            "isError": true,
            "_meta": {"sernixa/decision": decision},
        });
        if let (Generation::Stateless, Some(members)) = (self.generation, result.as_object_mut()) {
            members.insert("resultType".to_owned(), "complete".into());
        }
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id).into()
    }
}
