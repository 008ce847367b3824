//! The claim: one approval starts one execution.

use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::{Value, json};
use sernixa_engine::{Moment, Principal, Request, Role, Timestamp};

use crate::support::{
    Answered, Bench, CLAIM, Draft, HOUR, MINUTE, OTHER_CLAIM, Waiting, agent, reviewer,
};

fn approved(bench: &Bench, draft: &Draft) -> Waiting {
    let waiting = bench.submit(&agent(), &draft.body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    waiting
}

#[test]
fn a_claim_says_exactly_what_the_protocol_promises() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let claimed = bench.claim(&agent(), &waiting, CLAIM);
    assert_eq!(claimed.status, 200, "{}", claimed.body);
    let receipt = &claimed.body["receipt"];
    assert_eq!(
        claimed.body,
        json!({"status": "claimed", "approval_id": waiting.id, "claim_id": CLAIM,
            "body_hash": waiting.body_hash, "receipt": receipt})
    );
    assert_eq!(receipt["seq"], 3);
    assert_eq!(bench.look(&waiting.id)["execution"], "claimed");
    assert_eq!(bench.event_types().last().unwrap(), "approval_claimed");
}

#[test]
fn an_approval_is_claimed_once_and_the_lost_answer_is_given_again() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let claimed = bench.claim(&agent(), &waiting, CLAIM);
    bench
        .claim(&agent(), &waiting, OTHER_CLAIM)
        .is(409, "already_claimed");
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM), claimed);
    // Whatever has happened since.
    bench.pass(24 * HOUR);
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM), claimed);
    bench
        .claim(&agent(), &waiting, OTHER_CLAIM)
        .is(409, "already_claimed");
    let claims = bench
        .event_types()
        .iter()
        .filter(|word| *word == "approval_claimed")
        .count();
    assert_eq!(claims, 1);
}

#[test]
fn the_old_answer_needs_a_valid_token_but_no_other_check() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let claimed = bench.claim(&agent(), &waiting, CLAIM);
    let stolen = Waiting {
        token: "0".repeat(64),
        ..waiting.clone()
    };
    bench
        .claim(&agent(), &stolen, CLAIM)
        .is(409, "invalid_claim_token");
    let confused = Waiting {
        body_hash: "0".repeat(64),
        ..waiting
    };
    assert_eq!(bench.claim(&agent(), &confused, CLAIM), claimed);
}

#[test]
fn a_stolen_id_and_hash_without_the_token_start_nothing() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let other = bench
        .submit(&agent(), &Draft::high().nonce(9).body())
        .waiting();
    for token in [
        "",
        "x",
        &"0".repeat(64),
        &waiting.token.to_uppercase(),
        &other.token,
    ] {
        let thief = Waiting {
            token: token.to_owned(),
            ..waiting.clone()
        };
        bench
            .claim(&agent(), &thief, CLAIM)
            .is(409, "invalid_claim_token");
    }
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
    assert_eq!(bench.event_types().last().unwrap(), "claim_refused");
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
}

#[test]
fn a_token_is_worth_nothing_in_the_hands_of_another_key() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    // It sees the record, and has the token.
    let other = Principal::new("acme", "other")
        .with(Role::Agent)
        .with(Role::Reviewer);
    bench
        .claim(&other, &waiting, CLAIM)
        .is(409, "invalid_claim_token");
    bench
        .withdraw(&other, &waiting)
        .is(409, "invalid_claim_token");
    bench
        .claim(&reviewer(), &waiting, CLAIM)
        .is(403, "forbidden");
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
}

#[test]
fn a_claim_of_another_body_starts_nothing() {
    let bench = Bench::service();
    let a = approved(&bench, &Draft::high());
    let b = approved(&bench, &Draft::high().meta("cents", 5));
    let swapped = Waiting {
        body_hash: b.body_hash,
        ..a.clone()
    };
    bench
        .claim(&agent(), &swapped, CLAIM)
        .is(409, "body_mismatch");
    assert_eq!(bench.claim(&agent(), &a, CLAIM).status, 200);
}

#[test]
fn what_is_not_approved_is_refused_by_its_own_word() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(409, "pending_review");
    bench.reject(&reviewer(), &waiting.id);
    let refused = bench.claim(&agent(), &waiting, CLAIM);
    refused.is(409, "rejected");
    assert_eq!(refused.reason(), "seen by a test");
    let late = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(15 * MINUTE);
    bench.claim(&agent(), &late, CLAIM).is(409, "expired");
}

#[test]
fn checks_come_in_their_order() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    // Wrong in every way: the token is named first, then the body, then the status.
    let wrong = Waiting {
        token: "0".repeat(64),
        body_hash: "0".repeat(64),
        ..waiting.clone()
    };
    bench
        .claim(&agent(), &wrong, CLAIM)
        .is(409, "invalid_claim_token");
    let wrong = Waiting {
        body_hash: "0".repeat(64),
        ..waiting.clone()
    };
    bench
        .claim(&agent(), &wrong, CLAIM)
        .is(409, "body_mismatch");
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(409, "pending_review");
}

#[test]
fn an_approval_that_nobody_claims_in_time_expires_and_keeps_its_decision() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let in_time = approved(&bench, &Draft::high());
    bench.pass(10 * MINUTE - 1);
    assert_eq!(bench.claim(&agent(), &in_time, CLAIM).status, 200);
    bench.pass(1);
    bench.claim(&agent(), &waiting, CLAIM).is(409, "expired");
    let record = bench.look(&waiting.id);
    assert_eq!(record["status"], "expired");
    assert_eq!(record["reason"], "not claimed in time");
    assert_eq!(record["decided_by"], "rita");
    assert_eq!(record["decision_reason"], "seen by a test");
}

#[test]
fn what_runs_at_once_is_not_claimed() {
    let bench = Bench::service();
    let answer = bench.submit(&agent(), &Draft::read().body());
    let body_hash = answer.body["body_hash"].as_str().unwrap().to_owned();
    let waiting = Waiting {
        id: answer.id().into(),
        token: "0".repeat(64),
        body_hash,
    };
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(409, "invalid_claim_token");
}

#[test]
fn claims_that_are_none_are_refused() {
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let good = waiting.claim_body(CLAIM);
    let spoilt = |name: &str, value: Value| {
        let mut body: Value = serde_json::from_str(&good).unwrap();
        body[name] = value;
        body.to_string()
    };
    for (status, body) in [
        (400, String::new()),
        (
            400,
            good.replacen('{', &format!(r#"{{"claim_id":"{OTHER_CLAIM}","#), 1),
        ),
        (422, "{}".into()),
        (422, spoilt("claim_token", Value::Null)),
        (422, spoilt("claim_id", json!("xyz"))),
        (422, spoilt("claim_id", json!(CLAIM.to_uppercase()))),
        (422, spoilt("claim_id", json!(5))),
        (422, spoilt("body_hash", json!("0"))),
        (
            422,
            spoilt("body_hash", json!(waiting.body_hash.to_uppercase())),
        ),
        (422, spoilt("padding", json!("x".repeat(20_000)))),
    ] {
        let request = Request::Claim {
            approval_id: &waiting.id,
            body: &body,
        };
        bench
            .handle(&agent(), request)
            .is(status, "invalid_request");
    }
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
}

#[test]
fn of_two_workers_that_claim_at_once_exactly_one_wins() {
    const ROUNDS: u64 = 1_000;
    let bench = Arc::new(Bench::service());
    let approvals: Arc<Vec<Waiting>> = Arc::new(
        (0..ROUNDS)
            .map(|_| approved(&bench, &Draft::high()))
            .collect(),
    );
    let start = Arc::new(Barrier::new(2));
    let now = bench.now();
    let workers: Vec<_> = [1_u64, 2]
        .into_iter()
        .map(|worker| {
            let (bench, approvals) = (Arc::clone(&bench), Arc::clone(&approvals));
            let start = Arc::clone(&start);
            thread::spawn(move || {
                let claim_id = format!("{worker:032x}");
                approvals
                    .iter()
                    .map(|waiting| {
                        start.wait();
                        let moment = Moment::new(Timestamp::from_millis(now), [9; 32]);
                        let body = waiting.claim_body(&claim_id);
                        let request = Request::Claim {
                            approval_id: &waiting.id,
                            body: &body,
                        };
                        Answered::new(&bench.engine.handle(&agent(), request, &moment))
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut answers = workers.into_iter().map(|worker| worker.join().unwrap());
    let (ours, theirs) = (answers.next().unwrap(), answers.next().unwrap());
    for (one, other) in ours.iter().zip(&theirs) {
        let (winner, loser) = if one.status == 200 {
            (one, other)
        } else {
            (other, one)
        };
        assert_eq!(winner.status, 200);
        loser.is(409, "already_claimed");
    }
}

#[test]
fn a_record_read_by_a_client_that_never_claims_is_delivered() {
    let bench = Bench::service();
    let plain = Draft::high().without("policy_surface");
    let waiting = approved(&bench, &plain);
    // Others' reads deliver nothing.
    bench.look(&waiting.id);
    bench.handle(
        &reviewer(),
        Request::Record {
            approval_id: &waiting.id,
        },
    );
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
    let read = bench.handle(
        &agent(),
        Request::Record {
            approval_id: &waiting.id,
        },
    );
    assert_eq!(read.body["status"], "approved");
    assert_eq!(read.body["execution"], "delivered");
    assert_eq!(bench.event_types().last().unwrap(), "approval_delivered");
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(409, "already_claimed");
    // It does not lapse: the client may be running it.
    bench.pass(24 * HOUR);
    assert_eq!(bench.look(&waiting.id)["status"], "approved");
}

#[test]
fn a_client_that_claims_may_read_first() {
    // Our own says so in its submission.
    let bench = Bench::service();
    let waiting = approved(&bench, &Draft::high());
    let read = bench.handle(
        &agent(),
        Request::Record {
            approval_id: &waiting.id,
        },
    );
    assert_eq!(read.body["execution"], "none");
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    // Any other is known by its first claim.
    let plain = approved(&bench, &Draft::high().without("policy_surface"));
    bench.handle(
        &agent(),
        Request::Record {
            approval_id: &plain.id,
        },
    );
    assert_eq!(bench.claim(&agent(), &plain, OTHER_CLAIM).status, 200);
}

#[test]
fn a_pending_record_may_be_polled_without_consequence() {
    let bench = Bench::service();
    let waiting = bench
        .submit(&agent(), &Draft::high().without("policy_surface").body())
        .waiting();
    for _ in 0..3 {
        let read = bench.handle(
            &agent(),
            Request::Record {
                approval_id: &waiting.id,
            },
        );
        assert_eq!(read.body["execution"], "none");
    }
    assert_eq!(bench.events().len(), 1);
}

#[test]
fn refused_claims_without_end_do_not_make_a_true_approval_look_false() {
    let store = Arc::new(sernixa_engine::MemoryStore::new());
    let engine = sernixa_engine::Engine::builder().shared_store(Arc::clone(&store) as _);
    let bench = Bench::new(engine.build().unwrap());
    let waiting = approved(&bench, &Draft::high());
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    for _ in 0..=sernixa_engine::audit::BUNDLE_EVENTS_MAX {
        bench
            .claim(&agent(), &waiting, OTHER_CLAIM)
            .is(409, "already_claimed");
    }
    let report = sernixa_engine::audit::verify_approvals(&*store).unwrap();
    assert_eq!((report.checked, report.faults.len()), (1, 0));
}
