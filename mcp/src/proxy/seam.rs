//! Where the parts of the proxy meet: transports, relay and gate.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::message::{Id, Message};

/// A future behind a trait object.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The other side can no longer be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The specification's generation that a message speaks. They are never translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Generation {
    /// Up to 2025-11-25: `initialize`, sessions, requests of the server's own.
    Sessions,
    /// From 2026-07-28 on: every request stands for itself; `input_required` in results.
    Stateless,
}

/// Where messages to a host go: the one pipe of a stdio host, or one response stream of an HTTP
/// host.
pub(crate) trait Host: Send + Sync + 'static {
    /// Queues a message; order is kept. [`Gone`] when nobody listens any more.
    fn tell(&self, message: Bytes) -> Result<(), Gone>;
}

/// The way to a server. What comes from it goes to the relay's `from_server`.
pub(crate) trait Server: Send + Sync + 'static {
    /// Hands one message over. Whoever forwards in order awaits one before the next.
    fn send(&self, message: Message) -> Later<'_, Result<(), Gone>>;

    /// Nobody waits for the answer to this request any more (2026-07-28 over HTTP: its stream is
    /// closed). What was said in a message went by [`send`](Self::send).
    fn forget(&self, request: &Id);
}

/// A `tools/call` on its way to the gate.
pub(crate) struct ToolCall {
    /// The request, as it came.
    pub(crate) request: Message,
    pub(crate) generation: Generation,
    /// The host's name, from `initialize` or the request's `_meta`; its own word.
    pub(crate) host_name: Option<String>,
    /// The host takes elicitation by URL.
    pub(crate) elicits_url: bool,
}

/// The line of one tool call, which the relay gives to the gate.
pub(crate) trait Line: Send + Sync {
    /// Sends progress to the host that called, if it gave a token for it.
    fn progress(&self, message: &str);

    /// Asks the server on the proxy's own account, under an id of the proxy's own; `params` is a JSON
    /// object. The generation's `_meta` is the relay's work.
    fn ask<'a>(&'a self, method: &'a str, params: String) -> Later<'a, Result<Message, Gone>>;
}

/// What became of a tool call.
pub(crate) enum Verdict {
    /// It was approved, and claimed: forward this, and tell [`Started`] how it ended.
    Forward {
        message: Message,
        started: Box<dyn Started>,
    },
    /// Answer the host with this; the server sees nothing.
    Answer(Bytes),
}

/// A tool call that was let through.
pub(crate) trait Started: Send {
    /// The server answered. What the host gets: the same bytes, but for an `input_required` that is
    /// sealed.
    fn answered(self: Box<Self>, answer: &Message) -> Bytes;

    /// It was handed over, and no answer will come.
    fn lost(self: Box<Self>);

    /// It was never handed over.
    fn not_started(self: Box<Self>);
}

/// Decides tool calls, and what is shown of tools. One per server; shared by its sessions.
pub(crate) trait Gate: Send + Sync + 'static {
    /// Decides one call. Dropping the future detaches it: the approval stays for the next identical
    /// call.
    fn call<'a>(&'a self, call: ToolCall, line: &'a dyn Line) -> Later<'a, Verdict>;

    /// An answer to `tools/list`, for the host: hidden tools are gone, the rest is as it came.
    fn listed(&self, answer: &Message) -> Bytes;

    /// The server says that its tools changed.
    fn tools_changed(&self);
}
