//! Who decides, and what a decision needs.

use serde_json::json;
use sernixa_engine::{
    ApprovalId, Decision, Principal, Request, Role, SelfDecision, Settings, Status, Word,
};

use crate::support::{Answered, Bench, Draft, MINUTE, agent, reviewer};

fn decide(bench: &Bench, caller: &Principal, id: &str, decision: &str, reason: &str) -> Answered {
    let body = json!({"decision": decision, "reason": reason}).to_string();
    bench.handle(
        caller,
        Request::Decide {
            approval_id: id,
            body: &body,
        },
    )
}

#[test]
fn a_decision_is_recorded_with_who_and_why() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(MINUTE);
    let answer = decide(
        &bench,
        &reviewer(),
        &waiting.id,
        "approved",
        "  fine by me \n",
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["decision"], "approved");
    assert_eq!(answer.body["status"], "approved");
    assert_eq!(answer.body["decision_reason"], "fine by me");
    assert_eq!(answer.body["decided_by"], "rita");
    assert_eq!(answer.body["self_decided"], false);
    assert_eq!(answer.body["claim_by"], "2026-05-05T17:04:20.000Z");
    let events = bench.events();
    let last = events.last().unwrap();
    assert_eq!(last["event_type"], "approval_approved");
    assert_eq!(last["reason"], "fine by me");
    assert_eq!(last["owner"], "rita");
}

#[test]
fn the_same_decision_again_changes_nothing_and_another_is_refused() {
    let bench = Bench::service();
    for (first, other) in [("approved", "rejected"), ("rejected", "approved")] {
        let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
        let answer = decide(&bench, &reviewer(), &waiting.id, first, "the first");
        let events = bench.events().len();
        let again = decide(&bench, &reviewer(), &waiting.id, first, "the second");
        assert_eq!(again, answer, "the first reason stands");
        decide(&bench, &reviewer(), &waiting.id, other, "changed my mind").is(409, first);
        assert_eq!(bench.events().len(), events);
    }
}

#[test]
fn a_reason_has_3_to_500_characters_after_trimming() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    for reason in ["", "  ", "ab", "  ab  ", &"é".repeat(501)] {
        decide(&bench, &reviewer(), &waiting.id, "approved", reason).is(422, "invalid_request");
    }
    let id = ApprovalId::parse(&waiting.id).unwrap();
    let refused = bench
        .engine
        .decide(&reviewer(), id, Decision::Approve, "no", &bench.moment())
        .unwrap_err();
    assert_eq!(refused.word(), Word::Invalid);
    let longest = format!("  {}  ", "é".repeat(500));
    assert_eq!(
        decide(&bench, &reviewer(), &waiting.id, "approved", &longest).status,
        200
    );
}

#[test]
fn words_that_are_no_decision_are_refused() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    for body in [
        r#"{"decision":"approve","reason":"fine"}"#,
        r#"{"decision":"APPROVED","reason":"fine"}"#,
        r#"{"decision":true,"reason":"fine"}"#,
        r#"{"decision":"approved"}"#,
        r#"{"reason":"fine"}"#,
    ] {
        let request = Request::Decide {
            approval_id: &waiting.id,
            body,
        };
        bench
            .handle(&reviewer(), request)
            .is(422, "invalid_request");
    }
    let body = r#"{"decision":"rejected","decision":"approved","reason":"fine"}"#;
    let request = Request::Decide {
        approval_id: &waiting.id,
        body,
    };
    bench
        .handle(&reviewer(), request)
        .is(400, "invalid_request");
    assert_eq!(bench.look(&waiting.id)["status"], "pending_review");
}

#[test]
fn only_a_reviewer_decides() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let auditor = Principal::new("acme", "a").with(Role::Auditor);
    let admin = Principal::new("acme", "b").with(Role::Admin);
    for caller in [agent(), auditor, admin] {
        decide(&bench, &caller, &waiting.id, "approved", "fine by me").is(403, "forbidden");
    }
}

#[test]
fn nobody_decides_what_a_key_of_their_own_asked() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    // Another key, the same owner.
    let twin = Principal::new("acme", "twin")
        .owned_by("the agents' team")
        .with(Role::Reviewer);
    decide(&bench, &twin, &waiting.id, "approved", "fine by me").is(403, "self_decision");
    let itself = agent().with(Role::Reviewer);
    decide(&bench, &itself, &waiting.id, "approved", "fine by me").is(403, "self_decision");
    assert_eq!(bench.look(&waiting.id)["status"], "pending_review");
}

#[test]
fn where_one_person_is_alone_the_record_says_that_they_decided_themselves() {
    let settings = Settings {
        self_decision: SelfDecision::Allowed,
        ..Settings::default()
    };
    let bench = Bench::with(settings);
    let alone = agent().with(Role::Reviewer);
    let waiting = bench.submit(&alone, &Draft::high().body()).waiting();
    let record = bench.approve(&alone, &waiting.id);
    assert!(record.self_decided());
    assert_eq!(bench.look(&waiting.id)["self_decided"], true);
    // Somebody else's decision is not marked.
    let waiting = bench.submit(&alone, &Draft::high().body()).waiting();
    assert!(!bench.approve(&reviewer(), &waiting.id).self_decided());
}

#[test]
fn what_does_not_exist_or_is_not_ones_own_looks_the_same() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let stranger = Principal::new("other", "agent-key")
        .with(Role::Agent)
        .with(Role::Reviewer);
    let colleague = Principal::new("acme", "other-agent").with(Role::Agent);
    let unknown = format!("apr_{}", "0".repeat(32));
    let absent = bench.handle(
        &agent(),
        Request::Record {
            approval_id: &unknown,
        },
    );
    absent.is(404, "not_found");
    for (caller, id) in [
        (&stranger, &*waiting.id),
        (&colleague, &waiting.id),
        (&agent(), "apr_"),
        (&agent(), "../x"),
        (&agent(), &waiting.id.to_uppercase()),
    ] {
        assert_eq!(
            bench.handle(caller, Request::Record { approval_id: id }),
            absent
        );
        assert_eq!(
            bench.claim(
                caller,
                &crate::support::Waiting {
                    id: id.into(),
                    ..waiting.clone()
                },
                crate::support::CLAIM
            ),
            absent
        );
    }
    assert_eq!(
        decide(&bench, &stranger, &waiting.id, "approved", "fine by me"),
        absent
    );
    assert_eq!(bench.withdraw(&colleague, &waiting), absent);
}

#[test]
fn reviewers_see_what_waits_in_their_organisation_and_agents_their_own() {
    let bench = Bench::service();
    let first = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(1);
    let other = Principal::new("acme", "other-agent").with(Role::Agent);
    let second = bench.submit(&other, &Draft::high().body()).waiting();
    bench.pass(1);
    let stranger = Principal::new("other", "k").with(Role::Agent);
    bench.submit(&stranger, &Draft::high().body()).waiting();
    let ids = |caller: &Principal, limit| {
        let records = bench
            .engine
            .pending(caller, limit, &bench.moment())
            .unwrap();
        records
            .iter()
            .map(|record| record.approval_id().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&reviewer(), 10), [&*first.id, &second.id]);
    assert_eq!(ids(&reviewer(), 1), [&*first.id]);
    assert_eq!(ids(&other, 10), [&*second.id]);
    bench.approve(&reviewer(), &first.id);
    assert_eq!(ids(&reviewer(), 10), [&*second.id]);
    bench.pass(15 * MINUTE);
    assert!(
        ids(&reviewer(), 10).is_empty(),
        "what has expired does not wait"
    );
    // Nor does it take a place in a short list.
    bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(15 * MINUTE);
    let fresh = bench.submit(&agent(), &Draft::high().body()).waiting();
    assert_eq!(ids(&reviewer(), 1), [&*fresh.id]);
}

#[test]
fn a_request_that_nobody_decides_in_time_expires() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(15 * MINUTE - 1);
    assert_eq!(bench.look(&waiting.id)["status"], "pending_review");
    bench.pass(1);
    decide(&bench, &reviewer(), &waiting.id, "approved", "fine by me").is(409, "expired");
    let record = bench.look(&waiting.id);
    assert_eq!(record["status"], "expired");
    assert_eq!(record["decision_reason"], "not decided in time");
    assert_eq!(
        bench.event_types(),
        ["submission_pending_review", "approval_expired"]
    );
}

#[test]
fn a_decision_in_the_last_millisecond_counts() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(15 * MINUTE - 1);
    assert_eq!(
        bench.approve(&reviewer(), &waiting.id).status(),
        Status::Approved
    );
}
