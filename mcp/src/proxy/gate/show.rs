//! What is shown of the server's tools: all but the hidden ones.

use bytes::Bytes;
use sernixa_protocol::json::Kind;

use super::Core;
use super::definition::Page;
use crate::message::{Message, splice};

/// An answer to `tools/list` without the hidden tools.
pub(super) async fn listed(core: &Core, answer: &Message, changes: u64) -> Bytes {
    if let Some(page) = Page::read(answer) {
        core.tools.learn(page, changes);
    }
    without(answer, |name| core.is_hidden(name))
}

/// The answer without these tools; every other byte is as it came.
fn without(answer: &Message, hidden: impl Fn(&str) -> bool) -> Bytes {
    let spliced = answer.look(|root| {
        let tools = root.get("result")?.get("tools")?;
        if tools.kind() != Kind::Array {
            return None;
        }
        let shown: Vec<_> = tools
            .elements()
            .filter(|tool| {
                let name = tool.get("name").and_then(|name| name.as_str());
                !name.is_some_and(|name| hidden(&name))
            })
            .map(|tool| tool.raw())
            .collect();
        if shown.len() == tools.elements().count() {
            return None;
        }
        let list = format!("[{}]", shown.join(","));
        Some(splice(answer.bytes(), &tools.range(), list.as_bytes()))
    });
    spliced.flatten().unwrap_or_else(|| answer.bytes().clone())
}

impl Core {
    /// Whether the operator hides this tool.
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        let rules = self.settings.rules.tool(name);
        rules.is_some_and(|tool| tool.hidden)
    }
}
