//! Promise 7: a pending approval holds no slot, no thread and no connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, Error, RiskLevel};

use super::rig::action;
use crate::support::latch::Latch;
use crate::support::reply::Reply;
use crate::support::server::Server;

/// More than the slots there are (`max_async_in_flight`, 20 by default), and than the lanes of polls.
const PENDING: usize = 100;

#[tokio::test]
async fn calls_that_wait_over_http_delay_no_other_call() {
    let decided = Latch::new();
    let server = Arc::new(Server::start({
        let decided = decided.clone();
        move |request| {
            if request.path() == "/api/actions/execute" {
                let body = request.json();
                let intent = body["intent_id"].as_str().unwrap();
                return match intent.strip_prefix("waiting-") {
                    Some(n) => Reply::json(202, json!({"approval_id": n}).to_string()),
                    None => Reply::json(200, r#"{"status":"accepted"}"#),
                };
            }
            let id = request.path().rsplit('/').next().unwrap();
            let status = if decided.is_open() {
                "approved"
            } else {
                "pending_review"
            };
            Reply::json(
                200,
                json!({"approval_id": id, "status": status}).to_string(),
            )
        }
    }));
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .poll_interval(Duration::from_millis(50))
        .build()
        .unwrap();

    let waiting: Vec<_> = (0..PENDING)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                let action = action(&format!("waiting-{n}"), RiskLevel::High);
                client
                    .run_async(&action, || async { Ok::<_, Error>(()) })
                    .await
            })
        })
        .collect();
    let watched = Arc::clone(&server);
    let all_polled = move || {
        watched.wait_until("a poll of each", |requests| {
            let polled = |n: &usize| {
                requests
                    .iter()
                    .any(|r| r.path() == format!("/api/approvals/{n}"))
            };
            (0..PENDING).filter(polled).count() == PENDING
        });
    };
    tokio::task::spawn_blocking(all_polled).await.unwrap();

    let begun = Instant::now();
    client
        .run_async(&action("at-once", RiskLevel::Low), || async {
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let beside = begun.elapsed();
    println!("an allowed call beside {PENDING} waiting ones: {beside:?}");
    assert!(
        waiting.iter().all(|call| !call.is_finished()),
        "nobody decided yet"
    );
    // Those of the slots and of the polls, kept alive: not one per waiting call.
    let (accepted, open) = (server.accepted(), server.open());
    println!("{accepted} connections made, {open} open");
    assert!(accepted < PENDING, "{accepted}");

    decided.open();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    client.close().await;
}

#[tokio::test]
async fn ten_thousand_calls_that_wait_in_one_process_delay_no_other_call() {
    const MANY: usize = 10_000;
    const BESIDE: usize = 500;

    let everybody_waits = Latch::new();
    let reviewer = {
        let (everybody_waits, seen) = (everybody_waits.clone(), AtomicUsize::new(0));
        move |_: &Record| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 == MANY {
                everybody_waits.open();
            }
            Decision::leave()
        }
    };
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(reviewer)
        .build()
        .unwrap();
    let alone = beside(&client, BESIDE).await;

    let (before, threads_before) = (resident_bytes(), threads());
    let waiting: Vec<_> = (0..MANY)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                let action = action("waiting", RiskLevel::High).metadata([("n", n)]);
                client
                    .run_async(&action, || async { Ok::<_, Error>(()) })
                    .await
            })
        })
        .collect();
    tokio::task::spawn_blocking(move || everybody_waits.wait())
        .await
        .unwrap();
    let each = resident_bytes().saturating_sub(before) / MANY;
    // Other tests may run in this process, so this is no exact count.
    let more_threads = threads().saturating_sub(threads_before);
    println!("{MANY} calls wait: {each} bytes each, {more_threads} threads more");

    let crowded = beside(&client, BESIDE).await;
    println!("a low-risk call: {alone:?} alone, {crowded:?} beside them (median, p99)");
    assert!(
        waiting.iter().all(|call| !call.is_finished()),
        "nobody decided"
    );
    // What is promised is the order: those ended while these wait. The times are for the benches.
    assert!(each < 32 * 1024, "{each} bytes a call");
    assert!(more_threads < MANY / 10, "{more_threads} threads");

    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for call in waiting {
        assert!(call.await.unwrap_err().is_cancelled());
    }
    client.close().await;
}

/// Median and 99th percentile of low-risk calls, one after the other.
async fn beside(client: &Client, calls: usize) -> (Duration, Duration) {
    let action = action("low", RiskLevel::Low);
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = Instant::now();
        client
            .run_async(&action, || async { Ok::<_, Error>(()) })
            .await
            .unwrap();
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    (took[calls / 2], took[calls * 99 / 100])
}

/// A line of `/proc/self/status`; 0 where there is none.
fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}

fn resident_bytes() -> usize {
    status("VmRSS:") * 1024
}

fn threads() -> usize {
    status("Threads:")
}
