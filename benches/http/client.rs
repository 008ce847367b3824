//! The rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
use tokio::runtime::{Builder, Runtime};

use crate::measure::{self, Times, median};

/// Runs of each job; the figures are medians over them.
const ROUNDS: usize = 5;

/// Prints all rows, and returns how many were missed.
pub fn rows(url: &str, calls: usize) -> usize {
    let bare = Bare::new(url);
    let client = |service: &str| client(&format!("{url}/{service}"));
    let (plain, outcomes) = (client("plain"), client("outcomes"));
    let mut missed = 0;

    println!(
        "{:<44} {:>11} {:>11} {:>7} {:>7}",
        "one after another, p50", "bare", "gated", "ratio", "limit"
    );
    let ct = current_thread();
    let mt = multi_thread();
    let low = action(RiskLevel::Low);
    let jobs: [(&str, f64, Box<dyn Fn()>); 5] = [
        ("sync", 1.6, Box::new(|| sync_call(&plain, &low))),
        (
            "async, current-thread",
            1.6,
            Box::new(|| ct.block_on(async_call(&plain, &low))),
        ),
        (
            "async, multi-thread",
            1.8,
            Box::new(|| mt.block_on(async_call(&plain, &low))),
        ),
        (
            "sync, with outcomes",
            f64::INFINITY,
            Box::new(|| sync_call(&outcomes, &low)),
        ),
        (
            "async, current-thread, with outcomes",
            f64::INFINITY,
            Box::new(|| ct.block_on(async_call(&outcomes, &low))),
        ),
    ];
    for (name, limit, job) in jobs {
        let (mut bares, mut gated, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let bare = Times::of(calls, || bare.call()).percentile(0.5);
            // A multi-thread runtime is entered once: its own cost per `block_on` is not ours.
            let ours = if name.contains("multi") {
                mt.block_on(async {
                    let (client, action) = (plain.clone(), low.clone());
                    tokio::spawn(async move { in_a_row(&client, &action, calls).await }).await
                })
                .unwrap()
                .percentile(0.5)
            } else if name.contains("async") {
                let client = if name.contains("outcomes") {
                    &outcomes
                } else {
                    &plain
                };
                ct.block_on(in_a_row(client, &low, calls)).percentile(0.5)
            } else {
                Times::of(calls, &job).percentile(0.5)
            };
            bares.push(bare);
            gated.push(ours);
            ratios.push(ours / bare);
        }
        let ratio = median(ratios);
        missed += usize::from(ratio > limit);
        println!(
            "{name:<44} {:>8.1} µs {:>8.1} µs {ratio:>7.2} {limit:>7.1}{}",
            median(bares),
            median(gated),
            mark(ratio > limit)
        );
    }

    println!(
        "{:<44} {:>11} {:>11} {:>7} {:>7} {:>12}",
        "many tasks", "bare/s", "gated/s", "ratio", "limit", "CPU a call"
    );
    for tasks in [20, 200] {
        let (mut bares, mut gated, mut ratios, mut cpus) = (vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let per_task = (calls * 5).div_ceil(tasks);
            let all = (per_task * tasks) as f64;
            let begin = Instant::now();
            bare.tasks(tasks, per_task);
            let bare = all / begin.elapsed().as_secs_f64();
            let (begin, cpu) = (Instant::now(), measure::cpu());
            gated_tasks(&ct, &plain, &low, tasks, per_task);
            let ours = all / begin.elapsed().as_secs_f64();
            cpus.push((measure::cpu() - cpu).as_secs_f64() * 1e6 / all);
            bares.push(bare);
            gated.push(ours);
            ratios.push(ours / bare);
        }
        let (ratio, cpu) = (median(ratios), median(cpus));
        let bad = ratio < 0.6 || cpu > 32.0;
        missed += usize::from(bad);
        println!(
            "{:<44} {:>11.0} {:>11.0} {ratio:>7.2} {:>7.1} {cpu:>9.1} µs{}",
            format!("{tasks} tasks, current-thread"),
            median(bares),
            median(gated),
            0.6,
            mark(bad)
        );
    }

    println!("{:<44} {:>11} {:>7}", "waiting", "", "limit");
    let interval = Duration::from_millis(100);
    let review = Client::builder()
        .base_url(format!("{url}/review"))
        .poll_interval(interval)
        .build()
        .unwrap();
    let high = action(RiskLevel::High);
    let begin = Instant::now();
    gated_tasks(&ct, &review, &high, 200, 1);
    let took = begin.elapsed().as_secs_f64();
    // One interval is 100 ms, and its jitter 10 %.
    missed += usize::from(took > 0.71);
    println!(
        "{:<44} {took:>9.3} s {:>5.2} s{}",
        "200 calls pending for 500 ms, cap 20",
        0.71,
        mark(took > 0.71)
    );

    let behind = ct.block_on(async {
        let waiting = |_| {
            let (client, high) = (review.clone(), high.clone());
            tokio::spawn(async move { async_call(&client, &high).await })
        };
        let waiting: Vec<_> = (0..20).map(waiting).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        async_call(&review, &low).await;
        let took = begin.elapsed().as_secs_f64() * 1e3;
        for call in waiting {
            call.await.unwrap();
        }
        took
    });
    missed += usize::from(behind > 5.0);
    println!(
        "{:<44} {behind:>8.2} ms {:>4.1} ms{}",
        "an allowed call behind 20 pending ones",
        5.0,
        mark(behind > 5.0)
    );
    missed += ten_thousand(&ct, url, calls);
    for client in [&plain, &outcomes, &review] {
        client.close_blocking();
    }
    missed
}

/// 10,000 pending calls: what each holds, and what they cost an allowed call.
fn ten_thousand(runtime: &Runtime, url: &str, calls: usize) -> usize {
    const PENDING: u32 = 10_000;

    let never = Client::builder()
        .base_url(format!("{url}/never"))
        .build()
        .unwrap();
    let (low, high) = (action(RiskLevel::Low), action(RiskLevel::High));
    // The median of the rounds' p99: one slice of the scheduler's given to somebody else is not ours.
    let rounds = || {
        let round = |_| {
            let mut times = runtime.block_on(in_a_row(&never, &low, calls));
            (times.percentile(0.5), times.percentile(0.99))
        };
        let (p50s, p99s): (Vec<_>, Vec<_>) = (0..ROUNDS).map(round).unzip();
        (median(p50s), median(p99s))
    };
    let alone = rounds();
    let before = measure::resident();
    let high = Arc::new(high);
    let waiting: Vec<_> = (0..PENDING)
        .map(|_| {
            let (client, high) = (never.clone(), Arc::clone(&high));
            runtime.spawn(async move { client.authorize(&high).await.map(drop) })
        })
        .collect();
    // All are submitted, and polled every two seconds.
    runtime.block_on(async { tokio::time::sleep(Duration::from_secs(3)).await });
    let each = (measure::resident() - before) / f64::from(PENDING);
    let begin = (Instant::now(), measure::cpu());
    let beside = rounds();
    runtime.block_on(async { tokio::time::sleep(Duration::from_secs(2)).await });
    let load = (measure::cpu() - begin.1).as_secs_f64() / begin.0.elapsed().as_secs_f64();
    let (p50, p99) = (beside.0 / alone.0, beside.1 / alone.1);
    println!(
        "{:<44} {:>8.1} KiB each (limit 4), p50 {p50:.2} x, p99 {p99:.2} x ({:.0} µs; {:.0} µs alone; limit 1.5), {:.0} % CPU{}",
        "10,000 pending, polled every 2 s",
        each / 1024.0,
        beside.1,
        alone.1,
        load * 100.0,
        mark(p99 > 1.5 || each > 4096.0),
    );
    for call in waiting {
        call.abort();
    }
    never.close_blocking();
    usize::from(p99 > 1.5 || each > 4096.0)
}

fn mark(missed: bool) -> &'static str {
    if missed { "  MISSED" } else { "" }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn client(url: &str) -> Client {
    Client::builder().base_url(url).build().unwrap()
}

fn action(risk: RiskLevel) -> Action {
    Action::new("benchmark")
        .risk(risk)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Internal)
        .systems(["postgres"])
        .function("read_invoice")
        .module("billing::invoices")
        .arguments(vec![("invoice_id".into(), "in_42".into())])
}

fn sync_call(client: &Client, action: &Action) {
    client.run(action, || Ok::<_, Error>(())).unwrap();
}

async fn async_call(client: &Client, action: &Action) {
    client
        .run_async(action, || async { Ok::<_, Error>(()) })
        .await
        .unwrap();
}

async fn in_a_row(client: &Client, action: &Action, calls: usize) -> Times {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begin = Instant::now();
        async_call(client, action).await;
        times.push(begin.elapsed());
    }
    Times::from(times)
}

fn gated_tasks(runtime: &Runtime, client: &Client, action: &Action, tasks: usize, calls: usize) {
    runtime.block_on(async {
        let task = |_| {
            let (client, action) = (client.clone(), action.clone());
            tokio::spawn(async move {
                for _ in 0..calls {
                    async_call(&client, &action).await;
                }
            })
        };
        let tasks: Vec<_> = (0..tasks).map(task).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Bare reqwest: one kept client on a current-thread runtime, the same bytes.
struct Bare {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    body: bytes::Bytes,
}

impl Bare {
    fn new(url: &str) -> Self {
        let runtime = current_thread();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let like = self::client(url).prepare(&action(RiskLevel::Low)).unwrap();
        let body = bytes::Bytes::from(like.body().to_owned());
        println!("a submission of {} bytes", body.len());
        Self {
            runtime,
            client,
            url: format!("{url}/plain/api/actions/execute"),
            body,
        }
    }

    fn call(&self) {
        self.runtime
            .block_on(Self::one(&self.client, &self.url, &self.body));
    }

    async fn one(client: &reqwest::Client, url: &str, body: &bytes::Bytes) {
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .body(body.clone());
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        assert_eq!(&*answer, br#"{"status":"accepted"}"#);
    }

    fn tasks(&self, tasks: usize, calls: usize) {
        self.runtime.block_on(async {
            let task = |_| {
                let (client, url, body) =
                    (self.client.clone(), self.url.clone(), self.body.clone());
                tokio::spawn(async move {
                    for _ in 0..calls {
                        Self::one(&client, &url, &body).await;
                    }
                })
            };
            let tasks: Vec<_> = (0..tasks).map(task).collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}
