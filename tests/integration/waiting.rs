//! Waiting over HTTP, where the service is slow or silent.

use std::thread;
use std::time::Duration;

use sernixa::{Error, RiskLevel};

use crate::support::service::{SUBMIT, Says, Service, action};

#[test]
fn a_look_that_is_never_answered_holds_up_no_other_waiter() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let held = service.hold("/apr-1");
    thread::scope(|scope| {
        let first = scope.spawn(|| client.authorize_blocking(&action(RiskLevel::High)));
        service.server.wait_for("GET", &Service::path(""), 1);
        let second = scope.spawn(|| client.authorize_blocking(&action(RiskLevel::High)));
        service.server.wait_for("GET", "/api/approvals/apr-2", 1);
        service.decide("approved");
        second.join().unwrap().unwrap().succeeded();
        held.open();
        first.join().unwrap().unwrap().succeeded();
    });
    client.close_blocking();
}

#[test]
fn the_deadline_of_a_wait_cuts_a_look_that_is_under_way() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .poll_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let held = service.hold("/apr-1");
    let error = client
        .authorize_blocking(&action(RiskLevel::High))
        .unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(error.approval_id(), Some("apr-1"));
    // Nobody waits any more, so nobody shall review it.
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    held.open();
    client.close_blocking();
}

#[test]
fn without_waiting_there_is_one_look_and_a_decision_that_was_quick_enough_counts() {
    let service = Service::full(Says::Pending);
    let client = service
        .builder()
        .poll_timeout(Duration::ZERO)
        .build()
        .unwrap();
    let error = client
        .authorize_blocking(&action(RiskLevel::High))
        .unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!(
        service.server.requests_to("GET", &Service::path("")).len(),
        1
    );
    service.decide("approved");
    client
        .authorize_blocking(&action(RiskLevel::High))
        .unwrap()
        .succeeded();
    assert_eq!(service.server.requests_to("POST", SUBMIT).len(), 2);
    client.close_blocking();
}
