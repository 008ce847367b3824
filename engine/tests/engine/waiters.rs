//! Whether somebody waits for an approval that outlives its waiters, as its record shows it.

use serde_json::Value;
use sernixa_engine::{Principal, Request, Role};

use crate::support::{Bench, Draft, MINUTE, agent, reviewer};

const SECOND: u64 = 1_000;

fn resumable() -> Draft {
    Draft::high().digest(1).resume(&"f".repeat(64))
}

/// A look by one who waits.
fn await_it(bench: &Bench, caller: &Principal, id: &str) -> Value {
    let answer = bench.handle(caller, Request::Await { approval_id: id });
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// How many milliseconds ago a waiter was seen, as the record says.
fn unseen_for(bench: &Bench, id: &str) -> Option<u64> {
    let record = bench
        .engine
        .pending(&reviewer(), 9, &bench.moment())
        .unwrap();
    let record = record
        .iter()
        .find(|one| one.approval_id().to_string() == id)?;
    let seen = record.waiter_seen_at()?;
    let shown = bench.look(id)["waiter_seen_at"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(shown.ends_with('Z') && shown.len() == 24, "{shown}");
    Some(bench.now() - seen.millis())
}

#[test]
fn asking_taking_up_and_looking_show_that_somebody_waits() {
    let bench = Bench::service();
    let waiting = bench
        .submit(&agent(), &resumable().nonce(1).body())
        .waiting();
    assert_eq!(unseen_for(&bench, &waiting.id), Some(0));
    bench.pass(30 * SECOND);
    let seen = await_it(&bench, &agent(), &waiting.id);
    assert_eq!(
        seen["waiter_seen_at"],
        bench.look(&waiting.id)["waiter_seen_at"]
    );
    assert_eq!(unseen_for(&bench, &waiting.id), Some(0));
    bench.pass(3 * MINUTE);
    assert_eq!(unseen_for(&bench, &waiting.id), Some(3 * MINUTE));
    let again = bench
        .submit(&agent(), &resumable().nonce(2).body())
        .waiting();
    assert_eq!(
        (again.id == waiting.id, unseen_for(&bench, &waiting.id)),
        (true, Some(0))
    );
}

#[test]
fn a_waiter_that_looks_often_is_written_down_every_twenty_seconds_and_never_in_the_audit() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &resumable().body()).waiting();
    let mut oldest = 0;
    for _ in 0..60 {
        bench.pass(2 * SECOND);
        oldest = oldest.max(unseen_for(&bench, &waiting.id).unwrap());
        await_it(&bench, &agent(), &waiting.id);
    }
    assert_eq!(oldest, 20 * SECOND);
    assert_eq!(bench.event_types(), ["submission_pending_review"]);
    // Others' clocks may be behind: no time is taken back.
    let seen = bench.look(&waiting.id)["waiter_seen_at"].clone();
    let earlier = Bench::new(bench.engine.clone());
    await_it(&earlier, &agent(), &waiting.id);
    assert_eq!(bench.look(&waiting.id)["waiter_seen_at"], seen);
}

#[test]
fn nobody_else_waits_by_looking_nor_the_client_itself_by_a_plain_look() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &resumable().body()).waiting();
    bench.pass(5 * MINUTE);
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    for caller in [&reviewer(), &auditor] {
        await_it(&bench, caller, &waiting.id);
    }
    let plain = Request::Record {
        approval_id: &waiting.id,
    };
    bench.handle(&agent(), plain);
    assert_eq!(unseen_for(&bench, &waiting.id), Some(5 * MINUTE));
    let stranger = Principal::new("other", "agent-key").with(Role::Agent);
    let request = Request::Await {
        approval_id: &waiting.id,
    };
    assert_eq!(bench.handle(&stranger, request).status, 404);
}

#[test]
fn what_its_one_waiter_withdraws_says_nothing_of_waiters() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    assert_eq!(
        await_it(&bench, &agent(), &waiting.id)["waiter_seen_at"],
        Value::Null
    );
    assert_eq!(unseen_for(&bench, &waiting.id), None);
}

#[test]
fn what_is_decided_keeps_what_was_seen_before_and_ends_as_ever() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &resumable().body()).waiting();
    let seen = bench.look(&waiting.id)["waiter_seen_at"].clone();
    bench.approve(&reviewer(), &waiting.id);
    bench.pass(MINUTE);
    let record = await_it(&bench, &agent(), &waiting.id);
    assert_eq!(
        (&record["status"], &record["waiter_seen_at"]),
        (&"approved".into(), &seen)
    );
    let undecided = bench
        .submit(&agent(), &resumable().digest(2).body())
        .waiting();
    // Waiting lengthens no life.
    for _ in 0..14 {
        bench.pass(MINUTE);
        assert_eq!(
            await_it(&bench, &agent(), &undecided.id)["status"],
            "pending_review"
        );
    }
    bench.pass(MINUTE);
    assert_eq!(
        await_it(&bench, &agent(), &undecided.id)["status"],
        "expired"
    );
}
