//! What comes from the host.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::seam::Host;
use super::facts::{Facts, Session};
use super::table::{Asks, Cancelled, Full, Stage};
use super::{Core, Sharing, call, rewrite, words};
use crate::message::{Code, Direction, Generation, Id, Kind, Message, spec};

impl Core {
    /// Forwards or answers one message of the host's.
    pub(super) async fn to_server(self: &Arc<Self>, message: Message, reply: &Arc<dyn Host>) {
        match message.kind() {
            Kind::Request { id, method } => {
                let (id, method) = (id.clone(), method.clone());
                self.request(message, &id, &method, reply).await;
            }
            Kind::Notification { method } => {
                let method = method.clone();
                self.notification(message, &method).await;
            }
            Kind::Answer { id, .. } => {
                let asked = id.as_ref().is_some_and(|id| self.table().take_server(id));
                if asked {
                    self.pass(message).await;
                } else {
                    tracing::warn!("dropped an answer of the host's to nothing that was asked");
                }
            }
        }
    }

    async fn request(
        self: &Arc<Self>,
        message: Message,
        id: &Id,
        method: &str,
        reply: &Arc<dyn Host>,
    ) {
        let facts = Facts::of(&message);
        let generation = facts.generation().or_else(|| self.generation());
        if !self.allows(generation, Direction::ToServer, method) {
            let reason = "this method is in no specification of MCP that the proxy knows, and not \
                          among its `allow_methods`";
            let _ = reply.answer(words::error(Some(id), Code::Method, reason));
            return;
        }
        if method == "tools/call" {
            self.hold(message, id, facts, generation, reply);
            return;
        }
        let asks = Asks::of(method);
        // From taking it in to handing it over: nothing may come in between.
        let order = self.order.lock().await;
        let opened = {
            let mut table = self.table();
            let opened = table.open(id, reply, &facts, asks, Stage::Passed);
            if asks == Asks::Initialize && opened.is_ok() {
                table.session = Session::opened(&message);
            }
            opened
        };
        let key = match opened {
            Ok(key) => key,
            Err(full) => return refuse(&full, id, reply),
        };
        let sent = match self.seen_by_server(message, &key) {
            Some(message) => self.server.send(message).await.is_ok(),
            None => false,
        };
        drop(order);
        if !sent {
            self.lost(&key, "the MCP server could not be reached");
        }
    }

    /// Takes a tool call to the gate, in a task of its own.
    fn hold(
        self: &Arc<Self>,
        message: Message,
        id: &Id,
        facts: Facts,
        generation: Option<Generation>,
        reply: &Arc<dyn Host>,
    ) {
        let (task, ended) = oneshot::channel();
        let opened = {
            let mut table = self.table();
            let ticket = table.ticket();
            let stage = Stage::Held {
                task,
                call: ticket,
                bytes: message.bytes().len(),
            };
            let opened = table.open(id, reply, &facts, Asks::Anything, stage);
            opened.map(|key| (key, ticket, table.session.clone()))
        };
        match opened {
            Ok((key, ticket, session)) => {
                let place = call::Place { key, ticket };
                let held = call::Held::new(self, place, message, facts, generation, session, reply);
                tokio::spawn(held.run(ended));
            }
            Err(full) => refuse(&full, id, reply),
        }
    }

    /// The same message as the server is to see it; `None` by a fault of ours.
    pub(super) fn seen_by_server(&self, message: Message, key: &Id) -> Option<Message> {
        match self.sharing {
            Sharing::One => Some(message),
            Sharing::Many => {
                let token = self.table().token_of(key);
                rewrite::request(&message, key, token.as_ref())
            }
        }
    }

    async fn notification(self: &Arc<Self>, message: Message, method: &str) {
        if !self.allows(self.generation(), Direction::ToServer, method) {
            tracing::warn!("dropped a notification of the host's that no specification knows");
            return;
        }
        if method != "notifications/cancelled" {
            self.pass(message).await;
        } else if self.sharing == Sharing::Many {
            // Which host's request has this id cannot be told; over HTTP they close its stream instead.
            tracing::debug!("dropped a cancellation by message");
        } else if let Some((id, _)) = rewrite::param(&message, "requestId") {
            self.cancelled(message, &id).await;
        } else if names_task(&message) {
            self.pass(message).await;
        } else {
            tracing::debug!("dropped a cancellation of nothing");
        }
    }

    async fn cancelled(self: &Arc<Self>, message: Message, id: &Id) {
        let cancelled = self.table().cancel(id);
        match cancelled {
            // Dropped with its task: the approval stays for the next identical call.
            Cancelled::Held(flight) => {
                drop(flight);
                tracing::info!("the host took a held tool call back");
            }
            Cancelled::Running => {
                self.pass(message).await;
                self.linger(id.clone());
            }
            Cancelled::Unknown => tracing::debug!("dropped a cancellation of nothing in flight"),
        }
    }

    /// Gives a cancelled request up when its answer does not come: none may come.
    pub(super) fn linger(self: &Arc<Self>, key: Id) {
        let core = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(core.settings.linger).await;
            let given_up = core.table().take_cancelled(&key);
            if let Some(flight) = given_up
                && let Stage::Started(started) = flight.stage
            {
                super::guarded("the loss of a cancelled call", || started.lost());
            }
        });
    }

    /// Nobody reads the answers that would go to `reply`.
    pub(super) fn hung_up(self: &Arc<Self>, reply: &Arc<dyn Host>) {
        let keys = self.table().of(reply);
        for key in keys {
            let cancelled = self.table().cancel(&key);
            match cancelled {
                Cancelled::Held(flight) => drop(flight),
                Cancelled::Unknown => {}
                Cancelled::Running => {
                    let core = Arc::clone(self);
                    tokio::spawn(async move {
                        let said = words::cancelled(&key, "the host closed the stream");
                        if let Ok(message) = Message::read(said, Direction::ToServer) {
                            core.pass(message).await;
                        }
                        core.server.forget(&key);
                        core.linger(key);
                    });
                }
            }
        }
    }

    /// Hands a message over that wants no answer.
    pub(super) async fn pass(&self, message: Message) {
        let _order = self.order.lock().await;
        if self.server.send(message).await.is_err() {
            tracing::debug!("the server is gone; a message to it was dropped");
        }
    }

    /// Whether a method may go this way. Where the generation is not known, any of them will do.
    pub(super) fn allows(
        &self,
        generation: Option<Generation>,
        direction: Direction,
        method: &str,
    ) -> bool {
        let known = match generation {
            Some(generation) => spec::is_known(generation, direction, method),
            None => [Generation::Sessions, Generation::Stateless]
                .into_iter()
                .any(|generation| spec::is_known(generation, direction, method)),
        };
        known
            || self
                .settings
                .allow_methods
                .iter()
                .any(|allowed| allowed == method)
    }
}

/// Answers a request that is not taken in.
fn refuse(full: &Full, id: &Id, reply: &Arc<dyn Host>) {
    let (code, reason) = full_reason(full);
    let _ = reply.answer(words::error(Some(id), code, reason));
}

pub(super) fn full_reason(full: &Full) -> (Code, &str) {
    match full {
        Full::Doubled => (Code::Invalid, "a request with this id is in flight"),
        Full::TooMany => (
            Code::Internal,
            "too many requests are in flight; try again later",
        ),
        Full::Ended(reason) => (Code::Internal, reason),
    }
}

/// 2025-11-25 lets `requestId` out where a task is meant; there `tasks/cancel` is the way.
fn names_task(message: &Message) -> bool {
    let names = message.look(|root| {
        let params = root.get("params");
        params.is_some_and(|params| params.get("requestId").is_none())
    });
    names == Some(true)
}
