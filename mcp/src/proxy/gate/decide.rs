//! Deciding one call: what it is, whether it was begun before, and else what a policy or a person says.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sernixa::{Error, Pending, Permit, RiskLevel, Submitted};
use sernixa_protocol::display::one_line;
use sernixa_protocol::json::Document;
use tokio::time::MissedTickBehavior;

use super::action::{Asked, host_name};
use super::answer::{self, Decision, EXPIRED, PENDING, QUESTION, Shape, Structured};
use super::call::{Call, Inputs, object};
use super::classify::{Gravity, classify};
use super::running::Running;
use super::seal::{Kind, Opened, Sealed};
use super::tools::Facts;
use super::{Core, ROUNDS, splice};
use crate::message::{Code, Direction, Message};
use crate::proxy::seam::{Generation, Line, ToolCall, Verdict};

/// How long a call is held at least, or an approval that was given before could never be taken up.
const LOOK: Duration = Duration::from_secs(1);

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

/// A call that comes with a sealed state, or without.
#[derive(Debug, Default)]
struct Retry {
    sealed: Option<Sealed>,
    /// The answers to the server's questions, ours taken out.
    inputs: Option<Inputs>,
    /// The user did not want to open the console.
    declined: bool,
}

impl Core {
    /// What a call comes back with. Its state is spent here.
    ///
    /// # Errors
    /// For a state that is not of this proxy and this call, or was used before: nothing is forwarded.
    fn retry(&self, call: &Call) -> Result<Retry, &'static str> {
        const FAULT: &str = "`params.requestState` is not valid for this call: it was changed, belongs \
                             to another call, is too old or was used before; call without it";
        let now = SystemTime::now();
        let Some(text) = &call.state else {
            return Ok(Retry {
                inputs: call.inputs.clone(),
                ..Retry::default()
            });
        };
        let opened: Opened = self.sealer.open(text, now).ok_or(FAULT)?;
        if opened.sealed.call != self.call_digest(call) {
            return Err(FAULT);
        }
        let (answer, mut inputs) = match &call.inputs {
            Some(inputs) => own_answer(inputs).ok_or("`params.inputResponses` cannot be read")?,
            None => (None, None),
        };
        if opened.sealed.kind == Kind::Asked {
            // What the server is to be told was asked about; it cannot become something else now.
            let about = opened.sealed.inputs.clone();
            let about = about
                .map(|raw| Inputs::of_text(raw).ok_or(FAULT))
                .transpose()?;
            let same = match (&inputs, &about) {
                (Some(given), Some(about)) => given.canonical == about.canonical,
                // A host answers what it was asked last, and that was not this.
                (given, _) => given.is_none(),
            };
            if !same {
                return Err("`params.inputResponses` are not those that approval was asked for");
            }
            inputs = about;
        }
        match self.settings.state.spend(&opened.id, opened.until, now) {
            Ok(true) => {}
            Ok(false) => return Err(FAULT),
            Err(error) => {
                tracing::error!(server = self.server(), %error, "a sealed state was not spent");
                return Err("the proxy cannot keep its state; tell its operator");
            }
        }
        Ok(Retry {
            sealed: Some(opened.sealed),
            inputs,
            declined: answer.is_some_and(|action| action != "accept"),
        })
    }
}

/// The answer to our own question, and the answers to the server's. `None` where they cannot be read.
fn own_answer(inputs: &Inputs) -> Option<(Option<String>, Option<Inputs>)> {
    let document = Document::parse(&inputs.raw).ok()?;
    let all = document.root();
    if all.get(QUESTION).is_none() {
        return Some((None, Some(inputs.clone())));
    }
    let own = all.get(QUESTION).map(|answer| {
        let action = answer
            .get("action")
            .and_then(|action| Some(action.as_str()?.into_owned()));
        action.unwrap_or_default()
    });
    let rest: Vec<_> = all.members().filter(|(key, _)| !key.is(QUESTION)).collect();
    if rest.is_empty() {
        return Some((own, None));
    }
    Some((own, Some(Inputs::of_text(object(rest))?)))
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
        if let Some(sealed) = &self.retry.sealed {
            if self.retry.declined {
                return self.pending_review(&sealed.approval);
            }
            let grave = matches!(self.gravity.risk, RiskLevel::High | RiskLevel::Critical);
            if sealed.kind == Kind::Continued && !grave {
                self.note_inputs(sealed);
                return self.forward(None, &sealed.approval);
            }
        }
        let asked = self.asked();
        let said = self.waited().map(|sealed| sealed.ordinal);
        let ordinal = core.ordinals.take(asked.key(core), said);
        let submitted = match asked.action(core, ordinal.number()) {
            Ok(action) => core.settings.client.submit(&action).await,
            Err(error) => Err(error),
        };
        match submitted {
            Ok(Submitted::Allowed(permit)) => self.allowed(permit),
            Ok(Submitted::Pending(pending)) => self.hold(pending, ordinal.number(), line).await,
            Err(error) => self.refused(&error),
        }
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

    /// Waits for the decision, and says so.
    async fn hold(&self, pending: Pending, ordinal: u32, line: &dyn Line) -> Verdict {
        let id = pending.approval_id().to_owned();
        let can_resume = pending.can_resume();
        let note = self.note(&id);
        let over = tokio::time::sleep(self.core.settings.hold.max(LOOK));
        let mut over = pin!(over);
        let mut decided = pin!(pending.decided());
        let mut progress = tokio::time::interval(PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                decided = &mut decided => {
                    return match decided {
                        Ok(permit) => self.allowed(permit),
                        // The client's own patience is shorter than ours.
                        Err(Error::Timeout(_)) if can_resume => self.over(&id, ordinal),
                        Err(error) => self.refused(&error),
                    };
                }
                () = &mut over => break,
                _ = progress.tick() => line.progress(&note),
            }
        }
        if can_resume {
            self.over(&id, ordinal)
        } else {
            self.expired(&id)
        }
    }

    /// Nobody decided while the call was held; the approval stays.
    fn over(&self, id: &str, ordinal: u32) -> Verdict {
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

    fn expired(&self, id: &str) -> Verdict {
        let text = "Not run: nobody approved this call in time, and the approval service does not let \
                    a later call take the request up, so it was withdrawn. Calling again asks anew.";
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
        let (text, decision) = answer::of_error(error);
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
        let continued = self.retry.sealed.as_ref().filter(|_| permit.is_none());
        Verdict::Forward {
            message,
            started: Box::new(Running {
                core: Arc::clone(self.core),
                permit,
                approval: approval.to_owned(),
                call: self.core.call_digest(&self.read),
                round: continued.map_or(0, |sealed| sealed.round),
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

    /// The only trace of what a server was told in a call that goes on unasked: it is written wherever
    /// anything is.
    fn note_inputs(&self, sealed: &Sealed) {
        tracing::warn!(
            server = self.core.server(),
            tool = %one_line(&self.read.name),
            approval_id = %one_line(&sealed.approval),
            round = sealed.round,
            input_digest = %self.asked().input_digest(self.core),
            "a tool call goes on with answers to its server's questions"
        );
    }
}
