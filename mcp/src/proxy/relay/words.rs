//! What the proxy says itself.

use bytes::Bytes;

use crate::message::{Code, Id};

/// Said where a fault of the proxy's own keeps an answer from coming.
pub(super) const BUG: &str = "the proxy met a bug of its own, and did not go on with this request";

/// An error as an answer.
pub(super) fn error(id: Option<&Id>, code: Code, reason: &str) -> Bytes {
    let id = id
        .map(|id| format!(r#""id":{},"#, id.to_json()))
        .unwrap_or_default();
    let text = serde_json::Value::from(reason);
    let code = code.number();
    format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":{text}}}}}"#).into()
}

/// The host takes a request back.
pub(super) fn cancelled(id: &Id, reason: &str) -> Bytes {
    let reason = serde_json::Value::from(reason);
    let id = id.to_json();
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":{reason}}}}}"#
    )
    .into()
}

/// The `nth` word (from 1 on) on a call that is held.
///
/// `progress` must increase with each notification (MCP, basic: progress), and the server's own, which
/// may begin at 0, follow ours: so ours are negative, and climb towards 0: -1, -1/2, -1/3.
pub(super) fn progress(token: &Id, nth: u32, message: &str) -> Bytes {
    let token = token.to_json();
    let progress = -1.0 / f64::from(nth.max(1));
    let message = serde_json::Value::from(message);
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{progress:?},"message":{message}}}}}"#
    )
    .into()
}

/// A question of the proxy's own. `params` is a JSON object without `_meta`.
pub(super) fn question(id: &Id, method: &str, params: &str, meta: Option<&str>) -> Bytes {
    let id = id.to_json();
    let method = serde_json::Value::from(method);
    let members = params
        .trim()
        .strip_prefix('{')
        .and_then(|params| params.strip_suffix('}'))
        .unwrap_or_default()
        .trim();
    let meta = meta
        .map(|meta| format!(r#""_meta":{meta}"#))
        .unwrap_or_default();
    let comma = if members.is_empty() || meta.is_empty() {
        ""
    } else {
        ","
    };
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{{{members}{comma}{meta}}}}}"#
    )
    .into()
}
