//! What is shown of the server's tools: all but the hidden ones.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use sernixa_protocol::json::Kind;

use super::Core;
use super::answer::Shape;
use super::definition::Page;
use crate::message::{Code, Message, splice};
use crate::proxy::seam::Generation;

/// How long the service may take to say which tools its policies hide.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer to `tools/list` without the hidden tools.
pub(super) async fn listed(core: &Core, answer: &Message, changes: u64) -> Bytes {
    let Some(page) = Page::read(answer) else {
        return answer.bytes().clone();
    };
    let names: HashSet<String> = page.tools.iter().map(|tool| tool.name.clone()).collect();
    core.tools.learn(page, changes);
    let Some(hidden) = core.hidden(names).await else {
        // What a policy hides may be hidden for what its description tells a model, and without the
        // service no tool could be called anyway.
        let shape = Shape::new(answer.id(), Generation::Sessions);
        let message = "the approval service does not say which tools its policies hide; list again";
        return shape.error(Code::Internal, message);
    };
    without(answer, |name| hidden.contains(name))
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
    /// Whether the operator hides this tool. What policies hide is refused by them when it is called,
    /// and that is on record then.
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        let rules = self.settings.rules.tool(name);
        rules.is_some_and(|tool| tool.hidden)
    }

    /// Those of these tools that the operator or a policy hides; `None` where the policies cannot be
    /// asked.
    async fn hidden(&self, names: HashSet<String>) -> Option<HashSet<String>> {
        let (hidden, others): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| self.is_hidden(name));
        let mut hidden: HashSet<String> = hidden.into_iter().collect();
        let intent = self.intent();
        let ids: Vec<String> = others.iter().map(|name| self.action_id(name)).collect();
        let asked: Vec<(&str, &str)> = ids
            .iter()
            .map(|id| (id.as_str(), intent.as_ref()))
            .collect();
        if asked.is_empty() {
            return Some(hidden);
        }
        let visible = self.settings.client.visible_tools(&asked);
        let visible = match tokio::time::timeout(PATIENCE, visible).await {
            // A service that has no such question hides nothing.
            Ok(Ok(None)) => return Some(hidden),
            Ok(Ok(Some(visible))) if visible.len() == others.len() => visible,
            Ok(Ok(Some(_))) => return None,
            Ok(Err(error)) => {
                tracing::warn!(server = self.server(), %error, "no list of tools is shown");
                return None;
            }
            Err(_) => {
                tracing::warn!(
                    server = self.server(),
                    "no list of tools is shown: no answer"
                );
                return None;
            }
        };
        let unseen = others.into_iter().zip(visible);
        hidden.extend(unseen.filter(|(_, visible)| !visible).map(|(name, _)| name));
        Some(hidden)
    }
}
