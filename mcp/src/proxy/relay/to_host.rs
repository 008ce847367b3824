//! What comes from the server.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;

use super::super::seam::{Host, Started};
use super::table::{Asks, Flight, Stage, Taken};
use super::to_server::full_reason;
use super::{Core, Sharing, guarded, rewrite, words};
use crate::message::{Code, Direction, Generation, Id, Kind, Message};

impl Core {
    /// Forwards or answers one message of the server's.
    pub(super) async fn to_host(self: &Arc<Self>, message: Message, about: Option<&Id>) {
        match message.kind() {
            Kind::Answer { id: Some(id), .. } => {
                let taken = self.table().take_answered(id);
                match taken {
                    Taken::Flight(flight) => self.answered(*flight, message),
                    Taken::Asked(asker) => drop(asker.send(message)),
                    Taken::Nothing => {
                        tracing::warn!("dropped an answer of the server's to nothing in flight");
                    }
                }
            }
            // It could not read something, and cannot say what.
            Kind::Answer { id: None, .. } => {
                tracing::warn!("the server could not read a message");
                if self.sharing == Sharing::One {
                    let _ = self.standing.tell(message.bytes().clone());
                }
            }
            Kind::Request { id, method } => {
                let (id, method) = (id.clone(), method.clone());
                self.server_request(message, &id, &method, about).await;
            }
            Kind::Notification { method } => {
                let method = method.clone();
                self.server_notification(&message, &method, about);
            }
        }
    }

    /// Brings an answer to whoever asked.
    fn answered(self: &Arc<Self>, flight: Flight, message: Message) {
        let is_error = matches!(message.kind(), Kind::Answer { is_error: true, .. });
        let message = match self.sharing {
            Sharing::One => message,
            Sharing::Many => message.with_id(&flight.id),
        };
        if let Stage::Started(started) = flight.stage {
            self.started_answered(flight.id, flight.reply, started, message);
            return;
        }
        match flight.asks {
            Asks::ToolsList if !is_error => {
                self.listed(flight, message);
                return;
            }
            Asks::Initialize if !is_error => self.table().session.is_agreed = true,
            Asks::Listen if self.sharing == Sharing::Many => {
                if let Some((_, place)) = rewrite::subscription(&message) {
                    let _ = flight
                        .reply
                        .answer(rewrite::at(&message, &place, &flight.id));
                    return;
                }
            }
            _ => {}
        }
        let _ = flight.reply.answer(message.bytes().clone());
    }

    /// Brings the answer to a tool call. Noting how it ended may take a durable write; nobody else waits
    /// for that.
    fn started_answered(
        &self,
        id: Id,
        reply: Arc<dyn Host>,
        started: Box<dyn Started>,
        message: Message,
    ) {
        let open = self.open();
        tokio::spawn(async move {
            let answer = guarded("the answer to a tool call", || started.answered(&message));
            let answer =
                answer.unwrap_or_else(|| words::error(Some(&id), Code::Internal, words::BUG));
            let _ = reply.answer(answer);
            drop(open);
        });
    }

    /// Shows a list of tools as the gate lets it be seen. It may ask the service; nobody waits for it.
    fn listed(self: &Arc<Self>, flight: Flight, message: Message) {
        let core = Arc::clone(self);
        let open = self.open();
        tokio::spawn(async move {
            let shown = AssertUnwindSafe(core.settings.gate.listed(&message)).catch_unwind();
            let answer = shown.await.unwrap_or_else(|_| {
                tracing::error!("a list of tools met a bug of the proxy's, and was not shown");
                words::error(Some(&flight.id), Code::Internal, words::BUG)
            });
            let _ = flight.reply.answer(answer);
            drop(open);
        });
    }

    async fn server_request(
        self: &Arc<Self>,
        message: Message,
        id: &Id,
        method: &str,
        about: Option<&Id>,
    ) {
        let generation = self.generation();
        let refused = if self.allows(generation, Direction::ToHost, method) {
            let host = self.host_for(about);
            let opened = self.table().open_server(id, &host);
            match opened {
                Ok(()) if self.tell(&host, message.bytes()) => None,
                Ok(()) => {
                    self.table().take_server(id);
                    Some((Code::Internal, "the host does not listen".to_owned()))
                }
                Err(full) => {
                    let (code, reason) = full_reason(&full);
                    Some((code, reason.to_owned()))
                }
            }
        } else {
            let reason = "the host is not asked this: no specification of MCP that the proxy knows \
                          has this method here";
            Some((Code::Method, reason.to_owned()))
        };
        if let Some((code, reason)) = refused {
            let answer = words::error(Some(id), code, &reason);
            if let Ok(answer) = Message::read(answer, Direction::ToServer) {
                self.pass(answer).await;
            }
        }
    }

    fn server_notification(self: &Arc<Self>, message: &Message, method: &str, about: Option<&Id>) {
        if !self.allows(self.generation(), Direction::ToHost, method) {
            tracing::warn!("dropped a notification of the server's that no specification knows");
            return;
        }
        if method == "notifications/tools/list_changed" {
            guarded("a change of tools", || self.settings.gate.tools_changed());
        }
        match method {
            "notifications/progress" => self.progressed(message, about),
            "notifications/cancelled" => self.server_cancelled(message, about),
            _ => self.notified(message, method, about),
        }
    }

    fn progressed(&self, message: &Message, about: Option<&Id>) {
        let token = rewrite::param(message, "progressToken");
        let found = {
            let table = self.table();
            token.and_then(|(token, place)| {
                let flight = table.with_token(&token)?;
                Some((Arc::clone(&flight.reply), flight.token.clone()?, place))
            })
        };
        match (found, self.sharing) {
            (Some((reply, token, place)), Sharing::Many) => {
                let _ = reply.tell(rewrite::at(message, &place, &token));
            }
            (Some((reply, ..)), Sharing::One) => {
                self.tell(&reply, message.bytes());
            }
            // A task's token lives on after the call that made the task was answered.
            (None, Sharing::One) => {
                let host = self.host_for(about);
                self.tell(&host, message.bytes());
            }
            (None, Sharing::Many) => tracing::debug!("dropped progress of nothing in flight"),
        }
    }

    /// The server takes one of its own requests back, or ends a subscription (2026-07-28).
    fn server_cancelled(self: &Arc<Self>, message: &Message, about: Option<&Id>) {
        let Some((id, place)) = rewrite::param(message, "requestId") else {
            if self.sharing == Sharing::One {
                let host = self.host_for(about);
                self.tell(&host, message.bytes());
            }
            return;
        };
        if self.sharing == Sharing::One {
            let host = self.table().server_request(&id);
            let host = host.unwrap_or_else(|| self.host_for(about.or(Some(&id))));
            self.tell(&host, message.bytes());
            // Its answer may still come, and is the server's to ignore.
            return;
        }
        let listens = {
            let table = self.table();
            let flight = table.flight(&id);
            flight
                .filter(|flight| flight.asks == Asks::Listen)
                .map(|flight| (Arc::clone(&flight.reply), flight.id.clone()))
        };
        if let Some((reply, own)) = listens {
            let taken = self.table().take_answered(&id);
            drop(taken);
            let _ = reply.tell(rewrite::at(message, &place, &own));
            reply.close();
        }
    }

    /// Anything else that the server says unasked.
    fn notified(&self, message: &Message, method: &str, about: Option<&Id>) {
        if let Some((id, place)) = rewrite::subscription(message) {
            let listens = {
                let table = self.table();
                let flight = table.flight(&id);
                flight.map(|flight| (Arc::clone(&flight.reply), flight.id.clone()))
            };
            match (listens, self.sharing) {
                (Some((reply, own)), Sharing::Many) => {
                    let _ = reply.tell(rewrite::at(message, &place, &own));
                    return;
                }
                (Some((reply, _)), Sharing::One) => {
                    self.tell(&reply, message.bytes());
                    return;
                }
                (None, Sharing::Many) => {
                    tracing::debug!("dropped a notification of a subscription that ended");
                    return;
                }
                (None, Sharing::One) => {}
            }
        }
        if self.sharing == Sharing::One {
            let host = self.host_for(about);
            self.tell(&host, message.bytes());
            return;
        }
        // Hosts that share a server must not see each other's: it has to be clear whose it is.
        let reply = {
            let table = self.table();
            let logs = method == "notifications/message";
            let flight = about.and_then(|about| table.flight(about)).or_else(|| {
                logs.then(|| table.only(|flight| flight.wants_logs))
                    .flatten()
            });
            flight.map(|flight| Arc::clone(&flight.reply))
        };
        if let Some(reply) = reply {
            let _ = reply.tell(message.bytes().clone());
        } else {
            tracing::debug!("dropped a notification that is no host's in particular");
        }
    }

    /// Where something goes that belongs to the request `about`; without one, to the only request that
    /// the server works at, else to the standing stream.
    fn host_for(&self, about: Option<&Id>) -> Arc<dyn Host> {
        let table = self.table();
        let flight = match about {
            Some(about) => table.flight(about),
            None => table.only(|_| true),
        };
        let host = flight.map_or(&self.standing, |flight| &flight.reply);
        Arc::clone(host)
    }

    /// Tells a host, or the standing stream when nobody listens there any more.
    fn tell(&self, host: &Arc<dyn Host>, message: &Bytes) -> bool {
        host.tell(message.clone()).is_ok() || self.standing.tell(message.clone()).is_ok()
    }

    /// The generation that the server speaks, if it is known.
    pub(super) fn generation(&self) -> Option<Generation> {
        match self.sharing {
            Sharing::Many => Some(Generation::Stateless),
            Sharing::One => self.table().session.generation(),
        }
    }
}
