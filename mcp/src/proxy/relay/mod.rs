//! The relay between one host and one server: forwards in order, answers what must not pass, takes
//! tool calls to the gate, and leaves no request unanswered when a side goes.
//!
//! Messages of one direction are forwarded in the order in which they came: whoever forwards holds
//! [`Core::order`]. Each `tools/call` waits at the gate in a task of its own and takes its place in
//! the order when it is let through. Whatever is in flight stands in the [table](table); an answer
//! that matches nothing there is dropped.

mod call;
mod facts;
mod rewrite;
mod table;
mod to_host;
mod to_server;
mod words;

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use sernixa_protocol::display::one_line;

use super::seam::{Gate, Generation, Host, Later, Relay, Server};
use crate::message::{Code, Id, LONGEST, Message};
use table::{Flight, Stage, Table};

/// What every relay in front of one server shares.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Who decides tool calls.
    pub(crate) gate: Arc<dyn Gate>,
    /// Methods outside the specification that may pass.
    pub(crate) allow_methods: Arc<[String]>,
    /// The most requests in flight in each direction; more are refused.
    pub(crate) most_in_flight: usize,
    /// The most bytes of tool calls that wait at the gate; more are refused.
    pub(crate) most_held: usize,
    /// How long the server may take to answer a question of the proxy's own.
    pub(crate) ask_timeout: Duration,
    /// How long the late answer to a cancelled request is still waited for.
    pub(crate) linger: Duration,
}

impl Settings {
    /// The usual limits.
    pub(crate) fn new(gate: Arc<dyn Gate>, allow_methods: &[String]) -> Self {
        Self {
            gate,
            allow_methods: allow_methods.into(),
            most_in_flight: 10_000,
            most_held: 8 * LONGEST,
            ask_timeout: Duration::from_secs(30),
            linger: Duration::from_mins(1),
        }
    }
}

/// How many hosts stand behind a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// One: ids and progress tokens pass as they are.
    One,
    /// Many that do not know of each other (2026-07-28 over HTTP): each request has a `reply` of its
    /// own, and its id and progress token are rewritten.
    Many,
}

impl Sharing {
    /// How hosts of this generation stand behind a connection that was made for it.
    pub(crate) fn of(generation: Generation) -> Self {
        match generation {
            Generation::Sessions => Self::One,
            Generation::Stateless => Self::Many,
        }
    }
}

/// A relay. Clones are one.
#[derive(Clone)]
pub(crate) struct MessageRelay {
    core: Arc<Core>,
}

/// What the tasks of one relay share.
struct Core {
    settings: Settings,
    sharing: Sharing,
    server: Arc<dyn Server>,
    standing: Arc<dyn Host>,
    /// Closes the standing stream once the server is gone and the last answer of its was told.
    open: Mutex<Option<Arc<Open>>>,
    table: Mutex<Table>,
    /// Held while a message is handed to the server: the order of that direction. Fair.
    order: tokio::sync::Mutex<()>,
}

/// Keeps a stream open on which something is still to be told.
struct Open(Arc<dyn Host>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl MessageRelay {
    /// A relay to `server`; what the server sends on its own account goes to `standing`.
    pub(crate) fn new(
        settings: Settings,
        sharing: Sharing,
        server: Arc<dyn Server>,
        standing: Arc<dyn Host>,
    ) -> Self {
        let table = Table::new(sharing, settings.most_in_flight, settings.most_held);
        Self {
            core: Arc::new(Core {
                settings,
                sharing,
                server,
                open: Mutex::new(Some(Arc::new(Open(Arc::clone(&standing))))),
                standing,
                table: Mutex::new(table),
                order: tokio::sync::Mutex::new(()),
            }),
        }
    }
}

impl Relay for MessageRelay {
    fn from_host(&self, message: Message, reply: Arc<dyn Host>) -> Later<'_, ()> {
        Box::pin(async move {
            let id = message.id().cloned();
            let asks = message.method().is_some();
            let forwarded = self.core.to_server(message, &reply);
            if AssertUnwindSafe(forwarded).catch_unwind().await.is_err() {
                tracing::error!("a message of the host's met a bug of the proxy's");
                if let (true, Some(id)) = (asks, id) {
                    let fault = words::error(Some(&id), Code::Internal, words::BUG);
                    let _ = reply.answer(fault);
                }
            }
        })
    }

    fn hung_up(&self, reply: &Arc<dyn Host>) {
        self.core.hung_up(reply);
    }

    fn host_gone(&self) {
        let held = self.core.table().host_gone();
        for flight in held {
            // It may still read.
            fail(flight, "the connection ended before this call was decided");
        }
        self.core.server.close();
    }

    fn from_server(&self, message: Message, about: Option<&Id>) -> Later<'_, ()> {
        let about = about.cloned();
        Box::pin(async move {
            if self.core.sharing == Sharing::One {
                self.core.standing.room().await;
            }
            let answers = match message.method() {
                None => message.id().cloned(),
                Some(_) => None,
            };
            let forwarded = self.core.to_host(message, about.as_ref());
            if AssertUnwindSafe(forwarded).catch_unwind().await.is_err() {
                tracing::error!("a message of the server's met a bug of the proxy's");
                if let Some(id) = answers {
                    self.core.lost(&id, words::BUG);
                }
            }
        })
    }

    fn lost(&self, request: &Id, reason: &str) {
        self.core.lost(request, reason);
    }

    fn server_gone(&self, reason: &str) {
        let left = self.core.table().server_gone(reason);
        for flight in left {
            fail(flight, reason);
        }
        let open = self
            .core
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(open);
    }

    fn has_ended(&self) -> bool {
        self.core.table().has_ended()
    }

    fn tool<'a>(&'a self, call: &'a Message) -> Later<'a, Option<Bytes>> {
        Box::pin(async move {
            let line = call::Inquiry::new(&self.core, call);
            self.core.settings.gate.tool(call, &line).await
        })
    }
}

impl Core {
    fn table(&self) -> MutexGuard<'_, Table> {
        // Whoever panicked with it left no half-done change: each is one call of a map.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For whoever tells the host something later; `None` when the stream closes anyway.
    fn open(&self) -> Option<Arc<Open>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone()
    }

    /// The server will not answer this request of the host's, or of the proxy's own.
    fn lost(&self, request: &Id, reason: &str) {
        let taken = self.table().take_answered(request);
        match taken {
            table::Taken::Flight(flight) => fail(*flight, reason),
            // Its asker sees that nobody answers.
            table::Taken::Asked(asker) => drop(asker),
            table::Taken::Nothing => {}
        }
    }
}

/// Tells the host that its request will not be answered by the server.
fn fail(flight: Flight, reason: &str) {
    if let Stage::Started(started) = flight.stage {
        guarded("the loss of a call", || started.lost());
    }
    let reason = one_line(reason).to_string();
    let fault = words::error(Some(&flight.id), Code::Internal, &reason);
    let _ = flight.reply.answer(fault);
}

/// Runs a step of the gate's that may hide a bug; `None` when it panicked.
fn guarded<T>(what: &str, step: impl FnOnce() -> T) -> Option<T> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(step));
    if done.is_err() {
        tracing::error!("{what} met a bug of the proxy's");
    }
    done.ok()
}
