//! Reports of how executions ended.

use std::sync::Arc;

use serde_json::json;
use sernixa_engine::audit::verify_approvals;
use sernixa_engine::{Engine, MemoryStore, Principal, Request, Role};

use crate::rounds::note_rounds;
use crate::support::{Bench, CLAIM, Draft, HOUR, OTHER_CLAIM, Waiting, agent, reviewer};

fn claimed(bench: &Bench) -> Waiting {
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    waiting
}

fn report(bench: &Bench, waiting: &Waiting, outcome: &str) -> String {
    bench.report(
        &agent(),
        json!({"approval_id": waiting.id, "claim_token": waiting.token, "outcome": outcome,
            "duration_ms": 12, "error": "BillingError"}),
    )
}

#[test]
fn an_outcome_stands_in_the_record_and_the_audit() {
    let bench = Bench::service();
    for outcome in [
        "succeeded",
        "failed",
        "panicked",
        "cancelled",
        "returned",
        "not_started",
    ] {
        let waiting = claimed(&bench);
        assert_eq!(report(&bench, &waiting, outcome), "recorded");
        assert_eq!(bench.look(&waiting.id)["execution"], outcome);
        assert_eq!(bench.look(&waiting.id)["status"], "approved");
        let events = bench.events();
        let last = events.last().unwrap();
        assert_eq!(last["event_type"], "outcome_recorded");
        assert_eq!(last["outcome"], outcome);
        assert_eq!(last["duration_ms"], 12);
        assert_eq!(last["error"], "BillingError");
        // The same again, from a retry, is no news; another one is not believed.
        assert_eq!(report(&bench, &waiting, outcome), "recorded");
        assert_eq!(bench.events().len(), events.len());
        assert_eq!(
            report(&bench, &waiting, "outcome_unknown"),
            "already_reported"
        );
        assert_eq!(bench.look(&waiting.id)["execution"], outcome);
    }
}

#[test]
fn a_claim_without_an_outcome_is_unknown_after_an_hour_until_someone_says() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    bench.pass(HOUR - 1);
    assert_eq!(bench.look(&waiting.id)["execution"], "claimed");
    bench.pass(1);
    assert_eq!(bench.look(&waiting.id)["execution"], "outcome_unknown");
    assert_eq!(report(&bench, &waiting, "succeeded"), "recorded");
    assert_eq!(bench.look(&waiting.id)["execution"], "succeeded");
    // Both stand in the audit.
    let words = bench.event_types();
    assert_eq!(
        words[words.len() - 2..],
        ["outcome_unknown", "outcome_recorded"]
    );
    let waiting = claimed(&bench);
    assert_eq!(report(&bench, &waiting, "outcome_unknown"), "recorded");
    assert_eq!(report(&bench, &waiting, "failed"), "recorded");
    let waiting = claimed(&bench);
    assert_eq!(report(&bench, &waiting, "continued"), "recorded");
    assert_eq!(report(&bench, &waiting, "succeeded"), "recorded");
}

#[test]
fn not_started_closes_an_unclaimed_approval_to_claims() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    assert_eq!(
        report(&bench, &waiting, "not_started"),
        "not_claimed",
        "it is not approved yet"
    );
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(report(&bench, &waiting, "succeeded"), "not_claimed");
    assert_eq!(bench.event_types().last().unwrap(), "outcome_refused");
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
    assert_eq!(report(&bench, &waiting, "not_started"), "recorded");
    bench
        .claim(&agent(), &waiting, CLAIM)
        .is(409, "already_claimed");
    assert_eq!(bench.look(&waiting.id)["execution"], "not_started");
}

#[test]
fn a_claimed_call_that_did_not_start_is_not_claimed_again() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    assert_eq!(report(&bench, &waiting, "not_started"), "recorded");
    bench
        .claim(&agent(), &waiting, OTHER_CLAIM)
        .is(409, "already_claimed");
}

#[test]
fn what_ran_at_once_is_reported_by_its_request_id() {
    let bench = Bench::service();
    let answer = bench.submit(&agent(), &Draft::read().top("request_id", "r-1").body());
    let by = |caller: &Principal, proof: &str, value: &str, outcome: &str| {
        bench.report(
            caller,
            json!({"approval_id": answer.id(), proof: value, "outcome": outcome}),
        )
    };
    assert_eq!(
        by(&agent(), "request_id", "r-2", "succeeded"),
        "invalid_claim_token"
    );
    assert_eq!(
        by(&agent(), "claim_token", &"0".repeat(64), "succeeded"),
        "invalid_claim_token"
    );
    let other = Principal::new("acme", "other").with(Role::Agent);
    assert_eq!(by(&other, "request_id", "r-1", "succeeded"), "not_found");
    assert_eq!(by(&agent(), "request_id", "r-1", "succeeded"), "recorded");
    assert_eq!(
        by(&agent(), "request_id", "r-1", "failed"),
        "already_reported"
    );
    assert_eq!(bench.look(answer.id())["execution"], "succeeded");
    assert_eq!(bench.look(answer.id())["status"], "auto_approved");
}

#[test]
fn a_request_id_is_no_proof_for_what_waited() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    let report = json!({"approval_id": waiting.id, "request_id": "a".repeat(32),
        "outcome": "succeeded"});
    assert_eq!(bench.report(&agent(), report), "invalid_claim_token");
}

#[test]
fn a_superseded_client_reports_nothing() {
    let bench = Bench::service();
    let draft = Draft::high().digest(1).resume("k");
    let first = bench.submit(&agent(), &draft.body()).waiting();
    let second = bench.submit(&agent(), &draft.body()).waiting();
    bench.approve(&reviewer(), &first.id);
    assert_eq!(report(&bench, &first, "not_started"), "superseded");
    assert_eq!(bench.claim(&agent(), &second, CLAIM).status, 200);
    assert_eq!(report(&bench, &second, "succeeded"), "recorded");
}

#[test]
fn a_batch_is_judged_one_by_one_and_has_a_bound() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    let good = json!({"approval_id": waiting.id, "claim_token": waiting.token,
        "outcome": "succeeded", "duration_ms": 3});
    let unknown = json!({"approval_id": "nothing", "claim_token": "x", "outcome": "failed"});
    let body = json!({"outcomes": [unknown, good]}).to_string();
    let answer = bench.handle(&agent(), Request::Outcomes { body: &body });
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["results"][0]["status"], "not_found");
    assert_eq!(answer.body["results"][1]["status"], "recorded");
    let batch = |count: usize| json!({"outcomes": vec![&unknown; count]}).to_string();
    for (status, body) in [
        (200, batch(256)),
        (422, batch(257)),
        (422, batch(0)),
        (422, "{}".into()),
        (422, r#"{"outcomes":{}}"#.into()),
        (422, r#"{"outcomes":[5]}"#.into()),
        (
            422,
            r#"{"outcomes":[{"approval_id":"x","outcome":"failed"}]}"#.into(),
        ),
        (
            422,
            r#"{"outcomes":[{"approval_id":"x","claim_token":"t","outcome":"done"}]}"#.into(),
        ),
        (400, "[]".into()),
    ] {
        let answer = bench.handle(&agent(), Request::Outcomes { body: &body });
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    bench
        .handle(&reviewer(), Request::Outcomes { body: &batch(1) })
        .is(403, "forbidden");
}

#[test]
fn a_long_error_text_is_cut() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    let report = json!({"approval_id": waiting.id, "claim_token": waiting.token,
        "outcome": "failed", "error": "é".repeat(10_000)});
    assert_eq!(bench.report(&agent(), report), "recorded");
    let events = bench.events();
    assert_eq!(events.last().unwrap()["error"], "é".repeat(500));
}

/// A report of a round of something that goes on.
fn told(bench: &Bench, waiting: &Waiting, digest: &str) -> String {
    bench.report(
        &agent(),
        json!({"approval_id": waiting.id, "claim_token": waiting.token, "outcome": "continued",
            "input_digest": digest}),
    )
}

fn digest(nth: char) -> String {
    format!("hmac-sha256:{}", nth.to_string().repeat(64))
}

#[test]
fn what_something_that_goes_on_is_told_stands_in_the_audit_round_by_round_until_it_ends() {
    let bench = Bench::service();
    // The last word may be any.
    for end in ["succeeded", "failed", "outcome_unknown"] {
        let waiting = claimed(&bench);
        assert_eq!(report(&bench, &waiting, "continued"), "recorded");
        let before = bench.events().len();
        for nth in ['a', 'b'] {
            assert_eq!(told(&bench, &waiting, &digest(nth)), "recorded");
            assert_eq!(bench.look(&waiting.id)["execution"], "continued");
            let events = bench.events();
            let last = events.last().unwrap();
            assert_eq!(last["event_type"], "outcome_recorded");
            assert_eq!(last["outcome"], "continued");
            assert_eq!(last["execution_before"], "continued");
            assert_eq!(last["input_digest"], digest(nth));
        }
        // Without a digest it is no news.
        assert_eq!(report(&bench, &waiting, "continued"), "recorded");
        assert_eq!(bench.events().len(), before + 2);
        assert_eq!(report(&bench, &waiting, end), "recorded");
        assert_eq!(bench.look(&waiting.id)["execution"], end);
    }
}

#[test]
fn what_is_only_noted_stands_in_a_chain_that_holds() {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::builder().shared_store(Arc::clone(&store) as _);
    let bench = Bench::new(engine.build().unwrap());
    note_rounds(&bench);
    let report = verify_approvals(&*store).unwrap();
    assert_eq!((report.checked, report.skipped), (3, 0));
    assert!(report.faults.is_empty(), "{report:?}");
}

#[test]
fn a_round_may_be_heard_of_before_the_start_is_said_to_go_on() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    assert_eq!(told(&bench, &waiting, &digest('a')), "recorded");
    let events = bench.events();
    assert_eq!(events.last().unwrap()["input_digest"], digest('a'));
    assert_eq!(events.last().unwrap()["execution_before"], "claimed");
    assert_eq!(report(&bench, &waiting, "continued"), "recorded");
    assert_eq!(bench.look(&waiting.id)["execution"], "continued");
    // Of what ran at once, too.
    let answer = bench.submit(&agent(), &Draft::read().top("request_id", "r-1").body());
    let at_once = json!({"approval_id": answer.id(), "request_id": "r-1", "outcome": "continued",
        "input_digest": digest('c')});
    assert_eq!(bench.report(&agent(), at_once), "recorded");
    assert_eq!(bench.look(answer.id())["execution"], "continued");
    assert_eq!(bench.events().last().unwrap()["input_digest"], digest('c'));
}

#[test]
fn a_round_of_what_was_not_started_has_ended_or_is_anothers_is_not_recorded() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    assert_eq!(told(&bench, &waiting, &digest('a')), "not_claimed");
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
    let ended = claimed(&bench);
    assert_eq!(report(&bench, &ended, "succeeded"), "recorded");
    assert_eq!(told(&bench, &ended, &digest('a')), "already_reported");
    assert_eq!(bench.look(&ended.id)["execution"], "succeeded");
    let goes_on = claimed(&bench);
    assert_eq!(report(&bench, &goes_on, "continued"), "recorded");
    let before = bench.events().len();
    let with = |id: &str, token: &str| Waiting {
        id: id.to_owned(),
        token: token.to_owned(),
        body_hash: goes_on.body_hash.clone(),
    };
    let forged = with(&goes_on.id, &"0".repeat(64));
    assert_eq!(told(&bench, &forged, &digest('a')), "invalid_claim_token");
    let mixed = with(&goes_on.id, &ended.token);
    assert_eq!(told(&bench, &mixed, &digest('a')), "invalid_claim_token");
    let nowhere = with("nothing", &goes_on.token);
    assert_eq!(told(&bench, &nowhere, &digest('a')), "not_found");
    let other = Principal::new("acme", "other").with(Role::Agent);
    let report = json!({"approval_id": goes_on.id, "claim_token": goes_on.token,
        "outcome": "continued", "input_digest": digest('a')});
    assert_eq!(bench.report(&other, report), "not_found");
    assert_eq!(bench.events().len(), before, "it leaves no trace");
}

#[test]
fn an_input_digest_is_a_digest_and_comes_with_continued_alone() {
    let bench = Bench::service();
    let waiting = claimed(&bench);
    let hex = "a".repeat(64);
    for (outcome, digest) in [
        ("continued", json!("")),
        ("continued", json!(hex)),
        ("continued", json!("hmac-sha256:")),
        (
            "continued",
            json!(format!("hmac-sha256:{}", "A".repeat(64))),
        ),
        ("continued", json!(format!("hmac-sha256:{hex}0"))),
        (
            "continued",
            json!(format!("hmac-sha256:{}", "a".repeat(63))),
        ),
        ("continued", json!(format!("sha256:{hex}"))),
        ("continued", json!(format!("HMAC-SHA256:{hex}"))),
        ("continued", json!("the password is hunter2")),
        ("continued", json!(7)),
        ("continued", json!([])),
        ("succeeded", json!(format!("hmac-sha256:{hex}"))),
        ("outcome_unknown", json!(format!("hmac-sha256:{hex}"))),
    ] {
        let report = json!({"approval_id": waiting.id, "claim_token": waiting.token,
            "outcome": outcome, "input_digest": digest});
        let body = json!({"outcomes": [report]}).to_string();
        let before = bench.events().len();
        let answer = bench.handle(&agent(), Request::Outcomes { body: &body });
        assert_eq!(answer.status, 422, "{outcome} {digest}: {}", answer.body);
        assert_eq!(bench.events().len(), before);
    }
    assert_eq!(bench.look(&waiting.id)["execution"], "claimed");
    let none = json!({"approval_id": waiting.id, "claim_token": waiting.token,
        "outcome": "succeeded", "input_digest": null});
    assert_eq!(bench.report(&agent(), none), "recorded");
}
