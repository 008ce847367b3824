//! The gate: decides each `tools/call`, and what is shown of the server's tools.

mod action;
mod answer;
mod call;
mod classify;

use std::time::Duration;

use bytes::Bytes;
use sernixa::{Client, Error, Permit, Submitted};
use url::Url;

use super::config::Rules;
use super::seam::{Gate, Later, Line, Started, ToolCall, Verdict};
use super::state::State;
use crate::message::Message;
use answer::Shape;
use call::Call;

/// What a gate is made of.
pub(crate) struct Settings {
    /// The server's name, as the operator calls it: [`Rules::server`] checked it.
    pub(crate) server: String,
    /// Who is asked.
    pub(crate) client: Client,
    /// What `sernixa.toml` says of this server.
    pub(crate) rules: Rules,
    /// Pins, spent states, the proxy's own key.
    pub(crate) state: State,
    /// How long a call is held at most; zero: it is answered at once.
    pub(crate) hold: Duration,
    /// Where people decide, for hosts that can open it.
    pub(crate) console: Option<Url>,
    /// What a person types to decide: `sernixa approvals approve {id}`, without the id.
    pub(crate) decide: String,
}

/// The gate in front of one server.
pub(crate) struct ToolGate {
    settings: Settings,
}

impl ToolGate {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings }
    }

    async fn decide(&self, call: ToolCall, line: &dyn Line) -> Verdict {
        let shape = Shape::of(&call);
        let read = match Call::read(&call.request) {
            Ok(read) => read,
            Err(fault) => return Verdict::Answer(shape.invalid(&fault)),
        };
        let facts = classify::classify(&self.settings.rules, &read.name);
        let action = action::of(
            &self.settings.server,
            &read,
            &facts,
            call.host_name.as_deref(),
        )
        .resume_key("mcp-proxy 0");
        let pending = match self.settings.client.submit(&action).await {
            Ok(Submitted::Allowed(permit)) => return forward(call.request, permit),
            Ok(Submitted::Pending(pending)) => pending,
            Err(error) => return Verdict::Answer(shape.refused(&error)),
        };
        let id = pending.approval_id().to_owned();
        line.progress(&format!("waiting for a person to decide {id}"));
        match tokio::time::timeout(self.settings.hold, pending.decided()).await {
            Ok(Ok(permit)) => forward(call.request, permit),
            Ok(Err(error)) => Verdict::Answer(shape.refused(&error)),
            Err(_) => Verdict::Answer(shape.pending(&id, &self.settings.decide)),
        }
    }
}

impl Gate for ToolGate {
    fn call<'a>(&'a self, call: ToolCall, line: &'a dyn Line) -> Later<'a, Verdict> {
        Box::pin(self.decide(call, line))
    }

    fn listed<'a>(&'a self, answer: &'a Message) -> Later<'a, Bytes> {
        Box::pin(async move { answer.bytes().clone() })
    }

    fn tools_changed(&self) {}
}

fn forward(message: Message, permit: Permit) -> Verdict {
    Verdict::Forward {
        message,
        started: Box::new(Running { permit }),
    }
}

/// A call that runs.
struct Running {
    permit: Permit,
}

impl Started for Running {
    fn answered(self: Box<Self>, answer: &Message) -> Bytes {
        self.permit.succeeded();
        answer.bytes().clone()
    }

    fn lost(self: Box<Self>) {
        drop(self.permit);
    }

    fn not_started(self: Box<Self>) {
        drop(self.permit);
    }
}

/// As a word of `_meta["sernixa/decision"]`.
fn word(error: &Error) -> &'static str {
    match error {
        Error::Blocked(_) => "blocked",
        Error::Rejected(_) => "rejected",
        Error::Expired(_) => "expired",
        _ => "error",
    }
}
