//! Reports of outcomes that go along with a submission: one transaction, and neither depends on the other.

use serde_json::{Value, json};
use sernixa_engine::{Principal, Request, Role};

use crate::failing_store;
use crate::support::{Answered, Bench, Draft, agent};

/// A read that runs at once, of the call with this number.
fn read(call: u64) -> Draft {
    Draft::read().top("request_id", format!("{call:032x}"))
}

fn succeeded(id: &str, call: u64) -> String {
    let report = json!({"approval_id": id, "request_id": format!("{call:032x}"),
        "outcome": "succeeded", "duration_ms": 1});
    json!({"outcomes": [report]}).to_string()
}

/// The answers to the submission and to the report.
fn both(bench: &Bench, caller: &Principal, body: &str, outcomes: &str) -> (Answered, Answered) {
    let submission = Request::Submit { body };
    let moment = bench.moment();
    let (answer, reported) = bench
        .engine
        .handle_with_outcomes(caller, submission, outcomes, &moment);
    (Answered::new(&answer), Answered::new(&reported))
}

fn became(reported: &Answered) -> &Value {
    &reported.body["results"][0]["status"]
}

#[test]
fn both_are_answered_as_one_after_the_other_from_one_transaction() {
    let (bench, store) = failing_store::bench();
    let first = bench.submit(&agent(), &read(1).body());
    let before = (store.transactions(), bench.events().len());
    let outcomes = succeeded(first.id(), 1);
    let (second, reported) = both(&bench, &agent(), &read(2).body(), &outcomes);
    assert_eq!(store.transactions(), before.0 + 1);
    assert_eq!((second.status, reported.status), (200, 200));
    assert_eq!(became(&reported), "recorded");
    assert_eq!(bench.look(first.id())["execution"], "succeeded");
    assert_eq!(bench.look(second.id())["execution"], "none");
    let after = bench.event_types().split_off(before.1);
    assert_eq!(after, ["outcome_recorded", "submission_auto_approved"]);

    // What comes to no transaction of its own takes nothing along, and it is reported all the same.
    let outcomes = succeeded(second.id(), 2);
    let (third, reported) = both(&bench, &agent(), "{", &outcomes);
    assert_eq!(
        (third.status, reported.status),
        (400, 200),
        "{}",
        third.body
    );
    assert_eq!(became(&reported), "recorded");
    assert_eq!(bench.look(second.id())["execution"], "succeeded");
}

#[test]
fn a_report_that_is_not_taken_changes_nothing_for_the_submission() {
    let bench = Bench::service();
    let unknown = succeeded("00000000-0000-4000-8000-000000000000", 1);
    let (answer, reported) = both(&bench, &agent(), &read(2).body(), &unknown);
    assert_eq!((answer.status, reported.status), (200, 200));
    assert_eq!(became(&reported), "not_found");
    for (wrong, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        (r#"{"outcomes":[7]}"#, 422),
    ] {
        let (answer, reported) = both(&bench, &agent(), &read(3).body(), wrong);
        assert_eq!((answer.status, reported.status), (200, status), "{wrong}");
    }
    let nobody = Principal::new("acme", "nobody").with(Role::Auditor);
    let (answer, reported) = both(&bench, &nobody, &read(4).body(), &unknown);
    assert_eq!((answer.status, reported.status), (403, 403));
}

#[test]
fn a_failure_of_one_is_not_the_others() {
    for panics in [false, true] {
        let (mut allowed, mut blocked) = (0, 0);
        for accesses in 0.. {
            let (bench, store) = failing_store::bench();
            let first = bench.submit(&agent(), &read(1).body());
            store.fail_once_after(accesses, panics);
            let (second, reported) =
                both(&bench, &agent(), &read(2).body(), &succeeded(first.id(), 1));
            let failed = store.has_failed();
            store.fail_after(usize::MAX, false);
            // The report is taken once, whatever happened.
            assert_eq!(became(&reported), "recorded", "at access {accesses}");
            assert_eq!(bench.look(first.id())["execution"], "succeeded");
            let words = bench.event_types();
            let of = |word: &str| words.iter().filter(|known| *known == word).count();
            assert_eq!(of("outcome_recorded"), 1, "at access {accesses}: {words:?}");
            // And the submission is kept, or it is a no.
            if second.status == 200 {
                assert_eq!(of("submission_auto_approved"), 2);
                allowed += 1;
            } else {
                second.is(403, "blocked");
                assert_eq!(of("submission_auto_approved"), 1);
                blocked += 1;
            }
            if !failed {
                break;
            }
        }
        // The report's own failures never stop it; after one of its own it is not tried again, since
        // whoever calls would wait twice for a store that fails.
        assert!(allowed > 3 && blocked > 5, "{allowed} {blocked}");
    }
}
