//! What a waiting call holds on the driver, and that a job's trouble stays its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_channel::oneshot;
use sernixa_protocol::{DataSensitivity, OperationClass, RiskLevel};

use super::desk::Desk;
use super::{call, waiting};
use crate::client::Client;
use crate::clock::ManualClock;
use crate::core::Core;
use crate::error::Error;
use crate::grant::Asked;
use crate::judge::{Offers, Ticket};
use crate::permit::Permit;
use crate::transport::{
    Answer, ApprovalId, Endpoint, Fault, Request, Sending, Subscription, Transport, Wake,
};

/// Does on the driver's thread what the test says, and never answers.
struct Odd<F, S> {
    send: F,
    /// When the driver begins, which asks whether to retry.
    begin: S,
}

impl<F, S> Transport for Odd<F, S>
where
    F: Fn() + Send + Sync + 'static,
    S: Fn() + Send + Sync + 'static,
{
    fn answer_now(&self, _: &Request) -> Option<Result<Answer, Fault>> {
        None
    }

    fn send(&self, _: Request) -> Sending<'_> {
        (self.send)();
        Box::pin(async { Err(Fault::TooLarge) })
    }

    fn subscribe(&self, _: Wake) -> Option<Subscription> {
        None
    }

    fn retries(&self) -> bool {
        (self.begin)();
        true
    }
}

fn client(transport: impl Transport) -> Client {
    let settings = Client::builder()
        .environment(|_| None)
        .settings(false)
        .unwrap();
    Client::with_transport(settings, Arc::new(transport))
}

#[test]
fn a_panic_in_a_job_ends_that_call_with_an_error_and_no_other() {
    let first = AtomicBool::new(true);
    let send = move || assert!(!first.swap(false, Ordering::SeqCst), "a bug, for the test");
    let client = client(Odd { send, begin: || {} });
    let broken = client.readiness_blocking().unwrap_err();
    assert!(matches!(broken, Error::Api(_)), "{broken}");
    let next = client.readiness_blocking().unwrap_err();
    assert!(next.to_string().contains("1 MiB"), "{next}");
}

#[test]
fn a_dead_driver_ends_its_callers_with_an_error() {
    let begin = || panic!("the driver dies, for the test");
    let client = client(Odd { send: || {}, begin });
    for _ in 0..2 {
        let dead = client.readiness_blocking().unwrap_err();
        assert!(matches!(dead, Error::Api(_)), "{dead}");
    }
    client.close_blocking();
}

/// A client whose driver dies when it is told to.
fn mortal() -> (Client, mpsc::Sender<()>) {
    let (die, death) = mpsc::channel::<()>();
    let death = Mutex::new(death);
    let begin = move || {
        death.lock().unwrap().recv().unwrap();
        panic!("the driver dies, for the test");
    };
    let send = || {};
    (client(Odd { send, begin }), die)
}

fn governed() -> crate::Action {
    crate::Action::new("mortal")
        .risk(RiskLevel::Low)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Internal)
        .systems(["db"])
}

/// The service may have heard of the call that was under way, and not of the next.
fn died_under(client: &Client, result: Result<Permit, Error>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Api(_)), "{error}");
    assert!(error.may_have_been_submitted(), "{error}");
    let next = client.authorize_blocking(&governed()).unwrap_err();
    assert!(matches!(next, Error::Api(_)), "{next}");
    assert!(!next.may_have_been_submitted(), "{next}");
    client.close_blocking();
}

#[test]
fn an_async_call_whose_driver_dies_ends_with_an_error_that_says_it_may_have_been_submitted() {
    let (client, die) = mortal();
    let mut call = Box::pin(client.authorize(&governed()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    die.send(()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    died_under(&client, runtime.unwrap().block_on(call));
}

#[test]
fn a_blocking_call_whose_driver_dies_ends_with_an_error_that_says_it_may_have_been_submitted() {
    let (client, die) = mortal();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let caller = client.clone();
    // The one worker takes up the inner task when the call has begun to wait, and hands it over.
    let call = runtime.spawn(async move {
        tokio::spawn(async move { die.send(()).unwrap() });
        caller.authorize_blocking(&governed())
    });
    let result = runtime.block_on(call).unwrap();
    died_under(&client, result);
}

#[test]
fn a_call_on_the_drivers_own_thread_is_an_error() {
    let (sender, seen) = mpsc::channel();
    let inner = Arc::new(OnceLock::<Client>::new());
    let send = {
        let inner = Arc::clone(&inner);
        move || {
            let client = inner.get().unwrap();
            sender
                .send(client.readiness_blocking().unwrap_err())
                .unwrap();
        }
    };
    let client = client(Odd { send, begin: || {} });
    inner.set(client.clone()).unwrap();
    client.readiness_blocking().unwrap_err();
    let error = seen.recv().unwrap();
    assert!(error.to_string().contains("driver thread"), "{error}");
}

fn asked() -> Asked {
    Asked {
        risk: RiskLevel::High,
        request_id: "0".repeat(32).into(),
        body_hash: "0".repeat(64).into(),
        resumable: false,
        signer: None,
        patience: Duration::from_mins(10),
    }
}

#[test]
fn a_waiting_call_is_small() {
    let settings = Client::builder()
        .environment(|_| None)
        .settings(false)
        .unwrap();
    let transport = Odd {
        send: || {},
        begin: || {},
    };
    let desk = Desk::new(Arc::new(Core::new(settings, Arc::new(transport))), None);
    let (reply, _answer) = oneshot::channel();
    let ticket = Box::new(Ticket {
        approval_id: ApprovalId::new("apr").unwrap(),
        claim_token: None,
        bound: true,
        attached: None,
        expires_at: None,
        offers: Offers::default(),
    });
    let wait = size_of_val(&waiting::wait(
        desk.working(),
        ticket,
        Box::new(asked()),
        reply,
    ));
    let (reply, _answer) = oneshot::channel();
    let request = Request::get(Endpoint::Ready);
    let submit = size_of_val(&call::submit(
        desk.working(),
        request,
        Box::new(asked()),
        reply,
    ));
    let client = Client::builder().environment(|_| None).build().unwrap();
    let caller = size_of_val(&client.authorize(&crate::Action::new("size")));
    // A task's own header and its strings come on top; the limit of all is 4 KB. The task that
    // submitted has ended when the one that waits begins.
    let held = (caller, submit, wait);
    assert!(caller <= 512 && submit <= 768 && wait <= 768, "{held:?}");
}

#[test]
fn all_attempts_of_one_request_end_within_two_minutes_whatever_the_service_asks_for() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let attempts = Arc::new(AtomicUsize::new(0));
    let busy = Busy(Arc::clone(&attempts));
    let settings = Client::builder()
        .environment(|_| None)
        .max_retries(10)
        .clock(clock.clone());
    let core = Core::new(settings.settings(false).unwrap(), Arc::new(busy));
    let desk = Desk::new(Arc::new(core), None);
    let request = Request::get(Endpoint::Ready);
    let mut exchange = std::pin::pin!(desk.exchange(&request));
    let mut context = Context::from_waker(Waker::noop());
    let mut minutes = 0.0;
    let exchanged = loop {
        match exchange.as_mut().poll(&mut context) {
            Poll::Ready(exchanged) => break exchanged,
            Poll::Pending => clock.advance(Duration::from_secs(30)),
        }
        minutes += 0.5;
    };
    assert_eq!(exchanged.result.unwrap().status, 503);
    // At 0, 30, 60 and 90 s; the next would begin when the two minutes are over.
    assert_eq!((attempts.load(Ordering::SeqCst), minutes), (4, 1.5));
}

/// Is busy, and asks to come back in an hour.
struct Busy(Arc<AtomicUsize>);

impl Transport for Busy {
    fn answer_now(&self, _: &Request) -> Option<Result<Answer, Fault>> {
        None
    }

    fn send(&self, _: Request) -> Sending<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let mut answer = Answer::json(503, "{}");
        answer.retry_after = Some(Duration::from_hours(1));
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn subscribe(&self, _: Wake) -> Option<Subscription> {
        None
    }

    fn retries(&self) -> bool {
        true
    }
}

#[test]
fn an_attempt_that_would_pass_the_two_minutes_is_cut_there() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let settings = Client::builder()
        .environment(|_| None)
        .timeout(Duration::from_hours(1))
        .clock(clock.clone());
    let core = Core::new(settings.settings(false).unwrap(), Arc::new(Silent));
    let desk = Desk::new(Arc::new(core), None);
    let request = Request::get(Endpoint::Ready);
    let mut exchange = std::pin::pin!(desk.exchange(&request));
    let mut context = Context::from_waker(Waker::noop());
    assert!(exchange.as_mut().poll(&mut context).is_pending());
    clock.advance(Duration::from_secs(119));
    assert!(exchange.as_mut().poll(&mut context).is_pending());
    clock.advance(Duration::from_secs(1));
    let Poll::Ready(exchanged) = exchange.as_mut().poll(&mut context) else {
        panic!("it goes on");
    };
    assert!(matches!(exchanged.result, Err(Fault::Timeout)));
}

/// Never answers.
struct Silent;

impl Transport for Silent {
    fn answer_now(&self, _: &Request) -> Option<Result<Answer, Fault>> {
        None
    }

    fn send(&self, _: Request) -> Sending<'_> {
        Box::pin(std::future::pending())
    }

    fn subscribe(&self, _: Wake) -> Option<Subscription> {
        None
    }

    fn retries(&self) -> bool {
        true
    }
}
