//! How long a submission waits: as long as its client or its action says, and no longer.

use std::time::Duration;

use sernixa::testing::ManualClock;
use sernixa::{Error, RiskLevel};

use super::{bound, pending, poll_once, resumable, wait_until};
use crate::support::service::{Says, Service, action};

#[test]
fn the_wait_is_bounded_by_poll_timeout_even_where_nobody_awaits_it() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .poll_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let waits = pending(&client, &action(RiskLevel::High));
    // The driver gives up by itself.
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    let error = pollster::block_on(waits.decided()).unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(error.approval_id(), Some("apr-1"));
    client.close_blocking();
}

#[test]
fn an_approval_that_is_being_claimed_when_the_wait_is_over_is_not_left() {
    for asked in [action(RiskLevel::High), resumable()] {
        let clock = ManualClock::starting_at(1_778_000_000);
        let service = Service::full(Says::Pending);
        let client = bound(&service).clock(clock.clone());
        let client = client.build().unwrap();
        let held = service.hold("/claim");
        service.decide("approved");
        let waits = pending(&client, &asked.wait_at_most(Duration::from_secs(1)));
        service.server.wait_for("POST", &Service::path("/claim"), 1);
        clock.advance(Duration::from_mins(1));
        let mut decided = Box::pin(waits.decided());
        let polled = poll_once(&mut decided);
        assert!(polled.is_pending());
        held.open();
        let permit = pollster::block_on(decided).unwrap();
        assert_eq!(permit.approval_id(), Some("apr-1"));
        permit.succeeded();
        client.close_blocking();
        assert_eq!(service.outcomes(1), ["succeeded"]);
    }
}

#[test]
fn an_action_may_wait_for_less_than_its_client_and_says_that_nobody_decided() {
    for (asked, withdrawn) in [(action(RiskLevel::High), 1), (resumable(), 0)] {
        let clock = ManualClock::starting_at(1_778_000_000);
        let service = Service::full(Says::Pending);
        let client = bound(&service).clock(clock.clone());
        let client = client.build().unwrap();
        let waits = pending(&client, &asked.wait_at_most(Duration::from_secs(3)));
        let mut decided = Box::pin(waits.decided());
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_millis(2_900));
        let polled = poll_once(&mut decided);
        assert!(polled.is_pending());
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_millis(100));
        let error = pollster::block_on(decided).unwrap_err();
        assert!(error.is_undecided(), "{error}");
        assert_eq!(error.approval_id(), Some("apr-1"));
        let said = error.to_string();
        assert!(
            said.contains("within 3 s (as long as this action waits)"),
            "{said}"
        );
        client.close_blocking();
        let requests = service.server.requests();
        let left = requests.iter().filter(|r| r.path().ends_with("/withdraw"));
        assert_eq!(left.count(), withdrawn);
    }
}

#[test]
fn an_action_waits_no_longer_than_its_client() {
    let service = Service::full(Says::Pending);
    let client = service.builder().poll_timeout(Duration::ZERO);
    let client = client.build().unwrap();
    let asked = action(RiskLevel::High).wait_at_most(Duration::from_hours(1));
    let error = client.authorize_blocking(&asked).unwrap_err();
    assert!(error.is_undecided(), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("within 0 s (SERNIXA_POLL_TIMEOUT_SECONDS)"),
        "{said}"
    );
    client.close_blocking();
}

#[test]
fn a_claim_that_is_not_answered_in_time_is_no_wait_that_ended_undecided() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .max_retries(0)
        .timeout(Duration::from_millis(300));
    let client = client.build().unwrap();
    let held = service.hold("/claim");
    service.decide("approved");
    let asked = action(RiskLevel::High).wait_at_most(Duration::from_secs(15));
    let error = client.authorize_blocking(&asked).unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert!(!error.is_undecided() && error.may_have_been_submitted());
    held.open();
    client.close_blocking();
    assert_eq!(service.outcomes(1), ["not_started"]);
}
