//! Waiting: withdrawing, resuming, being told, and what time does.

use std::sync::{Arc, Mutex};

use sernixa_engine::{Change, ChangeKind, Engine, Principal, Request, Role, Status, Timestamp};

use crate::support::{Bench, CLAIM, Draft, HOUR, MINUTE, OTHER_CLAIM, agent, reviewer};

fn resumable() -> Draft {
    Draft::high().digest(1).resume(&"f".repeat(64))
}

#[test]
fn a_withdrawn_request_is_expired_and_reviewed_by_nobody() {
    let bench = Bench::service();
    for decided in [false, true] {
        let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
        if decided {
            bench.approve(&reviewer(), &waiting.id);
        }
        let answer = bench.withdraw(&agent(), &waiting);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["status"], "expired");
        assert_eq!(answer.body["reason"], "withdrawn");
        // The retry of a lost answer.
        assert_eq!(bench.withdraw(&agent(), &waiting), answer);
        assert!(
            bench
                .engine
                .pending(&reviewer(), 10, &bench.moment())
                .unwrap()
                .is_empty()
        );
        bench.claim(&agent(), &waiting, CLAIM).is(409, "expired");
    }
}

#[test]
fn a_withdrawal_needs_the_token_and_comes_before_the_claim() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let thief = crate::support::Waiting {
        token: "0".repeat(64),
        ..waiting.clone()
    };
    bench
        .withdraw(&agent(), &thief)
        .is(409, "invalid_claim_token");
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    bench
        .withdraw(&agent(), &waiting)
        .is(409, "already_claimed");
    assert_eq!(bench.look(&waiting.id)["status"], "approved");
    let rejected = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.reject(&reviewer(), &rejected.id);
    bench.withdraw(&agent(), &rejected).is(409, "rejected");
    for body in ["", "{}", r#"{"claim_token":5}"#] {
        let request = Request::Withdraw {
            approval_id: &waiting.id,
            body,
        };
        assert!(matches!(bench.handle(&agent(), request).status, 400 | 422));
    }
}

#[test]
fn a_request_with_a_resume_key_is_never_withdrawn() {
    let bench = Bench::service();
    for draft in [resumable(), Draft::high().resume("k")] {
        let waiting = bench.submit(&agent(), &draft.body()).waiting();
        bench.withdraw(&agent(), &waiting).is(409, "resumable");
        assert_eq!(bench.look(&waiting.id)["status"], "pending_review");
    }
}

#[test]
fn a_resumed_request_is_the_same_approval_with_a_new_token() {
    let bench = Bench::service();
    let first = bench.submit(&agent(), &resumable().body()).waiting();
    let second = bench
        .submit(&agent(), &resumable().top("request_id", "b").body())
        .waiting();
    assert_eq!(second.id, first.id);
    assert_eq!(second.body_hash, first.body_hash);
    assert_ne!(second.token, first.token);
    bench.approve(&reviewer(), &first.id);
    // Approved already: still a wait, never an allow.
    let third = bench.submit(&agent(), &resumable().body()).waiting();
    assert_eq!(third.id, first.id);
    for older in [&first, &second] {
        bench.claim(&agent(), older, CLAIM).is(409, "superseded");
    }
    assert_eq!(bench.claim(&agent(), &third, CLAIM).status, 200);
    let events = bench.event_types();
    assert_eq!(
        events
            .iter()
            .filter(|word| *word == "approval_resumed")
            .count(),
        2
    );
}

#[test]
fn an_approval_that_has_ended_is_not_resumed() {
    let bench = Bench::service();
    let end: [fn(&Bench, &str); 4] = [
        |bench, id| drop(bench.reject(&reviewer(), id)),
        |bench, _| bench.pass(15 * MINUTE),
        |bench, id| {
            bench.approve(&reviewer(), id);
            bench.pass(10 * MINUTE);
        },
        |bench, id| drop(bench.approve(&reviewer(), id)),
    ];
    for (case, end) in end.into_iter().enumerate() {
        let first = bench.submit(&agent(), &resumable().body()).waiting();
        end(&bench, &first.id);
        if case == 3 {
            assert_eq!(bench.claim(&agent(), &first, CLAIM).status, 200);
        }
        let next = bench.submit(&agent(), &resumable().body()).waiting();
        assert_ne!(next.id, first.id, "case {case}");
        bench.reject(&reviewer(), &next.id);
    }
}

#[test]
fn only_the_same_call_of_the_same_principal_resumes() {
    let bench = Bench::service();
    let first = bench.submit(&agent(), &resumable().body()).waiting();
    for other in [
        resumable().digest(2),
        resumable().resume(&"e".repeat(64)),
        resumable().meta("summary", "something else"),
        resumable().top("action_id", "other"),
        resumable().top("intent_id", "other"),
    ] {
        assert_ne!(bench.submit(&agent(), &other.body()).waiting().id, first.id);
    }
    let other_key = Principal::new("acme", "other").with(Role::Agent);
    let other_organisation = Principal::new("other", "agent-key").with(Role::Agent);
    for caller in [other_key, other_organisation] {
        assert_ne!(
            bench.submit(&caller, &resumable().body()).waiting().id,
            first.id
        );
    }
    assert_eq!(
        bench.submit(&agent(), &resumable().body()).waiting().id,
        first.id
    );
}

#[test]
fn without_a_whole_digest_nothing_is_resumed() {
    let bench = Bench::service();
    for draft in [
        Draft::high().resume("k"),
        Draft::high()
            .resume("k")
            .digest(1)
            .meta("arguments_unbound", ["card"].as_slice()),
        Draft::high()
            .resume("k")
            .meta("arguments_digest", "hmac-sha256:0"),
        Draft::high().resume("k").meta("arguments_digest", 5),
        Draft::high()
            .resume("k")
            .digest(1)
            .meta("arguments_unbound", "card"),
    ] {
        let first = bench.submit(&agent(), &draft.body()).waiting();
        assert_ne!(bench.submit(&agent(), &draft.body()).waiting().id, first.id);
    }
}

#[test]
fn those_who_listen_are_told_after_the_fact() {
    let bench = Bench::service();
    let heard: Arc<Mutex<Vec<(ChangeKind, Status, u64)>>> = Arc::default();
    let (engine, into): (Engine, _) = (bench.engine.clone(), Arc::clone(&heard));
    let moment = bench.moment();
    let subscription = bench.engine.subscribe(Box::new(move |change: &Change| {
        // No lock is held: the listener may ask the engine, and finds the change committed.
        let record = engine
            .record(&reviewer(), change.approval_id(), &moment)
            .unwrap();
        assert_eq!(record.status(), change.status());
        into.lock()
            .unwrap()
            .push((change.kind(), change.status(), change.seq()));
    }));
    let waiting = bench.submit(&agent(), &resumable().body()).waiting();
    bench.submit(&agent(), &Draft::read().body());
    bench.submit(&agent(), &resumable().body());
    bench.approve(&reviewer(), &waiting.id);
    bench
        .claim(&agent(), &waiting, OTHER_CLAIM)
        .is(409, "superseded");
    let last = bench.submit(&agent(), &resumable().body()).waiting();
    bench.claim(&agent(), &last, CLAIM);
    let expected = [
        (ChangeKind::Asked, Status::PendingReview, 1),
        (ChangeKind::Resumed, Status::PendingReview, 3),
        (ChangeKind::Decided, Status::Approved, 4),
        (ChangeKind::Resumed, Status::Approved, 6),
        (ChangeKind::Claimed, Status::Approved, 7),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
    drop(subscription);
    bench.submit(&agent(), &Draft::high().body()).waiting();
    assert_eq!(heard.lock().unwrap().len(), expected.len());
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    let bench = Bench::service();
    let heard = Arc::new(Mutex::new(0));
    let into = Arc::clone(&heard);
    let _bad = bench
        .engine
        .subscribe(Box::new(|_| std::panic::resume_unwind(Box::new("bug"))));
    let _good = bench
        .engine
        .subscribe(Box::new(move |_| *into.lock().unwrap() += 1));
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(*heard.lock().unwrap(), 2);
}

#[test]
fn a_sweep_ends_what_is_due_and_says_when_to_come_back() {
    let bench = Bench::service();
    let undecided = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.pass(MINUTE);
    let unclaimed = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &unclaimed.id);
    let claimed = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &claimed.id);
    bench.claim(&agent(), &claimed, CLAIM);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&heard);
    let _subscription = bench.engine.subscribe(Box::new(move |change| {
        into.lock()
            .unwrap()
            .push((change.approval_id().to_string(), change.kind()));
    }));
    let begun = bench.now();
    let swept = bench.engine.sweep(&bench.moment()).unwrap();
    assert_eq!(swept.changed, 0);
    assert_eq!(
        swept.next_due,
        Some(Timestamp::from_millis(begun + 10 * MINUTE))
    );
    bench.pass(10 * MINUTE);
    let swept = bench.engine.sweep(&bench.moment()).unwrap();
    assert_eq!(swept.changed, 1);
    assert_eq!(
        swept.next_due,
        Some(Timestamp::from_millis(begun + 14 * MINUTE))
    );
    bench.pass(HOUR);
    let swept = bench.engine.sweep(&bench.moment()).unwrap();
    assert_eq!((swept.changed, swept.next_due), (2, None));
    let expected = [
        (unclaimed.id, ChangeKind::Expired),
        (undecided.id, ChangeKind::Expired),
        (claimed.id.clone(), ChangeKind::Outcome),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
    assert_eq!(bench.look(&claimed.id)["execution"], "outcome_unknown");
    assert_eq!(bench.look(&claimed.id)["status"], "approved");
}

#[test]
fn a_sweep_ends_any_number_of_them() {
    let bench = Bench::service();
    for _ in 0..1_000 {
        bench.submit(&agent(), &Draft::high().body()).waiting();
    }
    bench.pass(HOUR);
    assert_eq!(bench.engine.sweep(&bench.moment()).unwrap().changed, 1_000);
}

#[test]
fn a_clock_that_is_set_back_revives_nothing() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let begun = bench.moment();
    bench.pass(HOUR);
    assert_eq!(bench.look(&waiting.id)["status"], "expired");
    let request = Request::Decide {
        approval_id: &waiting.id,
        body: r#"{"decision":"approved","reason":"too late"}"#,
    };
    let answer = bench.engine.handle(&reviewer(), request, &begun);
    assert_eq!(answer.status, 409);
}
