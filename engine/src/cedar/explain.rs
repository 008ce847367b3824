//! What would happen to a submission, and which policies say so: for whoever writes policies.
//!
//! The order of the rules is the engine's (DESIGN 10); the tests hold the two together.

use cedar_policy::{
    AuthorizationError, Authorizer, Decision, Effect, Entities, EntityUid, PolicySet as CedarSet,
    Request,
};
use sernixa_protocol::submission;

use crate::approval::{Status, Subject};
use crate::cedar::load::Loaded;
use crate::cedar::{PolicySet, facts};
use crate::digest::Digest;
use crate::grant::LowOrMedium;
use crate::keyring::Keyring;
use crate::moment::Timestamp;
use crate::policy::{Because, Policy as _, ProceedVerdict, Question, RequestVerdict};
use crate::principal::Principal;
use crate::receive;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// A submission that nobody sends.
#[derive(Clone, Copy, Debug)]
pub struct Supposed<'a> {
    /// Its body, as it would be sent.
    pub body: &'a str,
    /// The key that would send it.
    pub caller: &'a Principal,
    /// The agent that a delegation would name; `None`: the one in the body's envelope, or none.
    pub agent: Option<&'a str>,
    /// How many links the delegation would have; 0 for what is not delegated.
    pub delegation_depth: u8,
    /// When it would be judged.
    pub now: Timestamp,
}

/// What would happen to a submission. Memory and resumption are left out: they depend on what
/// happened before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// `blocked`, `auto_approved` or `pending_review`.
    pub outcome: Status,
    /// The rule that decides: `dlp_floor`, `metadata_type`, `policy`, `policy_error` or
    /// `hard_rule`.
    pub rule: &'static str,
    /// Why, in one line.
    pub reason: String,
    /// The ids of the policies that decide, or that fail; none where no policy permits.
    pub policies: Vec<String>,
    /// Who asks: what stands in `Sernixa::Agent::"…"`.
    pub agent: String,
    /// What would be done: what stands in `Sernixa::Tool::"…"`.
    pub tool: String,
    /// What is intended: what stands in `Sernixa::Intent::"…"`.
    pub intent: String,
    /// The set that was asked.
    pub digest: Digest,
    /// May this be asked at all? `None` where a rule above the policies answers.
    pub request: Option<Opinions>,
    /// May it run without a person? `None` where that was not asked.
    pub proceed: Option<Opinions>,
}

/// What policies say to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinions {
    /// Whether the answer is yes.
    pub is_yes: bool,
    /// The policies that match or fail, in order of their ids.
    pub policies: Vec<Opinion>,
    /// How many policies of the question do not match.
    pub silent: usize,
}

/// What one policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Its `@id`.
    pub id: String,
    /// The file that it is in.
    pub file: String,
    /// `permit` or `forbid`.
    pub effect: &'static str,
    /// Its `@reason`.
    pub reason: Option<String>,
    /// Why it fails; `None` where it matches.
    pub failure: Option<String>,
}

impl PolicySet {
    /// What would happen to a submission under this set, and which policies say so.
    ///
    /// # Errors
    /// The refusal that a submission gets which does not keep the contract.
    pub fn explain(&self, supposed: &Supposed<'_>) -> Result<Explanation, Refusal> {
        let received = receive::receive(
            supposed.body,
            supposed.caller,
            &Settings::default(),
            &Keyring::default(),
            supposed.now,
        )?;
        let mut subject = received.subject;
        act_for(&mut subject, supposed);
        let explanation = Explanation {
            outcome: Status::Blocked,
            rule: "dlp_floor",
            reason: String::new(),
            policies: Vec::new(),
            agent: facts::Agent::of(&subject).to_string(),
            tool: subject.action_id.to_string(),
            intent: subject.intent_id.to_string(),
            digest: self.digest(),
            request: None,
            proceed: None,
        };
        if let Some(kind) = received.secret {
            return Ok(Explanation {
                reason: format!("it holds {}", kind.describe()),
                ..explanation
            });
        }
        let question = Question {
            subject: &subject,
            now: supposed.now,
        };
        let verdict = self.verdict(&question);
        let (request, proceed) = self.opinions(&question);
        let is_yes = verdict.request == RequestVerdict::Permit;
        let asked = Explanation {
            request: request.map(|opinions| Opinions { is_yes, ..opinions }),
            ..explanation
        };
        let policies = deciding(verdict.request_because());
        let (rule, reason) = match verdict.request {
            RequestVerdict::Permit => {
                let is_yes = verdict.proceed == ProceedVerdict::Proceed;
                let proceed = proceed.map(|opinions| Opinions { is_yes, ..opinions });
                let why = verdict.proceed_because().and_then(|why| why.reason.clone());
                let (outcome, rule, reason) = may_run(&subject, verdict.proceed, why.as_deref());
                let policies = if rule == "hard_rule" {
                    Vec::new()
                } else {
                    deciding(verdict.proceed_because())
                };
                return Ok(Explanation {
                    outcome,
                    rule,
                    reason,
                    policies,
                    proceed,
                    ..asked
                });
            }
            RequestVerdict::Deny(reason) => ("policy", reason.into_owned()),
            RequestVerdict::MetadataType { key, wanted } => {
                let reason = format!("the metadata member `{key}` must be of the type {wanted}");
                ("metadata_type", reason)
            }
            RequestVerdict::Error | RequestVerdict::Broken => (
                "policy_error",
                "a policy failed, and that is a no".to_owned(),
            ),
        };
        Ok(Explanation {
            rule,
            reason,
            policies,
            ..asked
        })
    }

    /// The time that `text` says: with an offset (`2026-05-05T10:00:00+02:00`), else as clocks
    /// show it in the set's zone (`2026-05-05 10:00`). `None` for anything else.
    pub fn time(&self, text: &str) -> Option<Timestamp> {
        let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            let zoned = civil.to_zoned(self.set.zone.clone()).ok()?;
            Some(zoned.timestamp())
        })?;
        let millis = u64::try_from(instant.as_millisecond()).ok()?;
        Some(Timestamp::from_millis(millis))
    }

    /// What each policy says alone, to both questions.
    fn opinions(&self, question: &Question<'_>) -> (Option<Opinions>, Option<Opinions>) {
        stacker::maybe_grow(self.stack, self.stack, || {
            let Ok(put) = self.facts(question).and_then(|facts| self.ready(facts)) else {
                return (None, None);
            };
            let ask = |action: &EntityUid, is_asked: fn(&Loaded) -> bool| {
                let policies = self.set.policies.iter().filter(|loaded| is_asked(loaded));
                put.to(action, |request, entities| {
                    alone(policies, &self.authorizer, request, entities)
                })
                .ok()
            };
            (
                ask(&self.words.request, |loaded| loaded.answers.request),
                ask(&self.words.proceed, |loaded| loaded.answers.proceed),
            )
        })
    }
}

/// The policies that an answer rests on: those that fail, where any does.
fn deciding(because: Option<&Because>) -> Vec<String> {
    let ids = because.map(|because| {
        if because.failed.is_empty() {
            &because.policies
        } else {
            &because.failed
        }
    });
    ids.into_iter().flatten().map(ToString::to_string).collect()
}

/// Who would act, as a delegation in order would say it.
fn act_for(subject: &mut Subject, supposed: &Supposed<'_>) {
    let claimed = || {
        let sent = submission::Received::parse(supposed.body).ok()?;
        Some(sent.delegated?.agent_id)
    };
    let Some(agent) = supposed.agent.map(str::to_owned).or_else(claimed) else {
        return;
    };
    subject.agent_id = Some(agent.into());
    subject.delegation_depth = supposed.delegation_depth.max(1);
}

/// The rules after a yes to `request`.
fn may_run(
    subject: &Subject,
    proceed: ProceedVerdict,
    why: Option<&str>,
) -> (Status, &'static str, String) {
    if LowOrMedium::new(subject.risk).is_none() {
        let reason = "a person decides what is of high or critical risk";
        return (Status::PendingReview, "hard_rule", reason.to_owned());
    }
    match proceed {
        ProceedVerdict::Proceed => {
            let reason = "the policy lets it proceed";
            (Status::AutoApproved, "policy", reason.to_owned())
        }
        ProceedVerdict::Review => {
            let reason = why.unwrap_or("the policy asks for a person");
            (Status::PendingReview, "policy", reason.to_owned())
        }
        ProceedVerdict::Error => {
            let reason = "the policy could not tell, so a person decides";
            (Status::PendingReview, "policy_error", reason.to_owned())
        }
    }
}

/// Asks each policy by itself.
fn alone<'a>(
    policies: impl Iterator<Item = &'a Loaded>,
    authorizer: &Authorizer,
    request: &Request,
    entities: &Entities,
) -> Opinions {
    let mut opinions = Opinions {
        is_yes: false,
        policies: Vec::new(),
        silent: 0,
    };
    for loaded in policies {
        let Ok(single) = CedarSet::from_policies([loaded.policy.clone()]) else {
            continue;
        };
        let response = authorizer.is_authorized(request, &single, entities);
        let failure = response.diagnostics().errors().next().map(|error| {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            error.inner().to_string()
        });
        let matches = match loaded.policy.effect() {
            Effect::Permit => response.decision() == Decision::Allow,
            Effect::Forbid => response.diagnostics().reason().next().is_some(),
        };
        if !matches && failure.is_none() {
            opinions.silent += 1;
            continue;
        }
        opinions.policies.push(Opinion {
            id: loaded.id().to_owned(),
            file: loaded.file.to_string(),
            effect: match loaded.policy.effect() {
                Effect::Permit => "permit",
                Effect::Forbid => "forbid",
            },
            reason: loaded.reason.as_deref().map(str::to_owned),
            failure,
        });
    }
    opinions
}
