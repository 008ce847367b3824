//! What an MCP client is told of a call that was not let through: the same words in front of any
//! server.

use serde_json::{Value, json};
use sernixa::Error;

/// The member of a result's `_meta`, and of an error's data, that says why.
pub(crate) const DECISION: &str = "sernixa/decision";

/// What became of the call, for programs: `status` is `blocked`, `rejected`, `expired` or `error`.
pub(crate) fn decision(error: &Error) -> Value {
    let status = match error {
        Error::Blocked(_) => "blocked",
        Error::Rejected(_) => "rejected",
        Error::Expired(_) => "expired",
        _ => "error",
    };
    json!({
        "status": status,
        "reason": error.reason(),
        "approval_id": error.approval_id(),
    })
}

/// What became of it, for whoever called: a person, or a model.
pub(crate) fn text(error: &Error) -> String {
    format!("Not run: {error}")
}
