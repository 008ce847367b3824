//! This SDK's waiters, on the one stream of their client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use sernixa::Error;

use crate::rig::{PATIENCE, Service, action, config, on_file};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_wakes_its_waiter_at_once_and_the_stream_is_closed_when_nobody_waits() {
    let service = Service::start(config()).await;
    let client = service.client().build().unwrap();
    let caller = client.clone();
    let call = tokio::spawn(async move {
        caller
            .run_async(&action(), || async { Ok::<_, Error>(Instant::now()) })
            .await
    });
    let id = service.until_pending(1).await.remove(0);
    service.until_streams(1).await;
    let decided = Instant::now();
    service.approve(&id).await;
    let began = call.await.unwrap().unwrap();
    println!(
        "the body began {:?} after its decision was sent",
        began - decided
    );
    service.until_streams(0).await;
    client.close().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_waiters_on_one_stream_all_wake() {
    const MANY: usize = 10_000;
    let service = Arc::new(Service::start(config()).await);
    let client = service.client().build().unwrap();
    let begun = Instant::now();
    let started = Arc::new(AtomicUsize::new(0));
    let calls: Vec<_> = (0..MANY)
        .map(|n| {
            let (client, started) = (client.clone(), Arc::clone(&started));
            tokio::spawn(async move {
                let action = action().metadata([("n", n)]);
                let body = || async {
                    started.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, Error>(())
                };
                client.run_async(&action, body).await
            })
        })
        .collect();
    // Decided as they come, a hundred at a time: the list shows no more.
    let mut decided = 0;
    let mut deciding = Duration::ZERO;
    while decided < MANY {
        let pending = service.until_pending(1).await;
        if decided == 0 {
            // Nothing is decided before all wait.
            wait_for_all(&service, MANY).await;
            println!("{MANY} wait after {:?}", begun.elapsed());
            assert_eq!(service.streams().await, 1);
        }
        let from = Instant::now();
        decided += pending.len();
        let service = &service;
        stream::iter(pending)
            .for_each_concurrent(16, |id| async move { service.approve(&id).await })
            .await;
        deciding += from.elapsed();
    }
    let last = Instant::now();
    for call in calls {
        // Far less than the interval at which they would look.
        tokio::time::timeout(Duration::from_mins(4), call)
            .await
            .expect("it wakes")
            .unwrap()
            .unwrap();
    }
    let after = last.elapsed();
    println!("decided within {deciding:?}; all had begun {after:?} after the last decision");
    assert_eq!(started.load(Ordering::SeqCst), MANY);
    client.close().await;
    drop(service);
}

/// Waits until so many were asked, by the number of the last audit event.
async fn wait_for_all(service: &Service, many: usize) {
    loop {
        let metrics = service.get("/metrics").await;
        let asked = metrics.lines().find_map(|line| {
            let counted = line.strip_prefix(
                "sernixa_http_requests_total{route=\"/api/actions/execute\",method=\"POST\",status=\"202\"} ",
            );
            counted?.parse::<usize>().ok()
        });
        if asked.unwrap_or_default() >= many {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_go_on_after_a_restart_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sernixa.db");
    let service = Service::start(on_file(&path)).await;
    let client = service
        .client()
        .poll_interval(Duration::from_secs(2))
        .build()
        .unwrap();
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                let action = action().metadata([("n", n)]);
                client
                    .run_async(&action, || async { Ok::<_, Error>(()) })
                    .await
            })
        })
        .collect();
    let mut pending = service.until_pending(20).await;
    service.until_streams(1).await;
    let mut config = on_file(&path);
    config.listen = service.address;
    // Half of them are decided in the last moment, which the stream may not tell any more.
    let later = pending.split_off(10);
    for id in &pending {
        service.approve(id).await;
    }
    service.stop().await;
    let service = Service::start(config).await;
    for id in &later {
        service.approve(id).await;
    }
    for call in calls {
        tokio::time::timeout(PATIENCE, call)
            .await
            .expect("it goes on")
            .unwrap()
            .unwrap();
    }
    client.close().await;
    service.stop().await;
}
