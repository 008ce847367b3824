//! The way to an engine in the same process: the wire's requests and answers without a wire.

use std::sync::Arc;

use sernixa_engine::{self as engine, Engine, Principal};
use sernixa_protocol::json::Document;

use super::desk::Desk;
use super::moments::Moments;
use crate::transport::{
    Answer, ApprovalId, Endpoint, Fault, Push, Request, Sending, Subscription, Transport, Wake,
};

/// Answers on the caller's own thread.
pub(super) struct EmbeddedTransport {
    engine: Engine,
    desk: Desk,
    principal: Principal,
    moments: Arc<Moments>,
}

impl EmbeddedTransport {
    pub(super) fn new(engine: Engine, desk: Desk, moments: Arc<Moments>) -> Self {
        Self {
            engine,
            desk,
            principal: Principal::local(),
            moments,
        }
    }

    fn answer(&self, request: &Request) -> Answer {
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
            Endpoint::Ready => return ready(),
        };
        let now = self.moments.now();
        let answer = self.engine.handle(&self.principal, asked, &now);
        if request.endpoint == Endpoint::Submit && answer.status == 202 {
            self.hand_to_reviewer(&answer.body);
        }
        Answer::json(answer.status, answer.body)
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

/// The readiness document of PROTOCOL 6.
fn ready() -> Answer {
    let body =
        r#"{"status":"ready","runtime_mode":"embedded","checks":{"engine":{"status":"ok"}}}"#;
    Answer::json(200, body)
}

impl Transport for EmbeddedTransport {
    fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>> {
        Some(Ok(self.answer(request)))
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(std::future::ready(Ok(self.answer(&request))))
    }

    fn subscribe(&self, wake: Wake) -> Option<Subscription> {
        let subscription = self.engine.subscribe(Box::new(move |change| {
            let push = match change.kind() {
                engine::ChangeKind::Decided
                | engine::ChangeKind::Expired
                | engine::ChangeKind::Blocked => Push::Changed,
                engine::ChangeKind::Resumed => Push::Superseded(change.seq()),
                // Asking, claiming and reporting are the client's own doing: nobody waits to hear it.
                _ => return,
            };
            if let Some(id) = ApprovalId::new(&change.approval_id().to_string()) {
                wake(&id, push);
            }
        }));
        Some(Box::new(subscription))
    }

    fn retries(&self) -> bool {
        false
    }
}
