//! Where the parts of the proxy meet: transports, relay and gate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

pub(crate) use crate::message::Generation;
use crate::message::{Id, Message};

/// A future behind a trait object.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The other side can no longer be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Where messages to a host go: the one pipe of a stdio host, or one response stream of an HTTP
/// host.
pub(crate) trait Host: Send + Sync + 'static {
    /// Queues a message; order is kept. [`Gone`] when nobody listens any more.
    fn tell(&self, message: Bytes) -> Result<(), Gone>;

    /// Queues the answer to the request that this came with; nothing follows it there.
    fn answer(&self, message: Bytes) -> Result<(), Gone> {
        self.tell(message)
    }

    /// Done when there is room for more. Whoever brings messages of a server's waits for it, so that a
    /// host that does not read stops its server, not fills the memory. An HTTP host's stream has an end
    /// of its own: [`tell`](Self::tell) is [`Gone`] when too much waits there.
    fn room(&self) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// The connection has ended: nothing follows at all.
    fn close(&self) {}
}

/// The way to a server. What comes from it goes to the relay's `from_server`.
pub(crate) trait Server: Send + Sync + 'static {
    /// Hands one message over. Whoever forwards in order awaits one before the next.
    fn send(&self, message: Message) -> Later<'_, Result<(), Gone>>;

    /// Nobody waits for the answer to this request any more (2026-07-28 over HTTP: its stream is
    /// closed). What was said in a message went by [`send`](Self::send).
    fn forget(&self, request: &Id);

    /// The host is gone: ends the server's side, a child process or an upstream session.
    fn close(&self) {}
}

/// The relay of one connection, as its two transports see it. It does not end by being dropped, but
/// by [`host_gone`](Self::host_gone) or [`server_gone`](Self::server_gone).
#[expect(
    clippy::wrong_self_convention,
    reason = "messages come from hosts and servers; nothing is converted"
)]
pub(crate) trait Relay: Send + Sync + 'static {
    /// A message of the host's. `reply` gets the answer, and what belongs to the request: an HTTP host
    /// has one for each of its requests, a stdio host always the same. Done as soon as the host's next
    /// message may follow; it never waits for an answer.
    fn from_host(&self, message: Message, reply: Arc<dyn Host>) -> Later<'_, ()>;

    /// Nobody reads `reply` any more (2026-07-28 over HTTP: a closed stream is a cancellation): what
    /// is held for it detaches, what runs is cancelled.
    fn hung_up(&self, reply: &Arc<dyn Host>);

    /// The host is gone: what is held detaches, and the server's side ends.
    fn host_gone(&self);

    /// A message of the server's. `about` is the request on whose stream it came, where the transport
    /// has one for each.
    fn from_server(&self, message: Message, about: Option<&Id>) -> Later<'_, ()>;

    /// This request was handed over, and the server will not answer it; `reason` tells a person why.
    fn lost(&self, request: &Id, reason: &str);

    /// The server will answer nothing any more; `reason` tells a person why.
    fn server_gone(&self, reason: &str);

    /// Whether it has ended, on either side.
    fn has_ended(&self) -> bool;

    /// The tool that this `tools/call` names, as the server lists it: one JSON object. Asks the server
    /// when it was not seen yet; `None` for one that is not listed.
    fn tool<'a>(&'a self, call: &'a Message) -> Later<'a, Option<Bytes>>;
}

/// Makes connections: a relay each, with a server of its own (a child process, an upstream session).
pub(crate) trait Connect: Send + Sync + 'static {
    /// One connection. `standing` gets what the server sends on its own account, which belongs to no
    /// request. The error is for the host.
    fn connect(
        &self,
        generation: Generation,
        standing: Arc<dyn Host>,
    ) -> Later<'_, Result<Arc<dyn Relay>, String>>;
}

/// A `tools/call` on its way to the gate.
pub(crate) struct ToolCall {
    /// The request, as it came.
    pub(crate) request: Message,
    pub(crate) generation: Generation,
    /// The host's name, from `initialize` or the request's `_meta`; its own word.
    pub(crate) host_name: Option<String>,
    /// The host takes elicitation by URL, as the request itself says (2026-07-28). In a session nobody
    /// is sent anywhere: there a host that comes back is told `pending_review`.
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

    /// An answer to `tools/list`, for the host: hidden tools are gone, the rest is as it came. It may
    /// ask the service which those are, so other messages need not wait for it.
    fn listed<'a>(&'a self, answer: &'a Message) -> Later<'a, Bytes>;

    /// The tool that a `tools/call` names, as the server lists it (for an HTTP transport, which makes
    /// and checks headers from its `inputSchema`); asked for through `line` when it was not seen yet.
    fn tool<'a>(&'a self, call: &'a Message, line: &'a dyn Line) -> Later<'a, Option<Bytes>> {
        let _ = (call, line);
        Box::pin(std::future::ready(None))
    }

    /// The server says that its tools changed.
    fn tools_changed(&self);
}
