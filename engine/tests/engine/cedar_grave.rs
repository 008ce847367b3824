//! Promise 5 under Cedar: high and critical are never approved without a person, whatever the
//! policies are and whatever happened before.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;
use sernixa_engine::cedar::{PolicySet, Sources, Supposed};
use sernixa_engine::{Engine, Principal, Request, Timestamp};

use crate::cedar::{ASK, METADATA, RUN};
use crate::support::{Bench, CLAIM, Draft, MINUTE, OTHER_CLAIM, Waiting, agent, reviewer};

/// A policy of any kind: sensible, permissive, failing, impossible, or no policy at all.
fn policy() -> impl Strategy<Value = String> {
    let effect = prop::sample::select(vec!["permit", "permit", "permit", "forbid"]);
    let principal = prop::sample::select(vec![
        "principal",
        "principal",
        AGENT,
        NOBODY,
        "principal is Sernixa::Agent",
    ]);
    let action = prop::sample::select(vec![
        "action",
        "action == Sernixa::Action::\"request\"",
        "action == Sernixa::Action::\"proceed\"",
        "action in [Sernixa::Action::\"request\", Sernixa::Action::\"proceed\"]",
    ]);
    let resource = prop::sample::select(vec![
        "resource",
        "resource",
        TOOL,
        INTENT,
        "resource is Sernixa::Tool",
    ]);
    let atom = prop::sample::select(vec![
        "context.risk >= 3",
        "context.risk_level == \"critical\"",
        "context.operation_class == \"read\"",
        "context.systems.contains(\"postgres\")",
        "context.delegated",
        "!context.delegated",
        "context.metadata has cents && context.metadata.cents * 9223372036854775807 > 1",
        "context.metadata has cents && context.metadata.cents > 10",
        "context.time.hour < 12",
        "resource in Sernixa::Intent::\"billing\"",
        // These do not validate.
        "context.metadata.cents > 10",
        "context.nothing",
        "true",
    ]);
    let joined = (atom.clone(), prop::sample::select(vec!["&&", "||"]), atom)
        .prop_map(|(one, operator, other)| format!("{one} {operator} {other}"));
    let condition = prop_oneof![
        3 => Just(String::new()),
        3 => joined.clone().prop_map(|body| format!("when {{ {body} }}")),
        1 => joined.prop_map(|body| format!("unless {{ {body} }}")),
    ];
    let policy = (effect, principal, action, resource, condition).prop_map(
        |(effect, principal, action, resource, condition)| {
            format!("{effect} ({principal}, {action}, {resource}) {condition};")
        },
    );
    prop_oneof![20 => policy, 1 => "[a-z(){};\"]{0,20}"]
}

fn policies() -> impl Strategy<Value = String> {
    prop::collection::vec(policy(), 1..6).prop_map(|policies| {
        let named = policies.iter().enumerate();
        let named = named.map(|(at, policy)| format!("@id(\"p{at}\") {policy}"));
        named.collect::<Vec<_>>().join("\n")
    })
}

/// Policies in order, most of which name something in their scope.
fn scoped() -> impl Strategy<Value = String> {
    let policy = (
        prop::sample::select(vec!["permit", "permit", "forbid"]),
        prop::sample::select(vec!["principal", "principal", AGENT, NOBODY]),
        prop::sample::select(vec!["request", "proceed"]),
        prop::sample::select(vec!["resource", TOOL, INTENT, INTENT]),
        prop::sample::select(vec!["", "", "when { context.operation_class == \"read\" }"]),
    )
        .prop_map(|(effect, principal, action, resource, condition)| {
            let action = format!("action == Sernixa::Action::\"{action}\"");
            format!("{effect} ({principal}, {action}, {resource}) {condition};")
        });
    prop::collection::vec(policy, 1..6).prop_map(|policies| {
        let named = policies.iter().enumerate();
        let named = named.map(|(at, policy)| format!("@id(\"p{at}\") {policy}"));
        named.collect::<Vec<_>>().join("\n")
    })
}

const AGENT: &str = "principal == Sernixa::Agent::\"owner:the agents' team\"";
const NOBODY: &str = "principal in Sernixa::Agent::\"nobody\"";
const TOOL: &str = "resource == Sernixa::Tool::\"pay-invoice\"";
const INTENT: &str = "resource in Sernixa::Intent::\"billing\"";

#[derive(Clone, Debug)]
struct Call {
    risk: &'static str,
    class: &'static str,
    nonce: Option<u8>,
    resume: bool,
    digest: u8,
    cents: Option<i64>,
}

impl Call {
    fn draft(&self) -> Draft {
        let draft = Draft::new(self.risk, self.class).digest(self.digest);
        let draft = self
            .nonce
            .iter()
            .fold(draft, |draft, &nonce| draft.nonce(nonce));
        let draft = self
            .cents
            .iter()
            .fold(draft, |draft, &cents| draft.meta("cents", cents));
        if self.resume {
            draft.resume("k")
        } else {
            draft
        }
    }

    fn is_grave(&self) -> bool {
        matches!(self.risk.to_lowercase().as_str(), "high" | "critical")
    }
}

fn call() -> impl Strategy<Value = Call> {
    (
        prop::sample::select(vec![
            "low", "medium", "high", "critical", "HIGH", "Critical",
        ]),
        prop::sample::select(vec!["read", "update", "READ"]),
        prop::option::of(0..3_u8),
        any::<bool>(),
        0..2_u8,
        prop::option::of(prop::sample::select(vec![0, 11, i64::MAX, i64::MIN])),
    )
        .prop_map(|(risk, class, nonce, resume, digest, cents)| Call {
            risk,
            class,
            nonce,
            resume,
            digest,
            cents,
        })
}

#[derive(Clone, Debug)]
enum Happening {
    Ask(Call),
    Approve(usize),
    Reject(usize),
    Claim(usize, bool),
    Withdraw(usize),
    Report(usize),
    Pass(u64),
    /// A reload, of a set that may be broken; then the one before stays.
    Policies(String),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        8 => call().prop_map(Happening::Ask),
        5 => any::<usize>().prop_map(Happening::Approve),
        1 => any::<usize>().prop_map(Happening::Reject),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, other)| Happening::Claim(which, other)),
        1 => any::<usize>().prop_map(Happening::Withdraw),
        1 => any::<usize>().prop_map(Happening::Report),
        1 => (0..20 * MINUTE).prop_map(Happening::Pass),
        2 => policies().prop_map(Happening::Policies),
    ];
    prop::collection::vec(happening, 1..50)
}

fn load(text: &str) -> Option<PolicySet> {
    let sources = Sources::new()
        .policies("random.cedar", text)
        .metadata("metadata.cedarschema", METADATA);
    PolicySet::load(&sources).ok()
}

fn play(
    bench: &Bench,
    happening: &Happening,
    waiting: &mut Vec<Waiting>,
) -> Result<(), TestCaseError> {
    let pick = |which: usize| (!waiting.is_empty()).then(|| waiting[which % waiting.len()].clone());
    match happening {
        Happening::Ask(call) => {
            let answer = bench.submit(&agent(), &call.draft().body());
            let may_run = answer.status == 200;
            prop_assert!(matches!(answer.status, 200 | 202 | 401 | 403), "{answer:?}");
            prop_assert!(!(may_run && call.is_grave()), "{call:?} {answer:?}");
            if answer.status == 202 {
                waiting.push(answer.waiting());
            }
        }
        Happening::Approve(which) | Happening::Reject(which) => {
            let Some(one) = pick(*which) else {
                return Ok(());
            };
            let word = if matches!(happening, Happening::Approve(_)) {
                "approved"
            } else {
                "rejected"
            };
            let body = json!({"decision": word, "reason": "seen"}).to_string();
            bench.handle(
                &reviewer(),
                Request::Decide {
                    approval_id: &one.id,
                    body: &body,
                },
            );
        }
        Happening::Claim(which, other) => {
            if let Some(one) = pick(*which) {
                bench.claim(&agent(), &one, if *other { OTHER_CLAIM } else { CLAIM });
            }
        }
        Happening::Withdraw(which) => {
            if let Some(one) = pick(*which) {
                bench.withdraw(&agent(), &one);
            }
        }
        Happening::Report(which) => {
            if let Some(one) = pick(*which) {
                bench.report(
                    &agent(),
                    json!({"approval_id": one.id, "claim_token": one.token, "outcome": "succeeded"}),
                );
            }
        }
        Happening::Pass(millis) => bench.pass(*millis),
        Happening::Policies(text) => {
            if let Some(set) = load(text) {
                bench.engine.replace_policy(Arc::new(set));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn high_and_critical_are_never_approved_without_a_person(
        first in policies(),
        history in happenings(),
    ) {
        let bench = Bench::service();
        let everything = format!("{ASK}\n{RUN}");
        let set = load(&first).or_else(|| load(&everything)).unwrap();
        bench.engine.replace_policy(Arc::new(set));
        let mut waiting = Vec::new();
        for happening in &history {
            play(&bench, happening, &mut waiting)?;
        }
        // Nothing grave was allowed at once, and nothing that waited was started before a person
        // said yes to just that.
        let mut approved = HashSet::new();
        for event in bench.events() {
            let grave = matches!(event["risk_level"].as_str(), Some("high" | "critical"));
            prop_assert!(!(grave && event["decision"] == "auto_approved"), "{}", event);
            let id = event["approval_id"].as_str().unwrap_or_default().to_owned();
            match event["event_type"].as_str().unwrap() {
                "approval_approved" => {
                    prop_assert_eq!(&event["owner"], "rita");
                    approved.insert(id);
                }
                "approval_claimed" => prop_assert!(approved.contains(&id), "{}", event),
                _ => {}
            }
        }
    }

    /// `explain`, which the command line shows, says what the engine does.
    #[test]
    fn what_explain_says_is_what_happens(text in policies(), call in call()) {
        let Some(set) = load(&text) else { return Ok(()) };
        let set = Arc::new(set);
        let bench = Bench::new(Engine::builder().policy(set.clone()).build().unwrap());
        let body = call.draft().body();
        let caller: Principal = agent();
        let explained = set
            .explain(&Supposed {
                body: &body,
                caller: &caller,
                agent: None,
                delegation_depth: 0,
                now: Timestamp::from_millis(bench.now()),
            })
            .unwrap();
        let answer = bench.submit(&caller, &body);
        let event = bench.events().pop().unwrap();
        let decision = match answer.status {
            200 => "auto_approved",
            202 => "pending_review",
            _ => "blocked",
        };
        prop_assert_eq!(explained.outcome.as_str(), decision);
        if decision == "pending_review" || explained.rule == "policy" {
            prop_assert_eq!(&event["reason"], &explained.reason);
        }
        if decision == "blocked" {
            prop_assert_eq!(&answer.body["detail"]["evidence"]["rule"], explained.rule);
            let member = if explained.rule == "policy_error" { "failed_policies" } else { "policies" };
            prop_assert_eq!(&event[member], &json!(explained.policies));
        }
        if let Some(request) = &explained.request {
            for id in &explained.policies {
                let told = [Some(request), explained.proceed.as_ref()];
                prop_assert!(told.into_iter().flatten().any(|opinions| {
                    opinions.policies.iter().any(|policy| policy.id == *id)
                }), "{} {:?}", id, explained);
            }
        }
    }

    /// Parted by scope, a set says what Cedar says of the whole: shown on sets in which every scope
    /// is moved into the condition, where nothing can be parted.
    #[test]
    fn a_set_that_is_parted_says_what_the_whole_says(
        text in scoped(),
        calls in prop::collection::vec((call(), 0..2_u8, 0..2_u8), 1..8),
    ) {
        let unscoped = unscoped(&text);
        prop_assert!(!unscoped.contains("(principal ") && !unscoped.contains(", resource "));
        let (parted, whole) = (load(&text).unwrap(), load(&unscoped).unwrap());
        let under = |set| Bench::new(Engine::builder().policy(Arc::new(set)).build().unwrap());
        let (parted, whole) = (under(parted), under(whole));
        for (call, tool, intent) in calls {
            let draft = call.draft().without("nonce").without("resume_key")
                .top("action_id", ["pay-invoice", "other"][usize::from(tool)])
                .top("intent_id", ["billing", "other"][usize::from(intent)]);
            let one = parted.submit(&agent(), &draft.body());
            let other = whole.submit(&agent(), &draft.body());
            prop_assert_eq!(one.status, other.status);
            prop_assert_eq!(one.reason(), other.reason());
            let (one, other) = (parted.events().pop(), whole.events().pop());
            prop_assert_eq!(&one.as_ref().unwrap()["policies"], &other.as_ref().unwrap()["policies"]);
        }
    }
}

/// The same policies with what their scopes say of principal and resource said in a condition.
fn unscoped(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        let mut conditions = String::new();
        for scope in [AGENT, NOBODY, TOOL, INTENT] {
            let (head, tail) = line.rsplit_once(") ").unwrap_or((&line, ""));
            if head.contains(scope) {
                let variable = scope.split(' ').next().unwrap();
                let _ = write!(conditions, "when {{ {scope} }} ");
                line = format!("{}) {tail}", head.replace(scope, variable));
            }
        }
        let line = match line.rsplit_once(") ") {
            Some((head, tail)) => format!("{head}) {conditions}{tail}"),
            None => line,
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[test]
fn the_sets_of_these_tests_are_not_all_broken() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let loaded = (0..100)
        .filter(|_| {
            let text = policies().new_tree(&mut runner).unwrap().current();
            load(&text).is_some()
        })
        .count();
    assert!((20..95).contains(&loaded), "{loaded} of 100 load");
}

#[test]
fn a_reload_between_verdict_and_transaction_never_lets_the_old_verdict_count() {
    let open = Arc::new(load(&format!("{ASK}\n{RUN}")).unwrap());
    let closed = Arc::new(load("@id(\"no\") forbid (principal, action, resource);").unwrap());
    let bench = Bench::new(Engine::builder().policy(open.clone()).build().unwrap());
    let open_digest = sernixa_engine::Policy::digest(&*open).to_string();
    let closed_digest = sernixa_engine::Policy::digest(&*closed).to_string();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (done, engine) = (&done, bench.engine.clone());
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                engine.replace_policy(closed.clone());
                std::thread::yield_now();
                engine.replace_policy(open.clone());
            }
        });
        for _ in 0..2_000 {
            bench.submit(&agent(), &Draft::read().body());
        }
        done.store(true, Ordering::Relaxed);
    });
    for event in bench.events() {
        match event["decision"].as_str().unwrap() {
            "auto_approved" => assert_eq!(event["policy_digest"], *open_digest),
            _ if event["event_type"] == "engine_error" || event["reason"] == "engine_error" => {}
            "blocked" => {
                assert_eq!(event["policy_digest"], *closed_digest);
                assert_eq!(event["policies"], json!(["no"]));
            }
            other => panic!("{other}"),
        }
    }
}
