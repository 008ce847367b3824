//! Retry and replay: the same bytes get the same answer, other bytes get none.

use sernixa_engine::{Principal, Role};

use crate::policies::Fixed;
use crate::support::{Bench, CLAIM, DAY, Draft, MINUTE, agent, reviewer};

#[test]
fn the_same_bytes_get_the_same_answer() {
    let bench = Bench::service();
    let blocked = Draft::read().nonce(3).meta("note", "AKIAIOSFODNN7EXAMPLE");
    for (draft, status) in [
        (Draft::read().nonce(1), 200),
        (Draft::high().nonce(2), 202),
        (blocked, 403),
    ] {
        let answer = bench.submit(&agent(), &draft.body());
        assert_eq!(answer.status, status);
        let events = bench.events().len();
        bench.pass(MINUTE);
        assert_eq!(bench.submit(&agent(), &draft.body()), answer);
        assert_eq!(bench.events().len(), events, "a retry decides nothing");
    }
    assert_eq!(
        bench
            .engine
            .pending(&reviewer(), 10, &bench.moment())
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn the_token_of_a_retry_works() {
    let bench = Bench::service();
    let body = Draft::high().nonce(1).body();
    let lost = bench.submit(&agent(), &body).waiting();
    let waiting = bench.submit(&agent(), &body).waiting();
    assert_eq!(waiting, lost);
    bench.approve(&reviewer(), &waiting.id);
    // Also when the retry comes after the decision: it still says "wait".
    assert_eq!(bench.submit(&agent(), &body).waiting(), waiting);
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
}

#[test]
fn a_retry_of_an_older_attachment_stays_superseded() {
    let bench = Bench::service();
    let draft = Draft::high().digest(1).resume("k");
    let first = bench
        .submit(&agent(), &draft.clone().nonce(1).body())
        .waiting();
    let second = bench
        .submit(&agent(), &draft.clone().nonce(2).body())
        .waiting();
    assert_eq!(
        bench.submit(&agent(), &draft.nonce(1).body()).waiting(),
        first
    );
    bench.approve(&reviewer(), &first.id);
    bench.claim(&agent(), &first, CLAIM).is(409, "superseded");
    assert_eq!(bench.claim(&agent(), &second, CLAIM).status, 200);
}

#[test]
fn other_bytes_under_the_same_nonce_are_a_replay() {
    let bench = Bench::service();
    for first in [Draft::read().nonce(1), Draft::high().nonce(2)] {
        bench.submit(&agent(), &first.body());
        for other in [
            first.clone().meta("cents", 1),
            first.clone().top("timestamp", 1),
            first.clone().top("request_id", "x"),
        ] {
            bench
                .submit(&agent(), &other.body())
                .is(403, "replayed_nonce");
        }
        // The same value in other bytes is not the same request.
        bench
            .submit(&agent(), &format!("{} ", first.body()))
            .is(403, "replayed_nonce");
    }
    assert!(
        bench
            .event_types()
            .contains(&"submission_blocked".to_owned())
    );
}

#[test]
fn nonces_of_two_keys_and_two_organisations_do_not_meet() {
    let bench = Bench::service();
    let body = Draft::high().nonce(1).body();
    let mut seen = vec![bench.submit(&agent(), &body).waiting().id];
    for caller in [
        Principal::new("acme", "other").with(Role::Agent),
        Principal::new("other", "agent-key").with(Role::Agent),
    ] {
        let id = bench.submit(&caller, &body).waiting().id;
        assert!(!seen.contains(&id));
        seen.push(id);
    }
}

#[test]
fn a_nonce_is_kept_for_ten_minutes_whatever_the_timestamp_says() {
    let bench = Bench::service();
    for timestamp in [0_u64, 1_778_000_000, 9_999_999_999] {
        let body = Draft::high().nonce(1).top("timestamp", timestamp).body();
        let first = bench.submit(&agent(), &body).waiting();
        bench.pass(10 * MINUTE);
        assert_eq!(bench.submit(&agent(), &body).waiting(), first);
        bench.pass(1);
        assert_ne!(bench.submit(&agent(), &body).waiting().id, first.id);
        bench.pass(DAY);
    }
}

#[test]
fn a_nonce_that_is_none_is_refused() {
    let bench = Bench::service();
    for nonce in [
        "",
        "x",
        &"g".repeat(32),
        &"A".repeat(32),
        &"0".repeat(31),
        &"0".repeat(33),
    ] {
        let body = Draft::read().top("nonce", nonce).body();
        bench.submit(&agent(), &body).is(403, "invalid_nonce");
        bench.submit(&agent(), &body).is(403, "invalid_nonce");
    }
}

#[test]
fn an_allow_is_given_again_only_under_the_policy_that_gave_it() {
    let bench = Bench::service();
    let body = Draft::read().nonce(1).body();
    let allowed = bench.submit(&agent(), &body);
    assert_eq!(bench.submit(&agent(), &body), allowed);
    bench.engine.replace_policy(Fixed::reviewing(1));
    let judged_anew = bench.submit(&agent(), &body);
    let waiting = judged_anew.waiting();
    assert_eq!(
        bench.submit(&agent(), &body).waiting(),
        waiting,
        "and that answer is kept"
    );
    // A wait and a refusal are given again under any policy.
    bench.engine.replace_policy(Fixed::permitting(2));
    assert_eq!(bench.submit(&agent(), &body).waiting(), waiting);
}

#[test]
fn the_answer_to_a_broken_engine_is_not_kept() {
    let bench = Bench::service();
    bench.engine.replace_policy(Fixed::panicking(1));
    let body = Draft::read().nonce(1).body();
    let refused = bench.submit(&agent(), &body);
    refused.is(403, "blocked");
    assert_eq!(refused.reason(), "engine_error");
    bench.engine.replace_policy(Fixed::permitting(2));
    assert_eq!(bench.submit(&agent(), &body).status, 200);
}

#[test]
fn a_kept_answer_that_somebody_made_up_lets_nothing_run() {
    use std::sync::Arc;

    use sernixa_engine::{
        Answered, ApprovalId, Digest, Engine, MemoryStore, NonceKey, State, Store, StoredAnswer,
    };

    let store = Arc::new(MemoryStore::new());
    let engine = Engine::builder().shared_store(Arc::clone(&store) as _);
    let bench = Bench::new(engine.build().unwrap());
    let draft = Draft::medium().nonce(1).body();
    let waiting = bench.submit(&agent(), &draft).waiting();
    let other = bench.submit(&agent(), &Draft::read().body());
    assert_eq!(other.status, 200);
    let name = |id: &str| ApprovalId::parse(id).unwrap();
    let allowed = |approval_id| StoredAnswer::Allowed {
        approval_id,
        receipt: store.first_anchor("acme").unwrap(),
        policy: bench.engine.policy_digest(),
    };
    for (made_up, status) in [
        (allowed(name(&waiting.id)), 202),
        (allowed(name(other.id())), 202),
        (allowed(ApprovalId([7; 16])), 202),
        (
            StoredAnswer::Refused {
                status: 200,
                body: r#"{"status":"accepted"}"#.into(),
            },
            403,
        ),
    ] {
        let key = NonceKey {
            organisation: Arc::clone(agent().organisation()),
            signer: format!("key:{}", agent().key()).into(),
            nonce: [1; 16],
        };
        let answered = Answered {
            request: Digest::of(draft.as_bytes()),
            key: Arc::clone(agent().key()),
            answer: made_up,
            until: sernixa_engine::Timestamp::from_millis(u64::MAX >> 1),
        };
        let put = &mut |state: &mut dyn State| state.put_nonce(&key, &answered);
        store.transact(put).unwrap();
        assert_eq!(bench.submit(&agent(), &draft).status, status);
    }
}
