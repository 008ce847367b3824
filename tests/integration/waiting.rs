//! Waiting over HTTP, where the service is slow or silent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use sernixa::{Client, Error, RiskLevel};

use crate::support::reply::Reply;
use crate::support::server::Server;
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

#[test]
fn as_many_submissions_are_under_way_as_are_allowed_and_no_more() {
    const ALLOWED: usize = 3;
    const CALLS: usize = 6;

    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let (under_way, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let server = Server::start({
        let most = Arc::clone(&most);
        move |request| {
            if request.path() != SUBMIT {
                return Reply::json(200, "{}");
            }
            most.fetch_max(
                under_way.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            released.lock().unwrap().recv().unwrap();
            under_way.fetch_sub(1, Ordering::SeqCst);
            Reply::json(200, r#"{"status":"accepted"}"#)
        }
    });
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .timeout(Duration::from_mins(1))
        .max_async_in_flight(ALLOWED)
        .build()
        .unwrap();
    // The driver takes its jobs in turn, so when this one is done it has taken all before it.
    let submitted = || {
        client.readiness_blocking().unwrap();
        server.requests_to("POST", SUBMIT).len()
    };
    let mut calls: Vec<_> = (0..CALLS)
        .map(|_| Box::pin(client.authorize(&action(RiskLevel::Low))))
        .collect();
    for call in &mut calls {
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    server.wait_for("POST", SUBMIT, ALLOWED);
    assert_eq!(submitted(), ALLOWED);
    release.send(()).unwrap();
    server.wait_for("POST", SUBMIT, ALLOWED + 1);
    assert_eq!(submitted(), ALLOWED + 1);
    for _ in 1..CALLS {
        release.send(()).unwrap();
    }
    for call in calls {
        pollster::block_on(call).unwrap().succeeded();
    }
    assert_eq!(submitted(), CALLS);
    assert_eq!(most.load(Ordering::SeqCst), ALLOWED);
    client.close_blocking();
}
