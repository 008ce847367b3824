//! A tool call at the gate.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use tokio::sync::oneshot;

use super::super::seam::{Generation, Gone, Host, Later, Line, Started, ToolCall, Verdict};
use super::facts::{Facts, Session, meta_of};
use super::table::{Taken, Ticket};
use super::{Core, guarded, words};
use crate::message::{Code, Direction, Id, Message};

/// Where a tool call stands in the table.
pub(super) struct Place {
    pub(super) key: Id,
    pub(super) ticket: Ticket,
}

/// A tool call that waits for its verdict.
pub(super) struct Held {
    core: Arc<Core>,
    place: Place,
    call: ToolCall,
    token: Option<Id>,
    reply: Arc<dyn Host>,
}

impl Held {
    pub(super) fn new(
        core: &Arc<Core>,
        place: Place,
        request: Message,
        facts: Facts,
        generation: Option<Generation>,
        session: Session,
        reply: &Arc<dyn Host>,
    ) -> Self {
        // Every host understands the older shapes, and whoever speaks the newer generation says so in
        // the request itself.
        let generation = generation.unwrap_or(Generation::Sessions);
        let call = ToolCall {
            request,
            generation,
            elicits_url: facts.elicits_url,
            host_name: facts.host_name.or(session.host_name),
        };
        Self {
            core: Arc::clone(core),
            place,
            call,
            token: facts.token,
            reply: Arc::clone(reply),
        }
    }

    /// Until the verdict, and the message is handed over; or until `ended`, when whoever took the call
    /// out of the table dropped the other end.
    pub(super) async fn run(self, ended: oneshot::Receiver<()>) {
        let Self {
            core,
            place,
            call,
            token,
            reply,
        } = self;
        let line = HeldLine {
            asks: Inquiry::new(&core, &call.request),
            place: &place,
            token,
            reply,
            told: AtomicU32::new(0),
        };
        let verdict = {
            let verdict = AssertUnwindSafe(core.settings.gate.call(call, &line)).catch_unwind();
            tokio::select! {
                // A verdict that is there counts: it may have claimed its approval.
                biased;
                verdict = verdict => verdict,
                _ = ended => return,
            }
        };
        match verdict {
            Ok(Verdict::Answer(answer)) => {
                let flight = core.table().take_held(&place.key, place.ticket);
                if let Some(flight) = flight {
                    let _ = flight.reply.answer(answer);
                }
            }
            Ok(Verdict::Forward { message, started }) => {
                core.forward(&place, message, started).await;
            }
            Err(_) => {
                tracing::error!("a tool call met a bug of the proxy's, and was refused");
                let flight = core.table().take_held(&place.key, place.ticket);
                if let Some(flight) = flight {
                    let fault = words::error(Some(&flight.id), Code::Internal, words::BUG);
                    let _ = flight.reply.answer(fault);
                }
            }
        }
    }
}

impl Core {
    /// Hands a tool call over that was let through.
    async fn forward(&self, place: &Place, message: Message, started: Box<dyn Started>) {
        let _order = self.order.lock().await;
        let key = &place.key;
        // From here on a cancellation follows the call.
        let taken = self.table().start(key, place.ticket, started);
        if let Err(started) = taken {
            guarded("the end of a cancelled call", || started.not_started());
            return;
        }
        let sent = match self.seen_by_server(message, key) {
            Some(message) => self.server.send(message).await.is_ok(),
            None => false,
        };
        if sent {
            return;
        }
        let taken = self.table().take_answered(key);
        if let Taken::Flight(flight) = taken {
            let mut flight = *flight;
            let stage = std::mem::replace(&mut flight.stage, super::Stage::Passed);
            if let super::Stage::Started(started) = stage {
                guarded("the end of an unsent call", || started.not_started());
            }
            super::fail(
                flight,
                "the MCP server could not be reached; the tool was not called",
            );
        }
    }

    /// Asks the server on the proxy's own account.
    async fn ask(&self, method: &str, params: &str, meta: Option<&str>) -> Result<Message, Gone> {
        let (asker, answered) = oneshot::channel();
        let id = self.table().ask(asker).ok_or(Gone)?;
        let in_flight = Asked { core: self, id };
        let bytes = words::question(&in_flight.id, method, params, meta);
        let question = Message::read(bytes, Direction::ToServer).map_err(|_| Gone)?;
        let answer = async {
            {
                let _order = self.order.lock().await;
                self.server.send(question).await?;
            }
            answered.await.map_err(|_| Gone)
        };
        tokio::time::timeout(self.settings.ask_timeout, answer)
            .await
            .unwrap_or(Err(Gone))
    }
}

/// A question in flight; forgotten when its asker goes.
struct Asked<'a> {
    core: &'a Core,
    id: Id,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.core.table().unask(&self.id);
    }
}

/// The line of a request that has no place in the table: it asks, and tells nobody.
pub(super) struct Inquiry {
    core: Arc<Core>,
    meta: Option<String>,
}

impl Inquiry {
    pub(super) fn new(core: &Arc<Core>, request: &Message) -> Self {
        Self {
            core: Arc::clone(core),
            meta: meta_of(request),
        }
    }
}

impl Line for Inquiry {
    fn progress(&self, _message: &str) {}

    fn ask<'a>(&'a self, method: &'a str, params: String) -> Later<'a, Result<Message, Gone>> {
        Box::pin(async move { self.core.ask(method, &params, self.meta.as_deref()).await })
    }
}

/// The line of a held call.
struct HeldLine<'k> {
    asks: Inquiry,
    place: &'k Place,
    token: Option<Id>,
    reply: Arc<dyn Host>,
    told: AtomicU32,
}

impl Line for HeldLine<'_> {
    fn progress(&self, message: &str) {
        let Some(token) = &self.token else { return };
        // Whoever does not read gets no more of what it can do without.
        let has_room = self.reply.room().now_or_never().is_some();
        let Place { key, ticket } = self.place;
        if has_room && self.asks.core.table().holds(key, *ticket) {
            let nth = self.told.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let _ = self.reply.tell(words::progress(token, nth, message));
        }
    }

    fn ask<'a>(&'a self, method: &'a str, params: String) -> Later<'a, Result<Message, Gone>> {
        self.asks.ask(method, params)
    }
}
