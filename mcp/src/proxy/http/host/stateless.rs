//! 2026-07-28: every request stands for itself. All of them share one relay and one server, which
//! starts with the first, and again after it ended.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::super::super::seam::{Connect, Generation, Gone, Host, Relay};
use super::reply::HEADER_MISMATCH;
use super::stream::Stream;
use crate::message::{Code, Direction, Kind, Message};

/// Longer answers are no errors of the protocol's.
const LONGEST_ERROR: usize = 64 << 10;

/// The one connection that all requests share.
pub(super) struct Shared {
    connect: Arc<dyn Connect>,
    relay: Mutex<Option<Arc<dyn Relay>>>,
}

impl Shared {
    pub(super) fn new(connect: Arc<dyn Connect>) -> Self {
        Self {
            connect,
            relay: Mutex::default(),
        }
    }

    /// The relay, with a server that runs.
    pub(super) async fn relay(&self) -> Result<Arc<dyn Relay>, String> {
        let mut shared = self.relay.lock().await;
        if let Some(relay) = shared.as_ref().filter(|relay| !relay.has_ended()) {
            return Ok(Arc::clone(relay));
        }
        let relay = self
            .connect
            .connect(Generation::Stateless, Arc::new(Nobody))
            .await?;
        *shared = Some(Arc::clone(&relay));
        Ok(relay)
    }

    /// Ends it.
    pub(super) async fn close(&self) {
        if let Some(relay) = self.relay.lock().await.take() {
            relay.host_gone();
        }
    }
}

/// What belongs to no request belongs to nobody: there is no stream for it.
pub(super) struct Nobody;

impl Host for Nobody {
    fn tell(&self, _: Bytes) -> Result<(), Gone> {
        Err(Gone)
    }
}

/// Tells the relay when a stream is closed before its answer: that is a cancellation.
pub(super) struct HangUp {
    relay: Arc<dyn Relay>,
    stream: Arc<Stream>,
}

impl HangUp {
    pub(super) fn new(relay: Arc<dyn Relay>, stream: Arc<Stream>) -> Self {
        Self { relay, stream }
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        if !self.stream.has_ended() {
            self.stream.end();
            let host: Arc<dyn Host> = self.stream.clone();
            self.relay.hung_up(&host);
        }
    }
}

/// The status that goes with the first message of an answer: errors of the protocol have their own.
pub(super) fn status(answer: &Bytes) -> StatusCode {
    const MISSING_CAPABILITY: i64 = -32_021;
    const UNSUPPORTED_VERSION: i64 = -32_022;
    if answer.len() > LONGEST_ERROR {
        return StatusCode::OK;
    }
    let Ok(message) = Message::read(answer.clone(), Direction::ToHost) else {
        return StatusCode::OK;
    };
    if !matches!(message.kind(), Kind::Answer { is_error: true, .. }) {
        return StatusCode::OK;
    }
    let code = message
        .look(|root| root.get("error")?.get("code")?.as_i64())
        .flatten();
    match code {
        Some(code) if code == i64::from(Code::Method.number()) => StatusCode::NOT_FOUND,
        Some(MISSING_CAPABILITY | UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        Some(code)
            if [
                Code::Parse.number(),
                Code::Invalid.number(),
                HEADER_MISMATCH,
            ]
            .map(i64::from)
            .contains(&code) =>
        {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    }
}
