//! A submission whose wait is the caller's to show, bound or leave: `Client::submit`.

mod bounded;
mod continued;
mod reported_later;
mod resumed;
mod told;
mod visible_tools;
mod withdrawn;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use sernixa::embedded::engine::ChangeKind;
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Action, Client, ClientBuilder, Error, Pending, Permit, RiskLevel, Submitted};

use crate::support::latch::PATIENCE;
use crate::support::server::Server;
use crate::support::service::{Service, action};

fn submit(client: &Client, action: &Action) -> Result<Submitted, Error> {
    pollster::block_on(client.submit(action))
}

/// The permit of what proceeds at once, as a low-risk read does.
#[track_caller]
fn allowed(client: &Client) -> Permit {
    match submit(client, &action(RiskLevel::Low)).unwrap() {
        Submitted::Allowed(permit) => permit,
        Submitted::Pending(pending) => panic!("{pending:?}"),
    }
}

#[track_caller]
fn pending(client: &Client, action: &Action) -> Pending {
    match submit(client, action).unwrap() {
        Submitted::Pending(pending) => pending,
        Submitted::Allowed(permit) => panic!("{permit:?}"),
    }
}

fn resumable() -> Action {
    action(RiskLevel::High)
        .arguments(Vec::new())
        .resume_key("month-end")
}

/// A client of a server that answers as its test says.
fn of(server: &Server) -> Client {
    let client = Client::builder().environment(|_| None);
    client.base_url(server.url()).build().unwrap()
}

/// A client to be that may send resume keys.
fn bound(service: &Service) -> ClientBuilder {
    service.builder().binding_key("a binding key of the test")
}

/// An engine whose approvals the test decides, and its changes.
fn engine() -> (Engine, impl Fn() -> ChangeKind, impl Drop) {
    let engine = Engine::in_memory();
    let (sender, changes) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let subscription = engine.subscribe(Box::new(move |change| {
        let _ = sender.lock().unwrap().send(change.kind());
    }));
    let next = move || changes.recv_timeout(PATIENCE).unwrap();
    (engine, next, Box::new(subscription))
}

fn leaving(engine: &Engine) -> Client {
    Client::builder()
        .environment(|_| None)
        .binding_key("a binding key of the test")
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .unwrap()
}

fn poll_once<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

fn wait_until(done: impl Fn() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < end, "it never happens");
        std::thread::yield_now();
    }
}
