//! Reports of outcomes that nobody waits for.

use std::time::Duration;

use sernixa::embedded::Engine;
use sernixa::embedded::engine::{Moment, Principal, Request, Timestamp};
use sernixa::testing::ManualClock;
use sernixa::{Client, Clock as _};

use super::{allowed, wait_until};

#[test]
fn a_report_that_nobody_waits_for_goes_with_the_next_decision_or_in_time_or_at_the_end() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let engine = Engine::in_memory();
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let allowed = || {
        let permit = allowed(&client);
        let id = permit.approval_id().unwrap().to_owned();
        (permit.reported_later(), id)
    };
    let said = |id: &str| {
        let moment = Moment::new(Timestamp::from_millis(clock.unix_millis()), [7; 32]);
        let asked = Request::Record { approval_id: id };
        let answer = engine.handle(&Principal::local(), asked, &moment);
        let record: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        record["execution"].as_str().unwrap().to_owned()
    };

    let (first, first_id) = allowed();
    first.succeeded();
    wait_until(|| clock.sleepers() > 0);
    assert_eq!(said(&first_id), "none");
    let (second, second_id) = allowed();
    wait_until(|| said(&first_id) == "succeeded");

    second.failed();
    wait_until(|| {
        clock.advance(Duration::from_millis(100));
        said(&second_id) == "failed"
    });

    let (third, third_id) = allowed();
    let (fourth, fourth_id) = allowed();
    drop(third);
    client.close_blocking();
    assert_eq!(said(&third_id), "outcome_unknown");
    fourth.succeeded();
    assert_eq!(said(&fourth_id), "succeeded");
}
