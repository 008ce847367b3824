//! Memory: what people approved often enough is not asked again.

use sernixa_engine::{MemoryRule, Principal, Request, Role, Settings, Unbound, Word};

use crate::support::{Answered, Bench, DAY, Draft, agent, reviewer};

/// Asks, and approves what has to be; returns whether it had to be.
fn asked_a_person(bench: &Bench, caller: &Principal, draft: &Draft) -> bool {
    let answer = bench.submit(caller, &draft.body());
    if answer.status == 200 {
        return false;
    }
    bench.approve(&reviewer(), &answer.waiting().id);
    true
}

fn teach(bench: &Bench, draft: &Draft) {
    for _ in 0..3 {
        assert!(asked_a_person(bench, &agent(), draft));
    }
}

fn submitted(bench: &Bench, draft: &Draft) -> Answered {
    bench.submit(&agent(), &draft.body())
}

#[test]
fn three_approvals_by_a_person_let_the_fourth_call_run() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    teach(&bench, &draft);
    let answer = submitted(&bench, &draft);
    assert_eq!(
        (answer.status, &answer.body["decision"]),
        (200, &"auto_approved".into())
    );
    let events = bench.events();
    assert_eq!(
        events.last().unwrap()["reason"],
        "people have approved it before"
    );
}

#[test]
fn approvals_older_than_thirty_days_do_not_count() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    assert!(asked_a_person(&bench, &agent(), &draft));
    bench.pass(DAY);
    assert!(asked_a_person(&bench, &agent(), &draft));
    assert!(asked_a_person(&bench, &agent(), &draft));
    assert!(!asked_a_person(&bench, &agent(), &draft));
    bench.pass(29 * DAY - 1);
    assert!(!asked_a_person(&bench, &agent(), &draft));
    bench.pass(1);
    assert!(
        asked_a_person(&bench, &agent(), &draft),
        "the first is 30 days old"
    );
    assert!(
        !asked_a_person(&bench, &agent(), &draft),
        "and another has taken its place"
    );
}

#[test]
fn what_memory_let_through_does_not_count_as_an_approval() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    teach(&bench, &draft);
    for _ in 0..10 {
        assert!(!asked_a_person(&bench, &agent(), &draft));
    }
    bench.pass(30 * DAY);
    assert!(asked_a_person(&bench, &agent(), &draft));
}

#[test]
fn a_rejection_forgets() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    for _ in 0..2 {
        asked_a_person(&bench, &agent(), &draft);
    }
    let waiting = submitted(&bench, &draft).waiting();
    bench.reject(&reviewer(), &waiting.id);
    teach(&bench, &draft);
    assert!(!asked_a_person(&bench, &agent(), &draft));
}

#[test]
fn a_rejection_after_the_third_approval_still_forgets() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    let late = submitted(&bench, &draft).waiting();
    teach(&bench, &draft);
    bench.reject(&reviewer(), &late.id);
    assert!(asked_a_person(&bench, &agent(), &draft));
}

#[test]
fn high_and_critical_are_asked_every_time() {
    for risk in ["high", "critical", "CRITICAL"] {
        let bench = Bench::service();
        let draft = Draft::new(risk, "read").digest(1);
        for _ in 0..10 {
            assert!(asked_a_person(&bench, &agent(), &draft));
        }
        assert!(
            bench
                .engine
                .remembered(&reviewer(), &bench.moment())
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn another_call_is_another_memory() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    teach(&bench, &draft);
    for other in [
        draft.clone().digest(2),
        draft.clone().meta("cents", 1),
        draft.clone().top("action_id", "other"),
        draft.clone().top("intent_id", "other"),
        draft.clone().meta("systems_touched", ["x"].as_slice()),
    ] {
        assert_eq!(submitted(&bench, &other).status, 202);
    }
    let other_key = Principal::new("acme", "other").with(Role::Agent);
    assert_eq!(bench.submit(&other_key, &draft.body()).status, 202);
    // The request's own id, nonce and time are not part of the call.
    let again = draft
        .clone()
        .nonce(7)
        .top("request_id", "x")
        .top("timestamp", 5);
    assert_eq!(submitted(&bench, &again).status, 200);
}

#[test]
fn whoever_resumes_under_another_key_asks_for_the_same() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    for key in ["one", "two", "three"] {
        let waiting = submitted(&bench, &draft.clone().resume(key)).waiting();
        bench.approve(&reviewer(), &waiting.id);
    }
    assert_eq!(submitted(&bench, &draft).status, 200);
    assert_eq!(submitted(&bench, &draft.clone().resume("four")).status, 200);
    // But where an approval is open, the wait goes on: never 200.
    assert_eq!(submitted(&bench, &draft.resume("three")).status, 202);
}

#[test]
fn a_partial_or_absent_digest_never_matches() {
    let bench = Bench::service();
    for draft in [
        Draft::medium(),
        Draft::medium().meta("arguments_digest", "hmac-sha256:00"),
        Draft::medium().meta("arguments_digest", "0".repeat(64)),
        Draft::medium().meta("arguments_digest", 5),
        Draft::medium()
            .digest(1)
            .meta("arguments_unbound", ["card"].as_slice()),
        Draft::medium().digest(1).meta("arguments_unbound", true),
    ] {
        for _ in 0..6 {
            assert!(asked_a_person(&bench, &agent(), &draft));
        }
    }
}

#[test]
fn requests_without_digest_are_remembered_only_where_the_operator_says_so_and_only_at_low_risk() {
    let rule = MemoryRule {
        unbound: Unbound::Low,
        ..Settings::default().memory
    };
    let demo = Settings {
        memory: rule,
        ..Settings::default()
    };
    for (settings, risk, remembers) in [
        (Settings::default(), "low", false),
        (demo.clone(), "low", true),
        (demo.clone(), "medium", false),
        (demo.clone(), "high", false),
    ] {
        let bench = Bench::with(settings);
        let draft = Draft::new(risk, "tool_call");
        teach(&bench, &draft);
        assert_eq!(
            !asked_a_person(&bench, &agent(), &draft),
            remembers,
            "{risk}"
        );
    }
    // A client that says that something is not digested is not taken for one that says nothing.
    let bench = Bench::with(demo);
    let draft = Draft::new("low", "tool_call").meta("arguments_unbound", ["card"].as_slice());
    teach(&bench, &draft);
    assert!(asked_a_person(&bench, &agent(), &draft));
}

#[test]
fn memory_is_visible_and_revocable() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    teach(&bench, &draft);
    let moment = bench.moment();
    let refused = bench.engine.remembered(&agent(), &moment).unwrap_err();
    assert_eq!(refused.word(), Word::Forbidden);
    let remembered = bench.engine.remembered(&reviewer(), &moment).unwrap();
    let [memory] = &*remembered else {
        panic!("{remembered:?}")
    };
    assert_eq!((&*memory.key, &*memory.intent_id), ("agent-key", "billing"));
    assert!(memory.suffices(moment.now, &bench.engine.settings().memory));
    let fingerprint = memory.fingerprint;
    let forget = |caller: &Principal| bench.engine.forget(caller, &fingerprint, &moment);
    assert_eq!(forget(&agent()).unwrap_err().word(), Word::Forbidden);
    let stranger = Principal::new("other", "r").with(Role::Reviewer);
    assert_eq!(forget(&stranger).unwrap_err().word(), Word::NotFound);
    forget(&reviewer()).unwrap();
    assert_eq!(forget(&reviewer()).unwrap_err().word(), Word::NotFound);
    assert_eq!(bench.event_types().last().unwrap(), "memory_forgotten");
    assert!(asked_a_person(&bench, &agent(), &draft));
}

#[test]
fn memory_is_listed_and_forgotten_over_the_wire() {
    let bench = Bench::service();
    let draft = Draft::medium().digest(1);
    teach(&bench, &draft);
    let refused = bench.handle(&agent(), Request::Memories);
    assert_eq!((refused.status, refused.word()), (403, "forbidden"));
    let listed = bench.handle(&reviewer(), Request::Memories);
    let [memory] = &**listed.body.as_array().unwrap() else {
        panic!("{}", listed.body)
    };
    assert_eq!(memory["action_id"], "pay-invoice");
    assert_eq!(memory["approved_at"].as_array().unwrap().len(), 3);
    let fingerprint = memory["fingerprint"].as_str().unwrap();
    let (agent, reviewer) = (agent(), reviewer());
    let forget = |caller, fingerprint| bench.handle(caller, Request::Forget { fingerprint });
    // The role counts before the name: others do not learn what is one.
    for odd in [fingerprint, "", "zz"] {
        assert_eq!(forget(&agent, odd).status, 403);
    }
    let (upper, zeros) = (fingerprint.to_uppercase(), "0".repeat(64));
    for odd in ["", "zz", &upper, &zeros] {
        assert_eq!(forget(&reviewer, odd).status, 404, "{odd}");
    }
    assert_eq!(forget(&reviewer, fingerprint).status, 200);
    assert_eq!(forget(&reviewer, fingerprint).status, 404);
    assert!(asked_a_person(&bench, &agent, &draft));
}

#[test]
fn memory_does_not_grow_with_every_approval() {
    let settings = Settings {
        memory: MemoryRule {
            threshold: 2,
            ..Settings::default().memory
        },
        ..Settings::default()
    };
    let bench = Bench::with(settings);
    let draft = Draft::medium().digest(1);
    let open: Vec<_> = (0..20)
        .map(|_| submitted(&bench, &draft).waiting())
        .collect();
    for waiting in open {
        bench.approve(&reviewer(), &waiting.id);
    }
    let remembered = bench
        .engine
        .remembered(&reviewer(), &bench.moment())
        .unwrap();
    assert_eq!(remembered[0].approved_at.len(), 2);
}
