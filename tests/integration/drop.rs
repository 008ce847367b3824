//! Fork in the road: dropping the future of a call, wherever it stands, leaves no task, no slot and
//! no lock behind, and the service learns what became of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use sernixa::{Client, ClientBuilder, Error, RiskLevel};

use crate::support::latch::{Latch, PATIENCE};
use crate::support::service::{OUTCOMES, SUBMIT, Says, Service, action};

/// A waker that a test can wait for, again and again.
#[derive(Default)]
struct Bell(std::sync::Mutex<Latch>);

impl Bell {
    fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Waits until it was rung, and makes it ready for the next time.
    fn wait(&self) {
        let latch = self.0.lock().unwrap().clone();
        latch.wait();
        *self.0.lock().unwrap() = Latch::new();
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().open();
    }
}

fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>, bell: &Arc<Bell>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(&bell.waker()))
}

/// A client that gives up on nothing within a test's patience: closing it waits for what is left.
fn slow(service: &Service) -> ClientBuilder {
    service.builder().timeout(Duration::from_mins(10))
}

/// One slot: a call that kept it would block every other.
fn one_slot(service: &Service) -> Client {
    slow(service).max_async_in_flight(1).build().unwrap()
}

/// The slot is free, and nothing that was dropped is under way: another call goes through, and
/// closing has nothing to wait for: it would, for as long as a request may take.
fn nothing_is_left(service: &Service, client: &Client) {
    service.say(Says::Allowed);
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    let (sender, closed) = std::sync::mpsc::channel();
    let client = client.clone();
    std::thread::spawn(move || {
        client.close_blocking();
        sender.send(())
    });
    closed
        .recv_timeout(PATIENCE)
        .expect("a task is left, and closing waits for it");
}

#[test]
fn a_call_dropped_in_the_queue_for_a_slot_is_never_sent() {
    let service = Service::full(Says::Pending);
    let client = one_slot(&service);
    let bell = Arc::new(Bell::default());
    let held = service.hold(SUBMIT);
    let mut first = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut first, &bell).is_pending());
    service.server.wait_for("POST", SUBMIT, 1);
    let mut second = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut second, &bell).is_pending());
    drop(second);
    held.open();
    service.server.wait_for("GET", &Service::path(""), 1);
    drop(first);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    nothing_is_left(&service, &client);
    assert_eq!(service.server.requests_to("POST", SUBMIT).len(), 2);
}

#[test]
fn a_call_dropped_while_its_submission_is_under_way_is_finished_and_withdrawn() {
    let service = Service::full(Says::Pending);
    let client = one_slot(&service);
    let held = service.hold(SUBMIT);
    let mut call = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    service.server.wait_for("POST", SUBMIT, 1);
    drop(call);
    held.open();
    let withdrawn = service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    assert_eq!(withdrawn.json()["claim_token"], "token-apr-1");
    nothing_is_left(&service, &client);
}

#[test]
fn a_call_dropped_while_it_waits_is_withdrawn_at_once() {
    let service = Service::full(Says::Pending);
    // No second look would come within the test's patience.
    let client = slow(&service).poll_interval(Duration::from_mins(10));
    let client = client.max_async_in_flight(1).build().unwrap();
    let mut call = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    service.server.wait_for("GET", &Service::path(""), 1);
    drop(call);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    nothing_is_left(&service, &client);
    assert!(
        service
            .server
            .requests_to("POST", &Service::path("/claim"))
            .is_empty()
    );
}

#[test]
fn a_call_dropped_during_a_look_is_withdrawn_without_waiting_for_the_answer() {
    let service = Service::full(Says::Pending);
    let client = one_slot(&service);
    let held = service.hold("/apr-1");
    let mut call = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    service.server.wait_for("GET", &Service::path(""), 1);
    drop(call);
    service
        .server
        .wait_for("POST", &Service::path("/withdraw"), 1);
    held.open();
    nothing_is_left(&service, &client);
}

#[test]
fn a_call_dropped_during_its_claim_reports_that_it_did_not_start() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = one_slot(&service);
    let held = service.hold("/claim");
    let mut call = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    service.server.wait_for("POST", &Service::path("/claim"), 1);
    drop(call);
    held.open();
    assert_eq!(service.outcomes(1), ["not_started"]);
    nothing_is_left(&service, &client);
    assert!(
        service
            .server
            .requests_to("POST", &Service::path("/withdraw"))
            .is_empty()
    );
}

#[test]
fn a_call_dropped_with_its_permit_unread_reports_that_it_did_not_start() {
    for says in [Says::Allowed, Says::Pending] {
        let service = Service::full(says);
        service.decide("approved");
        let client = one_slot(&service);
        let bell = Arc::new(Bell::default());
        // However long the first poll takes, no answer comes during it.
        let submission = service.hold(SUBMIT);
        let mut call = Box::pin(client.authorize(&action(RiskLevel::Low)));
        assert!(poll_once(&mut call, &bell).is_pending());
        let claim = service.hold("/claim");
        submission.open();
        bell.wait();
        if says == Says::Pending {
            // That was the word that it waits.
            assert!(poll_once(&mut call, &bell).is_pending());
            claim.open();
            bell.wait();
        }
        // The permit has come; nobody looks at it.
        drop(call);
        assert_eq!(service.outcomes(1), ["not_started"]);
        nothing_is_left(&service, &client);
    }
}

#[test]
fn a_call_with_a_resume_key_leaves_its_request_for_whoever_comes_back() {
    let service = Service::full(Says::Pending);
    let client = slow(&service).binding_key("a binding key of the test");
    let client = client.max_async_in_flight(1).build().unwrap();
    let resumable = action(RiskLevel::High)
        .arguments(Vec::new())
        .resume_key("month-end");
    let mut call = Box::pin(client.authorize(&resumable));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    service.server.wait_for("GET", &Service::path(""), 1);
    drop(call);
    nothing_is_left(&service, &client);
    assert!(
        service
            .server
            .requests_to("POST", &Service::path("/withdraw"))
            .is_empty()
    );
}

#[sernixa::intercept(
    intent_id = "drop",
    risk_level = "HIGH",
    operation_class = "update",
    data_sensitivity = "internal",
    systems_touched = ["db"],
    client = client,
    handles = [client, steps]
)]
async fn three_steps(client: &Client, steps: &AtomicUsize) -> Result<(), Error> {
    for _ in 0..3 {
        steps.fetch_add(1, Ordering::SeqCst);
        smol::future::yield_now().await;
    }
    Ok(())
}

/// Polls the call `polls` times, each time when it asks for it, and drops it. Whether it ended.
fn poll_and_drop(service: &Service, polls: usize) -> bool {
    let client = one_slot(service);
    let steps = AtomicUsize::new(0);
    let bell = Arc::new(Bell::default());
    let mut call = Box::pin(three_steps(&client, &steps));
    let mut ended = false;
    for n in 0..polls {
        if n > 0 {
            bell.wait();
        }
        if poll_once(&mut call, &bell).is_ready() {
            ended = true;
            break;
        }
    }
    drop(call);
    // What the service has heard in the end, by how far the call had come.
    client.close_blocking();
    let told = service.server.requests_to("POST", OUTCOMES);
    let told: Vec<_> = told
        .iter()
        .map(|r| r.json()["outcomes"][0]["outcome"].clone())
        .collect();
    let withdrawn = service
        .server
        .requests_to("POST", &Service::path("/withdraw"))
        .len();
    match (polls, steps.into_inner()) {
        (0, 0) => assert!(service.server.requests().is_empty()),
        // Between the queue and the body: never sent, taken back, or claimed and not started.
        (1 | 2, 0) => match told.as_slice() {
            [] => assert_eq!(withdrawn, service.server.requests_to("POST", SUBMIT).len()),
            [only] => assert_eq!((only.as_str(), withdrawn), (Some("not_started"), 0)),
            more => panic!("{more:?}"),
        },
        (_, 3) if ended => assert_eq!((told, withdrawn), (vec!["succeeded".into()], 0)),
        (_, 1..=3) => assert_eq!((told, withdrawn), (vec!["cancelled".into()], 0)),
        other => panic!("{other:?}"),
    }
    ended
}

#[test]
fn a_governed_call_may_be_dropped_after_any_number_of_polls() {
    let mut polls = 0;
    loop {
        let service = Service::full(Says::Pending);
        service.decide("approved");
        let ended = poll_and_drop(&service, polls);
        if ended {
            break;
        }
        polls += 1;
        assert!(polls < 20, "it never ends");
    }
    assert!(polls >= 4, "only {polls} places to drop it at");
}

#[test]
fn an_embedded_call_that_is_dropped_is_withdrawn_and_its_reviewer_bothered_no_more() {
    use sernixa::embedded::engine::ChangeKind;
    use sernixa::embedded::{Decision, Engine, Record};

    let engine = Engine::in_memory();
    let (sender, changes) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let _subscription = engine.subscribe(Box::new(move |change| {
        let _ = sender
            .lock()
            .unwrap()
            .send((change.kind(), change.approval_id()));
    }));
    let client = Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap();
    let mut call = Box::pin(client.authorize(&action(RiskLevel::High)));
    assert!(poll_once(&mut call, &Arc::new(Bell::default())).is_pending());
    let (kind, asked) = changes.recv_timeout(PATIENCE).unwrap();
    assert_eq!(kind, ChangeKind::Asked);
    drop(call);
    let (kind, withdrawn) = changes.recv_timeout(PATIENCE).unwrap();
    assert_eq!((kind, withdrawn), (ChangeKind::Expired, asked));
    client
        .run(&action(RiskLevel::Low), || Ok::<_, Error>(()))
        .unwrap();
    client.close_blocking();
}
