//! Who may not act, and what nobody may decide.

use serde_json::json;
use sernixa_engine::{Agents, Principal, Role, SelfDecision, Settings};

use super::{House, admin, key_of, only};
use crate::support::{Bench, Draft, reviewer};

#[test]
fn a_token_is_worth_nothing_in_another_agents_hands() {
    let house = House::new();
    let token = house.root("orchestrator");
    let mut signing = house.sign(&token, &Draft::read());
    signing.agent = "worker".into();
    house
        .bench
        .submit(&key_of("worker"), &signing.body())
        .is(403, "mismatched_delegatee");
}

#[test]
fn an_agent_must_be_bound_to_the_api_key_and_to_the_signing_key() {
    let house = House::new();
    let token = house.root("worker");
    let other = key_of("worker").acting_as(only(&["helper", "Worker", ""]));
    let signing = house.sign(&token, &Draft::read());
    house
        .bench
        .submit(&other, &signing.body())
        .is(403, "unknown_agent");
    // `k2` is the worker's alone.
    let token = house.root("helper");
    let mut signing = house.sign(&token, &Draft::read());
    (signing.key_id, signing.secret) = ("k2".into(), super::OTHER_SECRET.into());
    house
        .bench
        .submit(&key_of("helper"), &signing.body())
        .is(403, "unknown_agent");
    // Nobody's signing key knows the stranger.
    let token = house.root("stranger");
    house
        .submit(&token, &Draft::read())
        .is(403, "unknown_agent");
}

#[test]
fn a_key_for_delegated_requests_submits_no_other() {
    let house = House::new();
    let token = house.root("worker");
    let caller = key_of("worker").delegated_only();
    let answer = house.bench.submit(&caller, &Draft::read().body());
    answer.is(403, "forbidden");
    assert!(answer.reason().contains("delegated requests only"));
    assert_eq!(
        house.bench.event_types().last().unwrap(),
        "submission_blocked"
    );
    let signed = house.sign(&token, &Draft::read()).body();
    assert_eq!(house.bench.submit(&caller, &signed).status, 200);
}

#[test]
fn an_engine_without_signing_keys_verifies_nothing() {
    let house = House::new();
    let token = house.root("worker");
    let body = house.sign(&token, &Draft::read()).body();
    let bench = Bench::service();
    bench
        .submit(&key_of("worker"), &body)
        .is(403, "invalid_signature");
}

#[test]
fn another_organisation_has_no_such_token() {
    let house = House::new();
    let token = house.root("worker");
    let elsewhere = Principal::new("other", "worker-key")
        .with(Role::Agent)
        .acting_as(Agents::Any);
    let body = house.sign(&token, &Draft::read()).body();
    house
        .bench
        .submit(&elsewhere, &body)
        .is(403, "invalid_chain");
}

#[test]
fn nobody_decides_what_was_asked_in_their_own_name() {
    let house = House::new();
    let root = house.root("orchestrator");
    let token = house.child(&root, "worker");
    let waiting = house.waiting(&token, &Draft::high());
    let person = |owner: &str| reviewer().owned_by(owner);
    let decide = |by: &Principal| {
        house.bench.handle(
            by,
            sernixa_engine::Request::Decide {
                approval_id: &waiting.id,
                body: &json!({"decision": "approved", "reason": "fine by me"}).to_string(),
            },
        )
    };
    // Who issued the root, who narrowed it, who asked, and who signs.
    for owner in ["ada", "orchestrator's owner", "worker's owner", "sigrid"] {
        decide(&person(owner)).is(403, "self_decision");
    }
    let decided = decide(&person("rita"));
    assert_eq!(decided.status, 200);
    assert_eq!(decided.body["self_decided"], false);
}

#[test]
fn where_one_person_may_decide_their_own_the_record_says_so() {
    let house = House::with(Settings {
        self_decision: SelfDecision::Allowed,
        ..Settings::default()
    });
    let token = house.root("worker");
    let waiting = house.waiting(&token, &Draft::high());
    let record = house
        .bench
        .approve(&admin().with(Role::Reviewer), &waiting.id);
    assert!(record.self_decided());
}

#[test]
fn memory_and_resumption_are_the_agents_own() {
    let house = House::new();
    let (one, two) = (house.root("worker"), house.root("worker"));
    // Three approvals of one chain's call…
    for seed in 0..3_u8 {
        let waiting = house.waiting(
            &one,
            &Draft::medium()
                .digest(1)
                .meta("n", 0)
                .top("request_id", format!("r{seed}")),
        );
        house.bench.approve(&reviewer(), &waiting.id);
    }
    let call = Draft::medium().digest(1).meta("n", 0);
    assert_eq!(house.submit(&one, &call).status, 200);
    // …say nothing of another chain's, of a child's under another agent, or of the key's own.
    assert_eq!(house.submit(&two, &call).status, 202);
    let child = house.child(&one, "helper");
    assert_eq!(house.submit(&child, &call).status, 202);
    assert_eq!(
        house.bench.submit(&key_of("worker"), &call.body()).status,
        202
    );

    let resumed = Draft::high().digest(1).resume("k");
    let first = house.waiting(&one, &resumed);
    assert_eq!(house.waiting(&one, &resumed).id, first.id);
    assert_ne!(house.waiting(&two, &resumed).id, first.id);
    let plain = house
        .bench
        .submit(&key_of("worker"), &resumed.body())
        .waiting();
    assert_ne!(plain.id, first.id);
    // Another signing key: the steps of the first approval could not be signed with it.
    let mut rotated = house.sign(&one, &resumed);
    (rotated.key_id, rotated.secret) = ("k2".into(), super::OTHER_SECRET.into());
    let anew = house
        .bench
        .submit(&key_of("worker"), &rotated.body())
        .waiting();
    assert_ne!(anew.id, first.id);
}

#[test]
fn high_risk_under_a_delegation_waits_for_a_person_too() {
    let house = House::new();
    house
        .bench
        .engine
        .replace_policy(crate::policies::Fixed::permitting(1));
    let token = house.root("worker");
    assert_eq!(
        house.submit(&token, &Draft::new("critical", "read")).status,
        202
    );
}
