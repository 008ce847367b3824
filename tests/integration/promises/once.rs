//! Promise 3, as far as one process goes: one human approval starts one execution.

use std::collections::HashSet;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::Poll;
use std::time::SystemTime;

use serde_json::json;
use sernixa::embedded::engine::{self, ApprovalId, ChangeKind, Moment, Principal, Timestamp};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Action, Client, Error, RiskLevel};

use super::rig::action;
use crate::support::latch::Latch;

/// A client of this engine with a key of its own making, so that calls can resume.
fn worker(engine: &Engine, review: impl Fn(&Record) -> Decision + Send + Sync + 'static) -> Client {
    Client::builder()
        .environment(|_| None)
        .engine(engine.clone())
        .binding_key("one key for all workers".to_owned())
        .reviewer(review)
        .build()
        .unwrap()
}

/// The same call, whoever makes it.
fn payment(number: u32) -> Action {
    action("payment", RiskLevel::Critical)
        .arguments(vec![("number".to_owned(), json!(number))])
        .resume_key(number)
}

#[test]
fn two_workers_that_hold_one_approval_start_it_once() {
    let engine = Engine::in_memory();
    let both_hold_it = Latch::new();
    let _subscription = engine.subscribe({
        let both_hold_it = both_hold_it.clone();
        Box::new(move |change| {
            if change.kind() == ChangeKind::Resumed {
                both_hold_it.open();
            }
        })
    });
    let review = {
        let both_hold_it = both_hold_it.clone();
        move |_: &Record| {
            both_hold_it.wait();
            Decision::approve()
        }
    };
    let (first, second) = (worker(&engine, review.clone()), worker(&engine, review));
    let ran = AtomicUsize::new(0);
    let start = |client: &Client| {
        client.run(&payment(1), || {
            ran.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Error>(())
        })
    };
    let results = std::thread::scope(|scope| {
        let handles = [
            scope.spawn(|| start(&first)),
            scope.spawn(|| start(&second)),
        ];
        handles.map(|handle| handle.join().unwrap())
    });
    assert_eq!(ran.load(Ordering::SeqCst), 1, "{results:?}");
    let refusals: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(
        matches!(refusals.as_slice(), [Error::Replay(_)]),
        "{refusals:?}"
    );

    // Claimed is claimed: the same call again is a new question, which nobody answers yes.
    let asked_again = worker(&engine, |_| Decision::reject("one is enough"));
    let error = start(&asked_again).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert_ne!(error.approval_id(), refusals[0].approval_id());
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn two_tasks_that_hold_one_approval_start_it_once() {
    let engine = Engine::in_memory();
    let held = Arc::new(AtomicUsize::new(0));
    let _subscription = engine.subscribe({
        let held = Arc::clone(&held);
        Box::new(move |change| {
            if change.kind() == ChangeKind::Resumed {
                held.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let decided = Latch::new();
    let client = worker(&engine, {
        let decided = decided.clone();
        move |_| {
            decided.wait();
            Decision::approve()
        }
    });
    let action = payment(2);
    let ran = AtomicUsize::new(0);
    let call = || {
        client.run_async(&action, || async {
            ran.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Error>(())
        })
    };
    let decide = async {
        // Both were polled before this: the second has taken the approval over.
        assert_eq!(held.load(Ordering::SeqCst), 1);
        decided.open();
    };
    let (first, second, ()) = tokio::join!(call(), call(), decide);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert!(matches!(first, Err(Error::Replay(_))), "{first:?}");
    second.unwrap();
    client.close().await;
}

/// The earlier call could claim nothing any more, so it does not wait for the decision.
#[tokio::test]
async fn a_waiter_that_was_superseded_ends_at_once() {
    for same_client in [true, false] {
        let engine = Engine::in_memory();
        let first = worker(&engine, |_| Decision::leave());
        let other = worker(&engine, |_| Decision::leave());
        let second = if same_client { &first } else { &other };
        let action = payment(3);

        // Both are asked at their first poll, in this order; nobody decides before the first ended.
        let mut later = pin!(second.authorize(&action));
        let earlier = first.authorize(&action);
        let (earlier, waits) = tokio::join!(
            earlier,
            poll_fn(|context| { Poll::Ready(later.as_mut().poll(context).is_pending()) })
        );
        assert!(waits);
        let error = earlier.unwrap_err();
        assert!(matches!(error, Error::Replay(_)), "{error}");
        assert!(error.to_string().contains("a later call"), "{error}");

        // Still there for the later call.
        approve(&engine, error.approval_id().unwrap());
        later.await.unwrap().succeeded();
    }
}

/// A person's yes, given through the engine.
fn approve(engine: &Engine, id: &str) {
    let id = ApprovalId::parse(id).unwrap();
    let millis = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let now = Timestamp::from_millis(u64::try_from(millis).unwrap());
    let moment = Moment::new(now, [7; 32]);
    let yes = engine::Decision::Approve;
    let reviewer = Principal::local();
    engine
        .decide(&reviewer, id, yes, "fine with me", &moment)
        .unwrap();
}

#[test]
fn however_many_ask_at_once_no_approval_starts_two() {
    const WORKERS: usize = 8;
    const ROUNDS: u32 = 40;

    let engine = Engine::in_memory();
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| worker(&engine, |_| Decision::approve()))
        .collect();
    let started = Mutex::new(Vec::new());
    let refused = Mutex::new(Vec::new());
    let barrier = Barrier::new(WORKERS);
    std::thread::scope(|scope| {
        for client in &workers {
            let (started, refused, barrier) = (&started, &refused, &barrier);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    barrier.wait();
                    match client.authorize_blocking(&payment(100 + round)) {
                        Ok(permit) => {
                            started
                                .lock()
                                .unwrap()
                                .push(permit.approval_id().unwrap().to_owned());
                            permit.succeeded();
                        }
                        Err(error) => refused.lock().unwrap().push(error),
                    }
                }
            });
        }
    });
    let started = started.into_inner().unwrap();
    let refused = refused.into_inner().unwrap();
    assert_eq!(
        started.len() + refused.len(),
        WORKERS * usize::try_from(ROUNDS).unwrap()
    );
    assert!(
        started.len() >= usize::try_from(ROUNDS).unwrap(),
        "each round starts at least one"
    );
    let distinct: HashSet<_> = started.iter().collect();
    assert_eq!(distinct.len(), started.len(), "an approval started twice");
    for error in &refused {
        assert!(matches!(error, Error::Replay(_)), "{error}");
    }
    println!("{} started, {} refused", started.len(), refused.len());
}
