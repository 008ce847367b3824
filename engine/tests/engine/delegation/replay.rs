//! Retry and replay of signed requests.

use std::sync::{Arc, Barrier};

use serde_json::json;

use super::{House, OTHER_SECRET, admin, key_of};
use crate::policies::Fixed;
use crate::support::{Draft, reviewer};

#[test]
fn the_same_signed_bytes_get_the_same_answer() {
    let house = House::new();
    let token = house.root("worker");
    let narrow = {
        let mut ask = super::wide("admin", "worker");
        ask["scope"]["max_risk_level"] = json!("low");
        house.issue(&admin(), &ask)
    };
    for (token, draft, status) in [
        (&token, Draft::read(), 200),
        (&token, Draft::high(), 202),
        (&narrow, Draft::high(), 403),
        (
            &token,
            Draft::read().meta("note", "AKIAIOSFODNN7EXAMPLE"),
            403,
        ),
    ] {
        let body = house.sign(token, &draft).body();
        let answer = house.bench.submit(&key_of("worker"), &body);
        assert_eq!(answer.status, status);
        let events = house.bench.events().len();
        house.bench.pass(60_000);
        assert_eq!(house.bench.submit(&key_of("worker"), &body), answer);
        assert_eq!(
            house.bench.events().len(),
            events,
            "a retry decides nothing"
        );
    }
}

#[test]
fn other_bytes_under_the_nonce_or_another_keys_same_bytes_are_a_replay() {
    let house = House::new();
    let token = house.root("worker");
    let signing = house.sign(&token, &Draft::read());
    let body = signing.body();
    let answer = house.bench.submit(&key_of("worker"), &body);
    assert_eq!(answer.status, 200);
    let mut other = house.sign(&token, &Draft::read().meta("n", 2));
    other.nonce.clone_from(&signing.nonce);
    house
        .bench
        .submit(&key_of("worker"), &other.body())
        .is(403, "replayed_nonce");
    // The same request with other blanks is other bytes.
    let spaced = body.replacen(':', ": ", 1);
    house
        .bench
        .submit(&key_of("worker"), &spaced)
        .is(403, "replayed_nonce");
    // A thief who also has a key that acts as the worker.
    let thief = sernixa_engine::Principal::new("acme", "thief-key")
        .with(sernixa_engine::Role::Agent)
        .acting_as(super::only(&["worker"]));
    house.bench.submit(&thief, &body).is(403, "replayed_nonce");
    // The rightful one is not shut out by that.
    assert_eq!(house.bench.submit(&key_of("worker"), &body), answer);
}

#[test]
fn a_nonce_is_one_signing_keys_own() {
    let house = House::new();
    let token = house.root("worker");
    let first = house.sign(&token, &Draft::read());
    assert_eq!(
        house.bench.submit(&key_of("worker"), &first.body()).status,
        200
    );
    let mut second = house.sign(&token, &Draft::high());
    second.nonce.clone_from(&first.nonce);
    (second.key_id, second.secret) = ("k2".into(), OTHER_SECRET.into());
    assert_eq!(
        house.bench.submit(&key_of("worker"), &second.body()).status,
        202
    );
    // And an unsigned request's is its API key's.
    let unsigned = Draft::high().top("nonce", first.nonce.clone());
    assert_eq!(
        house
            .bench
            .submit(&key_of("worker"), &unsigned.body())
            .status,
        202
    );
    // Another agent that signs with the same key shares it.
    let helper = house.root("helper");
    let mut third = house.sign(&helper, &Draft::read());
    third.nonce = first.nonce;
    house
        .bench
        .submit(&key_of("helper"), &third.body())
        .is(403, "replayed_nonce");
}

#[test]
fn a_nonce_lasts_as_long_as_its_timestamp_can_be_fresh() {
    let house = House::new();
    let token = house.root("worker");
    let mut ahead = house.sign(&token, &Draft::read());
    ahead.timestamp += 300;
    assert_eq!(
        house.bench.submit(&key_of("worker"), &ahead.body()).status,
        200
    );
    let mut other = house.sign(&token, &Draft::high());
    (other.nonce, other.timestamp) = (ahead.nonce.clone(), ahead.timestamp);
    // At its last fresh moment it is still known.
    house.bench.pass(600_000);
    house
        .bench
        .submit(&key_of("worker"), &other.body())
        .is(403, "replayed_nonce");
    house.bench.pass(1);
    house
        .bench
        .submit(&key_of("worker"), &other.body())
        .is(403, "stale_timestamp");
}

#[test]
fn an_allow_is_repeated_only_while_policy_and_delegation_stand() {
    let house = House::new();
    let root = house.root("orchestrator");
    let token = house.child(&root, "worker");
    let body = house.sign(&token, &Draft::read()).body();
    let submit = || house.bench.submit(&key_of("worker"), &body);
    assert_eq!(submit().status, 200);
    // Another policy set: judged anew, and that answer is kept.
    house.bench.engine.replace_policy(Fixed::reviewing(7));
    let waiting = submit();
    assert_eq!(waiting.status, 202);
    assert_eq!(submit(), waiting);

    let body = {
        house.bench.engine.replace_policy(Fixed::permitting(8));
        house.sign(&token, &Draft::read()).body()
    };
    let submit = || house.bench.submit(&key_of("worker"), &body);
    assert_eq!(submit().status, 200);
    house.revoke(&admin(), &root);
    let refused = submit();
    refused.is(403, "revoked_token");
    assert_eq!(submit(), refused);
}

#[test]
fn a_wait_is_repeated_after_revocation_and_its_claim_is_refused() {
    let house = House::new();
    let token = house.root("worker");
    let body = house.sign(&token, &Draft::high()).body();
    let waiting = house.bench.submit(&key_of("worker"), &body).waiting();
    house.revoke(&admin(), &token);
    assert_eq!(
        house.bench.submit(&key_of("worker"), &body).waiting(),
        waiting
    );
    house.bench.approve(&reviewer(), &waiting.id);
    house
        .claim(&key_of("worker"), &waiting, crate::support::CLAIM)
        .is(409, "revoked_token");
}

#[test]
fn copies_that_arrive_at_once_are_one_request() {
    const COPIES: usize = 8;
    let house = House::new();
    let token = house.root("worker");
    for round in 0..40 {
        let body = house
            .sign(&token, &Draft::high().meta("round", round))
            .body();
        let barrier = Arc::new(Barrier::new(COPIES));
        let answers: Vec<_> = std::thread::scope(|scope| {
            let copies: Vec<_> = (0..COPIES)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        house.bench.submit(&key_of("worker"), &body)
                    })
                })
                .collect();
            copies
                .into_iter()
                .map(|copy| copy.join().unwrap())
                .collect()
        });
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        assert_eq!(answers[0].status, 202);
    }
    let waiting = house
        .bench
        .engine
        .pending(&reviewer(), 100, &house.bench.moment())
        .unwrap();
    assert_eq!(waiting.len(), 40);
}
