//! A submission with a resume key: it outlives its waiter, says that it is waited for, and is taken
//! up by the next.

use std::task::Poll;
use std::time::Duration;

use sernixa::embedded::engine::{ChangeKind, Moment, Principal, Role, Timestamp};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::testing::ManualClock;
use sernixa::{Client, Clock as _, Error, RiskLevel};

use super::{bound, engine, leaving, pending, poll_once, resumable, wait_until};
use crate::support::service::{Says, Service, action};

#[test]
fn with_a_resume_key_it_stays_and_the_next_submission_takes_it_up() {
    let (engine, next, _subscription) = engine();
    let client = leaving(&engine);
    let first = pending(&client, &resumable());
    assert_eq!(next(), ChangeKind::Asked);
    assert!(first.can_resume());
    let id = first.approval_id().to_owned();
    drop(first);
    let second = pending(&client, &resumable());
    assert_eq!((second.approval_id(), next()), (&*id, ChangeKind::Resumed));
    client.close_blocking();
}

#[test]
fn only_waiters_whose_approvals_outlive_them_say_that_they_wait() {
    for (capabilities, key, target) in [
        (
            &["claim", "withdraw", "resume"][..],
            true,
            "/api/approvals/apr-1?waiting=true",
        ),
        (&["claim", "withdraw"], true, "/api/approvals/apr-1"),
        (
            &["claim", "withdraw", "resume"],
            false,
            "/api/approvals/apr-1",
        ),
    ] {
        let service = Service::with(Says::Pending, capabilities);
        let client = bound(&service);
        let client = client.build().unwrap();
        let asked = if key {
            resumable()
        } else {
            action(RiskLevel::High)
        };
        let waits = pending(&client, &asked);
        let looked = service.server.wait_for("GET", "/api/approvals/apr-1", 1);
        assert_eq!(looked.target, target, "{capabilities:?} {key}");
        drop(waits);
        client.close_blocking();
    }
}

#[test]
fn an_embedded_waiter_is_noticed_every_half_minute_until_it_leaves() {
    let clock = ManualClock::starting_at(1_778_000_000);
    let engine = Engine::in_memory();
    let client = Client::builder()
        .environment(|_| None)
        .binding_key("a binding key of the test")
        .engine(engine.clone())
        .reviewer(|_: &Record| Decision::leave())
        .clock(clock.clone())
        .build()
        .unwrap();
    let waits = pending(&client, &resumable());
    let seen = || {
        let moment = Moment::new(Timestamp::from_millis(clock.unix_millis()), [7; 32]);
        let auditor = Principal::new("local", "a-test").with(Role::Auditor);
        let waiting = engine.pending(&auditor, 9, &moment).unwrap();
        waiting[0].waiter_seen_at().unwrap().millis() / 1_000 - 1_778_000_000
    };
    assert_eq!(seen(), 0);
    for look in 1..=4 {
        // The waiter sleeps until its next look, and the reviewer's desk does not.
        wait_until(|| clock.sleepers() > 0);
        clock.advance(Duration::from_secs(30));
        wait_until(|| seen() == look * 30);
    }
    drop(waits);
    wait_until(|| clock.sleepers() == 0);
    clock.advance(Duration::from_secs(121));
    assert_eq!(seen(), 120);
    client.close_blocking();
}

#[test]
fn of_two_that_hold_one_approval_the_earlier_ends_as_superseded() {
    let (engine, _, _subscription) = engine();
    let client = leaving(&engine);
    let first = pending(&client, &resumable());
    let second = pending(&client, &resumable());
    let error = pollster::block_on(first.decided()).unwrap_err();
    assert!(matches!(error, Error::Replay(_)), "{error}");
    let mut waits = Box::pin(second.decided());
    let polled = poll_once(&mut waits);
    assert!(matches!(polled, Poll::Pending));
    client.close_blocking();
}
