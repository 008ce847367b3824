//! The way to an engine in the same process: the wire's requests and answers without a wire.

use std::sync::Arc;

use sernixa_engine::{self as engine, Engine, Moment, Principal, Timestamp};
use sernixa_protocol::json::Document;

use super::desk::Desk;
use crate::clock::Clock;
use crate::error::Error;
use crate::transport::{
    Answer, ApprovalId, Endpoint, Fault, Request, Sending, Subscription, Transport, Wake,
};

/// Answers on the caller's own thread.
pub(super) struct EmbeddedTransport {
    engine: Engine,
    desk: Desk,
    principal: Principal,
    clock: Arc<dyn Clock>,
}

impl EmbeddedTransport {
    pub(super) fn new(engine: Engine, desk: Desk, clock: Arc<dyn Clock>) -> Self {
        Self {
            engine,
            desk,
            principal: Principal::local(),
            clock,
        }
    }

    fn answer(&self, request: &Request) -> Result<Answer, Fault> {
        let body = request.text();
        let asked = match &request.endpoint {
            Endpoint::Submit => engine::Request::Submit { body },
            Endpoint::Record(id) => engine::Request::Record {
                approval_id: id.as_str(),
            },
            Endpoint::Claim(id) => engine::Request::Claim {
                approval_id: id.as_str(),
                body,
            },
            Endpoint::Withdraw(id) => engine::Request::Withdraw {
                approval_id: id.as_str(),
                body,
            },
            Endpoint::Outcomes => engine::Request::Outcomes { body },
            Endpoint::Delegations => engine::Request::Delegate { body },
            Endpoint::Ready => return Ok(ready()),
        };
        let now = moment(&*self.clock).map_err(|error| Fault::Unreachable(error.into()))?;
        let answer = self.engine.handle(&self.principal, asked, &now);
        if request.endpoint == Endpoint::Submit && answer.status == 202 {
            self.hand_to_reviewer(&answer.body);
        }
        Ok(Answer::json(answer.status, answer.body))
    }

    /// An answer of the engine's own making always names its approval; were it not so, the waiter
    /// would refuse the answer, too.
    fn hand_to_reviewer(&self, body: &str) {
        let Ok(document) = Document::parse(body) else {
            return;
        };
        let id = document
            .root()
            .get("approval_id")
            .and_then(|id| id.as_str());
        if let Some(id) = id.and_then(|id| engine::ApprovalId::parse(&id)) {
            self.desk.take_in(id);
        }
    }
}

/// Now, with fresh randomness.
pub(super) fn moment(clock: &dyn Clock) -> Result<Moment, Error> {
    let mut seed = [0; 32];
    crate::random::fill(&mut seed)?;
    Ok(Moment::new(
        Timestamp::from_millis(clock.unix_millis()),
        seed,
    ))
}

/// The readiness document of PROTOCOL 6.
fn ready() -> Answer {
    let body =
        r#"{"status":"ready","runtime_mode":"embedded","checks":{"engine":{"status":"ok"}}}"#;
    Answer::json(200, body)
}

impl Transport for EmbeddedTransport {
    fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>> {
        Some(self.answer(request))
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(std::future::ready(self.answer(&request)))
    }

    fn subscribe(&self, wake: Wake) -> Option<Subscription> {
        let subscription = self.engine.subscribe(Box::new(move |change| {
            if let Some(id) = ApprovalId::new(&change.approval_id().to_string()) {
                wake(&id);
            }
        }));
        Some(Box::new(subscription))
    }

    fn retries(&self) -> bool {
        false
    }
}
