//! Promise 7: a pending approval holds no slot, no thread and no connection of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sernixa::{Client, Error, RiskLevel};

use super::rig::action;
use crate::support::latch::Latch;
use crate::support::reply::Reply;
use crate::support::server::Server;

/// More than the slots there are (`max_async_in_flight`, 20 by default).
const PENDING: usize = 25;

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
    assert!(beside < Duration::from_secs(1), "{beside:?}");
    assert!(
        waiting.iter().all(|call| !call.is_finished()),
        "nobody decided yet"
    );
    // A handful, kept alive; not one per waiting call.
    println!("connections open: {}", server.open());

    decided.open();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    client.close().await;
}
