//! Deciding one call: what it is, whether it was begun before, and else what a policy or a person says.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sernixa::{Error, Pending, Permit, RiskLevel, Submitted};
use sernixa_protocol::display::one_line;
use tokio::time::MissedTickBehavior;

use super::action::{Asked, host_name};
use super::answer::{self, Decision, EXPIRED, PENDING, Shape, Structured};
use super::call::Call;
use super::classify::{Gravity, classify};
use super::retry::Retry;
use super::running::Running;
use super::seal::{Kind, Sealed};
use super::tools::Facts;
use super::{Core, ROUNDS, splice};
use crate::message::{Code, Direction, Message};
use crate::proxy::off_worker::begin_off_worker;
use crate::proxy::seam::{Generation, Line, ToolCall, Verdict};

/// How long a call that is held at all is held at least: the first look, by which an approval that was
/// given before is taken up, has to come back in time. Without a hold there is that one look, however
/// long it takes.
const LOOK: Duration = Duration::from_secs(1);

/// For how long a call is told of a rejection that nobody waited for.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Between two notes of progress: well below the shortest time-out of a host that counts them.
const PROGRESS: Duration = Duration::from_secs(5);

/// Decides a call.
pub(super) async fn decide(core: &Arc<Core>, request: ToolCall, line: &dyn Line) -> Verdict {
    let shape = Shape::new(request.request.id(), request.generation);
    let read = match Call::read(&request.request, request.generation) {
        Ok(read) => read,
        Err(fault) => return Verdict::Answer(shape.error(Code::Params, fault)),
    };
    if core.is_hidden(&read.name) {
        return Verdict::Answer(shape.unknown_tool(&read.name));
    }
    let retry = match core.retry(&read) {
        Ok(retry) => retry,
        Err(fault) => return Verdict::Answer(shape.error(Code::Params, fault)),
    };
    let facts = core.tools.facts(&read.name, line).await;
    let hints: Vec<_> = facts.definitions.iter().map(|tool| tool.hints).collect();
    let rules = &core.settings.rules;
    let gravity = classify(core.server(), rules, &read.name, &hints, facts.pin);
    let deciding = Deciding {
        core,
        shape,
        structured: if facts.takes_structured() {
            Structured::Yes
        } else {
            Structured::No
        },
        host: host_name(request.host_name.as_deref()),
        request,
        read,
        facts,
        gravity,
        retry,
    };
    deciding.verdict(line).await
}

/// A call that is being decided.
struct Deciding<'c> {
    core: &'c Arc<Core>,
    shape: Shape,
    structured: Structured,
    host: Option<String>,
    request: ToolCall,
    read: Call,
    facts: Facts,
    gravity: Gravity,
    retry: Retry,
}

impl Deciding<'_> {
    async fn verdict(self, line: &dyn Line) -> Verdict {
        let core = self.core;
        if let Some(sealed) = &self.retry.sealed
            && self.retry.declined
        {
            return self.pending_review(&sealed.approval);
        }
        if let Some(sealed) = self.unasked() {
            return self.go_on(sealed).await;
        }
        let asked = self.asked();
        let said = self.waited().map(|sealed| sealed.ordinal);
        let key = asked.key(core);
        let ordinal = core.ordinals.take(key, said);
        let left = core.behind(key, ordinal.number());
        if let Some(refused) = self.refused_meanwhile(&left).await {
            return refused;
        }
        let hold = match core.settings.hold {
            Duration::ZERO => Duration::ZERO,
            hold => hold.max(LOOK),
        };
        let client = &core.settings.client;
        let submitted = begin_off_worker(async {
            let action = asked.action(core, ordinal.number())?;
            client.submit(&action.wait_at_most(hold)).await
        });
        match submitted.await {
            Ok(Submitted::Allowed(permit)) => self.allowed(permit),
            Ok(Submitted::Pending(pending)) => {
                self.hold(pending, ordinal.number(), &left, line).await
            }
            Err(error) => self.refused(&error),
        }
    }

    /// The state of a call that runs, and goes on without a new question.
    fn unasked(&self) -> Option<&Sealed> {
        let grave = matches!(self.gravity.risk, RiskLevel::High | RiskLevel::Critical);
        let sealed = self.retry.sealed.as_ref();
        sealed.filter(|sealed| sealed.kind == Kind::Continued && !grave)
    }

    /// Goes on with a call that runs. What its server is answered stands in the audit first, as a
    /// digest, or the server is not answered.
    async fn go_on(&self, sealed: &Sealed) -> Verdict {
        let digest = self.asked().input_digest(self.core);
        let Some(reports) = &sealed.reports else {
            self.note_inputs(sealed, &digest);
            return self.forward(None, &sealed.approval);
        };
        let Some(continuation) = reports.continuation() else {
            let fault = "the request cannot be forwarded";
            return Verdict::Answer(self.shape.error(Code::Internal, fault));
        };
        let client = &self.core.settings.client;
        match begin_off_worker(client.continue_permit(continuation, &digest)).await {
            Ok(permit) => self.allowed(permit),
            Err(error) => self.refused(&error),
        }
    }

    /// Whether a person refused such a call after it had been answered. It is told once: whoever asks
    /// again then asks anew.
    async fn refused_meanwhile(&self, left: &[u8]) -> Option<Verdict> {
        let settings = &self.core.settings;
        let id = settings.state.left(left).ok()??;
        let reason = settings.client.rejection(&id).await.ok()??;
        settings.state.settle(left).ok()?;
        let (text, decision) = answer::rejected(&reason, &id);
        Some(self.answer(&text, &decision))
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            call: &self.read,
            facts: &self.facts,
            gravity: &self.gravity,
            host: self.host.as_deref(),
            inputs: self
                .retry
                .inputs
                .as_ref()
                .map(|inputs| inputs.canonical.as_str()),
            upstream: self.upstream(),
        }
    }

    fn upstream(&self) -> Option<&str> {
        self.retry.sealed.as_ref()?.upstream.as_deref()
    }

    /// The state of a call for which a person is asked already.
    fn waited(&self) -> Option<&Sealed> {
        let sealed = self.retry.sealed.as_ref();
        sealed.filter(|sealed| sealed.kind == Kind::Asked)
    }

    /// Waits for the decision, and says so. How long is the client's to count: it does not leave an
    /// approval that it is claiming.
    async fn hold(&self, pending: Pending, ordinal: u32, left: &[u8], line: &dyn Line) -> Verdict {
        let id = pending.approval_id().to_owned();
        let can_resume = pending.can_resume();
        let note = self.note(&id);
        line.progress(&note);
        let mut decided = pin!(pending.decided());
        let next = tokio::time::Instant::now() + PROGRESS;
        let mut progress = tokio::time::interval_at(next, PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let decided = loop {
            tokio::select! {
                biased;
                decided = &mut decided => break decided,
                _ = progress.tick() => line.progress(&note),
            }
        };
        match decided {
            Ok(permit) => {
                // A row that stays costs the next such call a question.
                let _ = self.core.settings.state.settle(left);
                // A person approved the tool as it was then.
                let now = self.core.tools.facts(&self.read.name, line).await;
                if self.facts.holds(&now) {
                    self.allowed(permit)
                } else {
                    permit.not_started();
                    self.tool_changed(&id)
                }
            }
            Err(error) if !error.is_undecided() => self.refused(&error),
            Err(_) if can_resume => self.over(&id, ordinal, left),
            Err(_) => self.expired(&id),
        }
    }

    /// Nobody decided while the call was held; the approval stays.
    fn over(&self, id: &str, ordinal: u32, left: &[u8]) -> Verdict {
        let now = SystemTime::now();
        let noted = self
            .core
            .settings
            .state
            .leave(left, id, now + REMEMBERED, now);
        if let Err(error) = noted {
            // A rejection is not told then, and the next such call asks anew.
            tracing::warn!(server = self.core.server(), %error, "an approval was not noted");
        }
        self.come_back(id, ordinal)
            .unwrap_or_else(|| self.pending_review(id))
    }

    /// `input_required`, as long as there are rounds left.
    fn come_back(&self, id: &str, ordinal: u32) -> Option<Verdict> {
        if self.request.generation != Generation::Stateless {
            return None;
        }
        let before = self.waited().map_or(0, |sealed| sealed.round);
        if before >= ROUNDS {
            return None;
        }
        let settings = &self.core.settings;
        // Once in a call; who went there need not be sent again.
        let console = settings
            .console
            .as_ref()
            .filter(|_| self.request.elicits_url && before == 0);
        if console.is_none() && settings.hold.is_zero() {
            // A host comes back at once, and again, for nothing.
            return None;
        }
        let mut sealed = Sealed::new(
            Kind::Asked,
            id,
            &self.core.call_digest(&self.read),
            before + 1,
        );
        sealed.ordinal = ordinal;
        sealed.upstream = self.upstream().map(str::to_owned);
        sealed.inputs = self.retry.inputs.as_ref().map(|inputs| inputs.raw.clone());
        let state = self.core.seal(&sealed)?;
        let question = console.map(|console| {
            let mut url = console.clone();
            url.set_fragment(Some(&format!("/approvals/{id}")));
            let tool = one_line(&self.read.name);
            let message = format!(
                "A person has to approve the call of {tool} on {} first. Open the console to decide \
                 (approval {}).",
                self.core.server(),
                one_line(id)
            );
            (url.to_string(), message)
        });
        let question = question
            .as_ref()
            .map(|(url, message)| (url.as_str(), message.as_str()));
        Some(Verdict::Answer(self.shape.come_back(&state, question, id)))
    }

    /// What a person does to decide.
    fn note(&self, id: &str) -> String {
        let settings = &self.core.settings;
        let id = one_line(id);
        let console = settings
            .console
            .as_ref()
            .map(|url| format!(", or at {url}"));
        format!(
            "waiting for a person to approve {} on {} (approval {id}): {} {id}{}",
            one_line(&self.read.name),
            self.core.server(),
            settings.decide,
            console.unwrap_or_default(),
        )
    }

    fn pending_review(&self, id: &str) -> Verdict {
        let settings = &self.core.settings;
        let shown = one_line(id);
        let console = settings
            .console
            .as_ref()
            .map(|url| format!(" (or at {url})"));
        let text = format!(
            "Not run yet: a person has to approve this call first. Tell the user: approval {shown} \
             waits; to approve it: {} {shown}{}. Then call {} again with the same arguments.",
            settings.decide,
            console.unwrap_or_default(),
            one_line(&self.read.name),
        );
        self.answer(
            &text,
            &Decision {
                status: PENDING,
                reason: Some("a person has to decide"),
                approval_id: Some(id),
                ..Decision::default()
            },
        )
    }

    fn tool_changed(&self, id: &str) -> Verdict {
        let text = "Not run: this call was approved, but its tool changed meanwhile. Calling again asks \
                    anew, for the tool as it is now.";
        self.answer(
            text,
            &Decision {
                status: "tool_changed",
                reason: Some("the tool changed while its call waited"),
                approval_id: Some(id),
                ..Decision::default()
            },
        )
    }

    fn expired(&self, id: &str) -> Verdict {
        let text = "Not run: nobody approved this call in time, and the approval service does not let \
                    a later call take the request up, so it was given up. Calling again asks anew.";
        self.answer(
            text,
            &Decision {
                status: EXPIRED,
                reason: Some("nobody decided in time"),
                approval_id: Some(id),
                ..Decision::default()
            },
        )
    }

    fn refused(&self, error: &Error) -> Verdict {
        let (mut text, decision) = answer::of_error(error);
        let way_out = &self.core.settings.way_out;
        // Not of a service that answers, and be it nonsense.
        let is_away = decision.status == answer::UNAVAILABLE
            && error.is_retryable()
            && error.status_code().is_none();
        if is_away && !way_out.is_empty() {
            text.push(' ');
            text.push_str(way_out);
        }
        self.answer(&text, &decision)
    }

    fn answer(&self, text: &str, decision: &Decision<'_>) -> Verdict {
        Verdict::Answer(self.shape.refusal(text, decision, self.structured))
    }

    fn allowed(&self, permit: Permit) -> Verdict {
        let approval = permit.approval_id().unwrap_or_default().to_owned();
        self.forward(Some(permit), &approval)
    }

    /// Lets the call through; with a permit, or as a part of one that was begun with one.
    fn forward(&self, permit: Option<Permit>, approval: &str) -> Verdict {
        let Some(message) = self.to_server() else {
            if let Some(permit) = permit {
                permit.not_started();
            }
            let fault = "the request cannot be forwarded";
            return Verdict::Answer(self.shape.error(Code::Internal, fault));
        };
        Verdict::Forward {
            message,
            started: Box::new(Running {
                core: Arc::clone(self.core),
                // The host does not wait until it is written down how its call ended.
                permit: permit.map(Permit::reported_later),
                approval: approval.to_owned(),
                call: self.core.call_digest(&self.read),
                round: self.unasked().map_or(0, |sealed| sealed.round),
                generation: self.request.generation,
                structured: self.structured,
            }),
        }
    }

    /// The request as the server gets it: with its own state, and the answers that were decided on.
    fn to_server(&self) -> Option<Message> {
        if self.retry.sealed.is_none() {
            return Some(self.request.request.clone());
        }
        let upstream = self
            .upstream()
            .map(|state| serde_json::Value::from(state).to_string());
        let text = std::str::from_utf8(self.request.request.bytes()).ok()?;
        let text = splice::member(text, &["params"], "requestState", upstream.as_deref())?;
        let inputs = self.retry.inputs.as_ref().map(|inputs| inputs.raw.as_str());
        let text = splice::member(&text, &["params"], "inputResponses", inputs)?;
        Message::read(text.into(), Direction::ToServer).ok()
    }

    /// Of a service that takes no reports: the only trace of what a server was told in a call that goes
    /// on unasked. It is written wherever anything is.
    fn note_inputs(&self, sealed: &Sealed, digest: &str) {
        tracing::warn!(
            server = self.core.server(),
            tool = %one_line(&self.read.name),
            approval_id = %one_line(&sealed.approval),
            round = sealed.round,
            input_digest = %digest,
            "a tool call goes on with answers to its server's questions"
        );
    }
}
