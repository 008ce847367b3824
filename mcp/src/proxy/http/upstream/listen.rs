//! What an upstream sends on its own account: the stream of a GET, taken up again when it ends.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use tokio::time::sleep;

use super::super::EVENTS;
use super::Line;
use super::events::{Events, is};
use super::exchange::{LONGEST_RETRY, RETRY, is_passing, message_of};
use crate::message::{Direction, Kind, Message, Seems};
use crate::proxy::seam::Relay;

/// The longest wait after failures.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

impl Line {
    /// Listens to what the server sends on its own account, if it offers that.
    pub(super) fn listen(self: &Arc<Self>) {
        let mut listening = self.listening();
        if self.session().is_over {
            return;
        }
        let task = tokio::spawn(Arc::clone(self).run_listening());
        if let Some(before) = listening.replace(task.abort_handle()) {
            before.abort();
        }
    }

    async fn run_listening(self: Arc<Self>) {
        let mut last = None;
        let mut retry = RETRY;
        let mut backoff = RETRY;
        loop {
            let Some(relay) = self.relay() else {
                return;
            };
            match self.client.execute(self.get(last.clone())).await {
                Ok(response) if self.ended_with(&response) => return self.session_lost(),
                Ok(response)
                    if response.status() == StatusCode::OK && is(response.headers(), EVENTS) =>
                {
                    backoff = RETRY;
                    let mut events = Events::of(response);
                    while let Some(event) = events.next().await {
                        if let Some(id) = event.id.as_deref() {
                            last = HeaderValue::from_str(id).ok().filter(|id| !id.is_empty());
                        }
                        if let Some(millis) = event.retry {
                            retry = Duration::from_millis(millis).min(LONGEST_RETRY);
                        }
                        if let Some(message) = message_of(event) {
                            self.heard(&*relay, message).await;
                        }
                    }
                    drop(relay);
                    sleep(retry).await;
                }
                // It offers none (405), or not to us.
                Ok(response) if !is_passing(response.status()) => return,
                Ok(_) | Err(_) => {
                    drop(relay);
                    sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    async fn heard(self: &Arc<Self>, relay: &dyn Relay, message: bytes::Bytes) {
        match Message::read(message, Direction::ToHost) {
            Ok(message) if matches!(message.kind(), Kind::Answer { .. }) => {
                tracing::warn!("the upstream answers a request where no answers belong");
            }
            Ok(message) => relay.from_server(message, None).await,
            Err(refused) if refused.seems == Seems::Request => {
                self.say_at_all(refused.to_message());
            }
            Err(refused) => {
                tracing::warn!(
                    reason = refused.reason,
                    "a message of the upstream is refused"
                );
            }
        }
    }
}
