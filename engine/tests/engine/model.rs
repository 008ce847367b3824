//! A small reference model of the life cycle, which knows nothing of the engine: random commands,
//! wrong tokens, late claims, double decisions and jumps in time.
//!
//! It is run by [`check`] on an engine of whatever store: the tests of `sernixa-store` include this
//! file, too.

use proptest::prelude::*;
use serde_json::json;
use sernixa_engine::{Principal, Request, Role};

use crate::support::{Bench, Draft, HOUR, MINUTE, Waiting, agent, reviewer};

/// What someone does. Indexes are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Ask {
        call: u8,
        resumable: bool,
        plain: bool,
    },
    Decide {
        which: usize,
        approve: bool,
    },
    Claim {
        which: usize,
        claim: u8,
        fault: Fault,
    },
    Withdraw {
        which: usize,
        fault: Fault,
    },
    Report {
        which: usize,
        outcome: &'static str,
        fault: Fault,
    },
    Read {
        which: usize,
    },
    Sweep,
    Pass(u64),
}

/// What is wrong with a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    Token,
    Body,
    Stranger,
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let fault = || {
        prop_oneof![
            6 => Just(Fault::None),
            1 => Just(Fault::Token),
            1 => Just(Fault::Body),
            1 => Just(Fault::Stranger),
        ]
    };
    let outcome = prop::sample::select(vec![
        "succeeded",
        "failed",
        "not_started",
        "outcome_unknown",
        "continued",
    ]);
    let command = prop_oneof![
        4 => (0..3_u8, any::<bool>(), any::<bool>())
            .prop_map(|(call, resumable, plain)| Command::Ask { call, resumable, plain }),
        5 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(which, approve)| Command::Decide { which, approve }),
        6 => (any::<usize>(), 0..3_u8, fault())
            .prop_map(|(which, claim, fault)| Command::Claim { which, claim, fault }),
        2 => (any::<usize>(), fault()).prop_map(|(which, fault)| Command::Withdraw { which, fault }),
        3 => (any::<usize>(), outcome, fault())
            .prop_map(|(which, outcome, fault)| Command::Report { which, outcome, fault }),
        3 => any::<usize>().prop_map(|which| Command::Read { which }),
        1 => Just(Command::Sweep),
        4 => prop::sample::select(vec![
            1, MINUTE, 5 * MINUTE, 10 * MINUTE - 1, 10 * MINUTE, 15 * MINUTE, HOUR,
        ])
        .prop_map(Command::Pass),
    ];
    prop::collection::vec(command, 1..80)
}

/// One approval, as the design tells it.
#[derive(Clone, Debug)]
struct Model {
    id: String,
    call: u8,
    resumable: bool,
    plain: bool,
    tokens: Vec<String>,
    asked: u64,
    decision: Option<(bool, u64)>,
    withdrawn: Option<u64>,
    claim: Option<(u8, u64)>,
    delivered: bool,
    outcome: Option<&'static str>,
}

impl Model {
    fn status(&self, now: u64) -> &'static str {
        match (self.decision, self.withdrawn) {
            (_, Some(_)) => "expired",
            (None, None) if now >= self.asked + 15 * MINUTE => "expired",
            (None, None) => "pending_review",
            (Some((false, _)), _) => "rejected",
            (Some((true, at)), _) if !self.is_used() && now >= at + 10 * MINUTE => "expired",
            (Some((true, _)), _) => "approved",
        }
    }

    fn is_used(&self) -> bool {
        self.claim.is_some() || self.delivered || self.outcome.is_some()
    }

    fn execution(&self, now: u64) -> &'static str {
        match (self.outcome, self.claim, self.delivered) {
            (Some(outcome), _, _) => outcome,
            (None, Some((_, at)), _) if now >= at + HOUR => "outcome_unknown",
            (None, Some(_), _) => "claimed",
            (None, None, true) => "delivered",
            (None, None, false) => "none",
        }
    }

    fn is_open(&self, now: u64) -> bool {
        match self.status(now) {
            "pending_review" => true,
            "approved" => !self.is_used(),
            _ => false,
        }
    }
}

/// The engine and the model, side by side.
struct Pair {
    bench: Bench,
    models: Vec<Model>,
    hash_of: Vec<String>,
    has_claimed: bool,
}

fn stranger() -> Principal {
    Principal::new("acme", "stranger")
        .with(Role::Agent)
        .with(Role::Reviewer)
}

impl Pair {
    fn ask(&mut self, call: u8, resumable: bool, plain: bool) {
        let mut draft = Draft::high().digest(call);
        if resumable {
            draft = draft.resume("key");
        }
        if plain {
            draft = draft.without("policy_surface");
        }
        let now = self.bench.now();
        let waiting = self.bench.submit(&agent(), &draft.body()).waiting();
        let open = self.models.iter().rposition(|model| {
            resumable && model.resumable && (model.call, model.plain) == (call, plain)
        });
        let open = open.filter(|&at| self.models[at].is_open(now));
        if let Some(at) = open {
            assert_eq!(waiting.id, self.models[at].id, "it is resumed");
            self.models[at].tokens.push(waiting.token);
        } else {
            assert!(
                self.models.iter().all(|model| model.id != waiting.id),
                "it is new"
            );
            self.hash_of.push(waiting.body_hash);
            self.models.push(Model {
                id: waiting.id,
                call,
                resumable,
                plain,
                tokens: vec![waiting.token],
                asked: now,
                decision: None,
                withdrawn: None,
                claim: None,
                delivered: false,
                outcome: None,
            });
        }
    }

    fn decide(&mut self, at: usize, approve: bool) {
        let now = self.bench.now();
        let model = &mut self.models[at];
        let word = if approve { "approved" } else { "rejected" };
        let body = json!({"decision": word, "reason": "seen"}).to_string();
        let request = Request::Decide {
            approval_id: &model.id,
            body: &body,
        };
        let answer = self.bench.handle(&reviewer(), request);
        let status = model.status(now);
        if status == "pending_review" {
            model.decision = Some((approve, now));
            assert_eq!(answer.status, 200);
        } else if model.decision.is_some_and(|(before, _)| before == approve) {
            assert_eq!(answer.status, 200);
        } else {
            answer.is(409, status);
        }
    }

    /// The token a client of this approval would present: mostly the last, sometimes an older one.
    fn token(&self, at: usize, fault: Fault, older: bool) -> (String, &'static str) {
        let tokens = &self.models[at].tokens;
        match fault {
            Fault::Token => ("0".repeat(64), "invalid_claim_token"),
            Fault::Stranger => (tokens.last().unwrap().clone(), "invalid_claim_token"),
            _ if older && tokens.len() > 1 => (tokens[0].clone(), "superseded"),
            _ => (tokens.last().unwrap().clone(), ""),
        }
    }

    fn claim(&mut self, at: usize, claim: u8, fault: Fault) {
        let now = self.bench.now();
        let (token, token_fault) = self.token(at, fault, claim == 2);
        let waiting = Waiting {
            id: self.models[at].id.clone(),
            token,
            body_hash: if fault == Fault::Body {
                "0".repeat(64)
            } else {
                self.hash_of[at].clone()
            },
        };
        let caller = if fault == Fault::Stranger {
            stranger()
        } else {
            agent()
        };
        let answer = self
            .bench
            .claim(&caller, &waiting, &format!("{claim:032x}"));
        let model = &mut self.models[at];
        let status = model.status(now);
        if !token_fault.is_empty() {
            answer.is(409, token_fault);
        } else if model.claim.is_some_and(|(winner, _)| winner == claim) {
            assert_eq!(answer.status, 200, "the lost answer again: {}", answer.body);
        } else if fault == Fault::Body {
            answer.is(409, "body_mismatch");
        } else if status != "approved" {
            answer.is(409, status);
        } else if model.is_used() {
            answer.is(409, "already_claimed");
        } else {
            assert_eq!(answer.status, 200, "{}", answer.body);
            model.claim = Some((claim, now));
            self.has_claimed = true;
        }
    }

    fn withdraw(&mut self, at: usize, fault: Fault) {
        let now = self.bench.now();
        let (token, token_fault) = self.token(at, fault, false);
        let waiting = Waiting {
            id: self.models[at].id.clone(),
            token,
            body_hash: String::new(),
        };
        let caller = if fault == Fault::Stranger {
            stranger()
        } else {
            agent()
        };
        let answer = self.bench.withdraw(&caller, &waiting);
        let model = &mut self.models[at];
        let status = model.status(now);
        if !token_fault.is_empty() {
            answer.is(409, token_fault);
        } else if model.resumable {
            answer.is(409, "resumable");
        } else if model.withdrawn.is_some() {
            assert_eq!(answer.status, 200);
        } else if matches!(status, "pending_review" | "approved") && !model.is_used() {
            assert_eq!(answer.status, 200);
            model.withdrawn = Some(now);
        } else if status == "approved" {
            answer.is(409, "already_claimed");
        } else {
            answer.is(409, status);
        }
    }

    fn report(&mut self, at: usize, outcome: &'static str, fault: Fault) {
        let now = self.bench.now();
        let (token, token_fault) = self.token(at, fault, false);
        let caller = if fault == Fault::Stranger {
            stranger()
        } else {
            agent()
        };
        let report = json!({"approval_id": self.models[at].id, "claim_token": token,
            "outcome": outcome});
        let result = self.bench.report(&caller, report);
        let model = &mut self.models[at];
        let before = model.execution(now);
        let expected = match before {
            _ if !token_fault.is_empty() => token_fault,
            "claimed" | "delivered" | "outcome_unknown" | "continued" => "recorded",
            "none" if outcome == "not_started" && model.status(now) == "approved" => "recorded",
            "none" => "not_claimed",
            same if same == outcome => "recorded",
            _ => "already_reported",
        };
        assert_eq!(result, expected, "{before} and then {outcome}");
        if expected == "recorded" {
            model.outcome = Some(outcome);
        }
    }

    fn read(&mut self, at: usize) {
        let now = self.bench.now();
        let has_claimed = self.has_claimed;
        let model = &mut self.models[at];
        let request = Request::Record {
            approval_id: &model.id,
        };
        let answer = self.bench.handle(&agent(), request);
        assert_eq!(answer.status, 200);
        if model.plain && !has_claimed && model.status(now) == "approved" && !model.is_used() {
            model.delivered = true;
        }
        assert_eq!(answer.body["execution"], model.execution(now));
    }

    fn do_one(&mut self, command: &Command) {
        let count = self.models.len();
        match *command {
            Command::Ask {
                call,
                resumable,
                plain,
            } => self.ask(call, resumable, plain),
            Command::Pass(millis) => self.bench.pass(millis),
            Command::Sweep => drop(self.bench.engine.sweep(&self.bench.moment()).unwrap()),
            _ if count == 0 => {}
            Command::Decide { which, approve } => self.decide(which % count, approve),
            Command::Claim {
                which,
                claim,
                fault,
            } => self.claim(which % count, claim, fault),
            Command::Withdraw { which, fault } => self.withdraw(which % count, fault),
            Command::Report {
                which,
                outcome,
                fault,
            } => {
                self.report(which % count, outcome, fault);
            }
            Command::Read { which } => self.read(which % count),
        }
    }

    fn compare(&self) {
        let now = self.bench.now();
        for model in &self.models {
            let record = self.bench.look(&model.id);
            assert_eq!(record["status"], model.status(now), "{model:?}");
            assert_eq!(record["execution"], model.execution(now), "{model:?}");
        }
        let pending = self
            .bench
            .engine
            .pending(&reviewer(), 1_000, &self.bench.moment())
            .unwrap();
        let waiting = self
            .models
            .iter()
            .filter(|model| model.status(now) == "pending_review");
        assert_eq!(pending.len(), waiting.count());
    }
}

/// Runs the commands on the engine and the model, and compares the two after each.
pub(crate) fn check(bench: Bench, commands: &[Command]) {
    let mut pair = Pair {
        bench,
        models: Vec::new(),
        hash_of: Vec::new(),
        has_claimed: false,
    };
    for command in commands {
        pair.do_one(command);
        pair.compare();
    }
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    let report = pair.bench.engine.verify_audit(&auditor, &[]).unwrap();
    assert!(report.is_valid(), "{report:?}");
    // Once: however it went, nothing was claimed twice.
    let mut claimed: Vec<_> = pair
        .bench
        .events()
        .into_iter()
        .filter(|event| event["event_type"] == "approval_claimed")
        .map(|event| event["approval_id"].to_string())
        .collect();
    let all = claimed.len();
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), all);
}
