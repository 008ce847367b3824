//! The tools of an upstream, as far as its headers go: learned from the lists that pass.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use bytes::Bytes;
use sernixa_protocol::display::one_line;
use sernixa_protocol::json::Node;

use super::super::params::Params;
use crate::message::{Message, splice};

/// The most tools that are remembered: those with headers, and those that break the rules.
const MOST: usize = 4096;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Tools(Mutex<HashMap<String, Arc<Result<Params, String>>>>);

impl Tools {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Result<Params, String>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns from an answer to `tools/list`, and gives it without the tools whose headers break the
    /// rules: a client over HTTP must leave them out.
    pub(super) fn learn(&self, answer: &Message) -> Option<Bytes> {
        let changed = answer.look(|root| {
            let tools = root.get("result")?.get("tools")?;
            let all = tools.elements().count();
            let kept: Vec<_> = tools.elements().filter(|tool| self.takes(*tool)).collect();
            (kept.len() < all).then(|| {
                let kept: Vec<_> = kept.iter().map(Node::raw).collect();
                let list = format!("[{}]", kept.join(","));
                splice(answer.bytes(), &tools.range(), list.as_bytes())
            })
        });
        changed.flatten()
    }

    fn takes(&self, tool: Node<'_>) -> bool {
        let Some(name) = tool.get("name").and_then(|name| name.as_str()) else {
            return true;
        };
        let params = Params::of(tool.raw().as_bytes());
        let mut known = self.known();
        match &params {
            Ok(params) if params.is_empty() => {
                known.remove(&*name);
                return true;
            }
            Ok(_) => {}
            Err(reason) => {
                tracing::warn!(tool = %one_line(&name), reason, "a tool is left out");
            }
        }
        let takes = params.is_ok();
        if known.len() < MOST || known.contains_key(&*name) {
            known.insert(name.into_owned(), Arc::new(params));
        }
        takes
    }

    /// The headers that a call brings.
    ///
    /// # Errors
    /// Why it cannot be called over HTTP.
    pub(super) fn headers(&self, call: &Message) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let name = call
            .look(|root| {
                let name = root.get("params")?.get("name")?;
                name.as_str().map(std::borrow::Cow::into_owned)
            })
            .flatten();
        let params = name.and_then(|name| self.known().get(&name).cloned());
        match params.as_deref() {
            None => Ok(Vec::new()),
            Some(Ok(params)) => params.headers(call),
            Some(Err(reason)) => Err(reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    use crate::message::Direction;

    fn read(value: &serde_json::Value, direction: Direction) -> Message {
        Message::read(Bytes::from(value.to_string()), direction).unwrap()
    }

    #[test]
    fn tools_whose_headers_break_the_rules_are_left_out_of_the_list() {
        let tools = Tools::default();
        let tool = |name: &str, header: &str| {
            json!({"name": name, "inputSchema": {"properties": {
                "a": {"type": "string", "x-mcp-header": header},
            }}})
        };
        let plain = json!({"name": "plain", "inputSchema": {}});
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {
            "tools": [tool("good", "A"), tool("bad", "a b"), plain], "ttlMs": 5,
        }});
        let answer = read(&answer, Direction::ToHost);
        let changed = tools.learn(&answer).unwrap();
        let changed: serde_json::Value = serde_json::from_slice(&changed).unwrap();
        let expected = json!({"jsonrpc": "2.0", "id": 1, "result": {
            "tools": [tool("good", "A"), plain], "ttlMs": 5,
        }});
        assert_eq!(changed, expected);
        let call = |name: &str| {
            let params = json!({"name": name, "arguments": {"a": "x"}});
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            tools.headers(&read(&call, Direction::ToServer))
        };
        assert_eq!(call("good").unwrap().len(), 1);
        assert!(call("bad").is_err());
        assert!(call("plain").unwrap().is_empty());
        assert!(call("unlisted").unwrap().is_empty());
    }

    #[test]
    fn a_list_that_keeps_the_rules_passes_as_it_came() {
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "a"}]}});
        assert!(
            Tools::default()
                .learn(&read(&answer, Direction::ToHost))
                .is_none()
        );
    }
}
