//! A submission that nobody waits for any more, and that nobody can take up again, is withdrawn.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use sernixa::{Error, RiskLevel};

use super::{pending, poll_once};
use crate::support::latch::Latch;
use crate::support::service::{SUBMIT, Says, Service, action};

#[test]
fn one_that_nobody_asks_about_any_more_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    drop(pending(&client, &action(RiskLevel::High)));
    let withdrawn = service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    assert_eq!(withdrawn.json()["claim_token"], "token-apr-1");
    client.close_blocking();
}

#[test]
fn one_whose_decision_is_not_awaited_to_the_end_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let mut decided = Box::pin(pending(&client, &action(RiskLevel::High)).decided());
    assert!(poll_once(&mut decided).is_pending());
    drop(decided);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

#[test]
fn a_submission_dropped_while_it_is_under_way_is_finished_and_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let held = service.hold(SUBMIT);
    let mut call = Box::pin(client.submit(&action(RiskLevel::High)));
    assert!(poll_once(&mut call).is_pending());
    service.server.wait_for("POST", SUBMIT, 1);
    drop(call);
    held.open();
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

struct Rung(Latch);

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.0.open();
    }
}

#[test]
fn one_that_was_told_to_wait_and_never_looked_is_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let told = Latch::new();
    let waker = Waker::from(Arc::new(Rung(told.clone())));
    let mut call = Box::pin(client.submit(&action(RiskLevel::High)));
    assert!(
        call.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    told.wait();
    drop(call);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    client.close_blocking();
}

#[test]
fn one_approved_and_dropped_before_its_permit_was_read_reports_that_it_did_not_start() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = service.client();
    let waits = pending(&client, &action(RiskLevel::High));
    service.server.wait_for("POST", &Service::path("/claim"), 1);
    drop(waits);
    assert_eq!(service.outcomes(1), ["not_started"]);
    client.close_blocking();
}

#[test]
fn closing_the_client_withdraws_what_is_pending_and_ends_it_with_an_error() {
    let service = Service::full(Says::Pending);
    let client = service.client();
    let waits = pending(&client, &action(RiskLevel::High));
    client.close_blocking();
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    let error = pollster::block_on(waits.decided()).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}
