//! The way to an engine in the same process: the wire's requests and answers without a wire.

use std::sync::Arc;

use sernixa_engine::{self as engine, Engine, Principal};
use sernixa_protocol::json::Document;

use super::desk::Desk;
use super::moments::Moments;
use super::watcher::Watcher;
use crate::transport::{
    Answer, ApprovalId, Endpoint, Fault, Push, Request, Sending, Subscription, Transport, Wake,
};

/// Answers on the caller's own thread.
pub(super) struct EmbeddedTransport {
    engine: Engine,
    /// Absent where pending approvals are left to other processes.
    desk: Option<Desk>,
    watcher: Watcher,
    principal: Principal,
    moments: Arc<Moments>,
}

impl EmbeddedTransport {
    pub(super) fn new(
        engine: Engine,
        desk: Option<Desk>,
        watcher: Watcher,
        moments: Arc<Moments>,
    ) -> Self {
        Self {
            engine,
            desk,
            watcher,
            principal: Principal::local(),
            moments,
        }
    }

    /// The readiness document of PROTOCOL 6.
    fn ready(&self) -> Answer {
        let capabilities = self.engine.settings().capabilities();
        let body = format!(
            r#"{{"status":"ready","runtime_mode":"embedded","capabilities":{capabilities},"checks":{{"engine":{{"status":"ok"}}}}}}"#
        );
        Answer::json(200, body)
    }

    fn answer(&self, request: &Request) -> Answer {
        match Self::asked(request) {
            Some(asked) => {
                let answer = self
                    .engine
                    .handle(&self.principal, asked, &self.moments.now());
                self.answered(request, answer)
            }
            None => self.ready(),
        }
    }

    /// What the engine is asked; `None` where the answer is not its own.
    fn asked(request: &Request) -> Option<engine::Request<'_>> {
        let body = request.text();
        Some(match &request.endpoint {
            Endpoint::Submit => engine::Request::Submit { body },
            Endpoint::CallTool => engine::Request::CallTool { body },
            Endpoint::Record(id) => engine::Request::Record {
                approval_id: id.as_str(),
            },
            Endpoint::Await(id) => engine::Request::Await {
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
            Endpoint::VisibleTools => engine::Request::VisibleTools { body },
            Endpoint::Outcomes => engine::Request::Outcomes { body },
            Endpoint::Delegations => engine::Request::Delegate { body },
            Endpoint::Ready => return None,
        })
    }

    fn answered(&self, request: &Request, answer: engine::Answer) -> Answer {
        if let Some(desk) = &self.desk
            && matches!(request.endpoint, Endpoint::Submit | Endpoint::CallTool)
            && answer.status == 202
        {
            hand_in(desk, &answer.body);
        }
        Answer::json(answer.status, answer.body)
    }
}

/// Puts what waits on the reviewer's desk. An answer of the engine's own making always names its
/// approval; were it not so, the waiter would refuse the answer, too.
fn hand_in(desk: &Desk, body: &str) {
    let Ok(document) = Document::parse(body) else {
        return;
    };
    let id = document
        .root()
        .get("approval_id")
        .and_then(|id| id.as_str());
    if let Some(id) = id.and_then(|id| engine::ApprovalId::parse(&id)) {
        desk.take_in(id);
    }
}

/// Wakes whoever waits for what changed.
pub(super) fn pass_on(change: &engine::Change, wake: &Wake) {
    let push = match change.kind() {
        engine::ChangeKind::Decided | engine::ChangeKind::Expired | engine::ChangeKind::Blocked => {
            Push::Changed
        }
        engine::ChangeKind::Resumed => Push::Superseded(change.seq()),
        // Nobody waits to hear that something was asked, claimed or reported.
        _ => return,
    };
    if let Some(id) = ApprovalId::new(&change.approval_id().to_string()) {
        wake(&id, push);
    }
}

impl Transport for EmbeddedTransport {
    fn answer_now(&self, request: &Request) -> Option<Result<Answer, Fault>> {
        Some(Ok(self.answer(request)))
    }

    fn answer_with_outcomes(
        &self,
        request: &Request,
        outcomes: &Request,
    ) -> Option<(Result<Answer, Fault>, Answer)> {
        let asked = Self::asked(request)?;
        let now = self.moments.now();
        let (answer, reported) =
            self.engine
                .handle_with_outcomes(&self.principal, asked, outcomes.text(), &now);
        let answer = self.answered(request, answer);
        Some((Ok(answer), self.answered(outcomes, reported)))
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(std::future::ready(Ok(self.answer(&request))))
    }

    fn subscribe(&self, wake: Wake) -> Option<Subscription> {
        let others = self.watcher.report_to(Arc::clone(&wake));
        let own = self
            .engine
            .subscribe(Box::new(move |change| pass_on(change, &wake)));
        Some(Box::new((own, others)))
    }

    fn awaited(&self, awaited: bool) {
        self.watcher.awaited(awaited);
    }

    fn retries(&self) -> bool {
        false
    }
}
