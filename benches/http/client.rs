//! The rows.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
use tokio::runtime::{Builder, Runtime};

use crate::measure::{self, Times, median};

/// Runs of each job; the figures are medians over them.
const ROUNDS: usize = 5;

/// What can be run alone.
pub const JOBS: [&str; 5] = ["calls", "tasks", "pending", "resident", "ten-thousand"];

/// Prints the rows of one job, or of all, and returns how many were missed.
pub fn rows(url: &str, calls: usize, layout: Layout, only: Option<&str>) -> usize {
    let runtime = current_thread();
    let mut missed = 0;
    for job in JOBS
        .into_iter()
        .filter(|job| only.is_none_or(|only| only == *job))
    {
        missed += match job {
            "calls" => one_after_another(&runtime, url, calls),
            "tasks" => many_tasks(&runtime, url, calls),
            "pending" => pending(&runtime, url),
            "resident" => resident(url),
            // 5,000 looks a second and their answers are more than one core is for.
            _ if layout == Layout::OneCore => 0,
            _ => ten_thousand(&runtime, url, calls),
        };
    }
    missed
}

/// Where the server runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    OneCore,
    TwoCores,
}

/// The ways to make a call.
#[derive(Clone, Copy)]
enum Way {
    Sync,
    CurrentThread,
    MultiThread,
}

fn one_after_another(ct: &Runtime, url: &str, calls: usize) -> usize {
    let bare = Bare::new(url);
    let mt = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (plain, outcomes) = (client(url, "plain"), client(url, "outcomes"));
    let low = action(RiskLevel::Low);
    let rows = [
        ("sync", Way::Sync, &plain, 1.6),
        ("async, current-thread", Way::CurrentThread, &plain, 1.6),
        ("async, multi-thread", Way::MultiThread, &plain, 1.8),
        ("sync, with outcomes", Way::Sync, &outcomes, f64::INFINITY),
        (
            "async, current-thread, with outcomes",
            Way::CurrentThread,
            &outcomes,
            f64::INFINITY,
        ),
    ];
    println!(
        "{:<44} {:>11} {:>11} {:>7} {:>7}",
        "one after another, p50", "bare", "gated", "ratio", "limit"
    );
    let mut missed = 0;
    for (name, way, client, limit) in rows {
        let mut figures = Figures::default();
        for _ in 0..ROUNDS {
            let bare = Times::of(calls, || bare.call()).percentile(0.5);
            let mut gated = match way {
                Way::Sync => Times::of(calls, || sync_call(client, &low)),
                Way::CurrentThread => ct.block_on(in_a_row(client, &low, calls)),
                Way::MultiThread => {
                    let (client, low) = (client.clone(), low.clone());
                    let task = async move { in_a_row(&client, &low, calls).await };
                    mt.block_on(mt.spawn(task)).unwrap()
                }
            };
            figures.add(bare, gated.percentile(0.5));
        }
        let (bare, gated, ratio) = figures.medians();
        missed += usize::from(ratio > limit);
        println!(
            "{name:<44} {bare:>8.1} µs {gated:>8.1} µs {ratio:>7.2} {limit:>7.1}{}",
            mark(ratio > limit)
        );
    }
    plain.close_blocking();
    outcomes.close_blocking();
    missed
}

fn many_tasks(runtime: &Runtime, url: &str, calls: usize) -> usize {
    let bare = Bare::new(url);
    let plain = client(url, "plain");
    let low = Arc::new(action(RiskLevel::Low));
    println!(
        "{:<44} {:>11} {:>11} {:>7} {:>7} {:>12}",
        "many tasks, current-thread", "bare/s", "gated/s", "ratio", "limit", "CPU a call"
    );
    let mut missed = 0;
    for tasks in [20, 200] {
        let per_task = (calls * 5).div_ceil(tasks);
        let all = (per_task * tasks) as f64;
        let (mut figures, mut cpus) = (Figures::default(), Vec::new());
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            bare.tasks(tasks, per_task);
            let bare = all / begin.elapsed().as_secs_f64();
            let (begin, cpu) = (Instant::now(), measure::cpu());
            gated_tasks(runtime, &plain, &low, tasks, per_task);
            figures.add(bare, all / begin.elapsed().as_secs_f64());
            cpus.push(measure::cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / all);
        }
        let ((bare, gated, ratio), cpu) = (figures.medians(), median(cpus));
        let bad = ratio < 0.6 || cpu > 32.0;
        missed += usize::from(bad);
        let name = format!("{tasks} tasks (at most 32 µs CPU a call)");
        println!(
            "{name:<44} {bare:>11.0} {gated:>11.0} {ratio:>7.2} {:>7.1} {cpu:>9.1} µs{}",
            0.6,
            mark(bad)
        );
    }
    plain.close_blocking();
    missed
}

/// 200 calls that wait for half a second, and one that need not wait behind 20 that do.
fn pending(runtime: &Runtime, url: &str) -> usize {
    // 0.6 s and one interval, which is 100 ms with its jitter of 10 %.
    const LIMIT: f64 = 0.71;

    let review = Client::builder()
        .base_url(format!("{url}/review"))
        .poll_interval(Duration::from_millis(100))
        .build()
        .unwrap();
    let (low, high) = (action(RiskLevel::Low), Arc::new(action(RiskLevel::High)));
    let begin = Instant::now();
    gated_tasks(runtime, &review, &high, 200, 1);
    let took = begin.elapsed().as_secs_f64();
    println!(
        "{:<44} {:>13} {:>8}",
        "waiting, polled every 100 ms", "", "limit"
    );
    println!(
        "{:<44} {took:>11.3} s {LIMIT:>6.2} s{}",
        "200 calls pending for 500 ms, cap 20",
        mark(took > LIMIT)
    );
    let behind = runtime.block_on(async {
        let waiting = |_| {
            let (client, high) = (review.clone(), Arc::clone(&high));
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
    println!(
        "{:<44} {behind:>10.2} ms {:>5.1} ms{}",
        "an allowed call behind 20 pending ones",
        5.0,
        mark(behind > 5.0)
    );
    review.close_blocking();
    usize::from(took > LIMIT) + usize::from(behind > 5.0)
}

/// The resident memory after 1,000 calls, in processes of their own.
fn resident(url: &str) -> usize {
    const LIMIT: f64 = 10.0;

    let own = std::env::current_exe().unwrap();
    let megabytes = |who: &str| -> f64 {
        let output = Command::new(&own)
            .args(["--resident", who, url])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse::<f64>().unwrap() / 1e6
    };
    let (bare, gated) = (megabytes("bare"), megabytes("gated"));
    println!(
        "{:<44} {gated:>10.1} MB {LIMIT:>5.1} MB (bare reqwest {bare:.1} MB){}",
        "resident after 1,000 calls",
        mark(gated > LIMIT)
    );
    usize::from(gated > LIMIT)
}

/// The other side of [`resident`].
pub fn resident_after_calls(who: &str, url: &str) -> f64 {
    if who == "bare" {
        let bare = Bare::sending(url, "x".repeat(609));
        (0..1_000).for_each(|_| bare.call());
    } else {
        let (plain, low) = (client(url, "plain"), action(RiskLevel::Low));
        (0..1_000).for_each(|_| sync_call(&plain, &low));
        plain.close_blocking();
    }
    measure::resident()
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
    let load =
        measure::cpu().saturating_sub(begin.1).as_secs_f64() / begin.0.elapsed().as_secs_f64();
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

fn client(url: &str, service: &str) -> Client {
    Client::builder()
        .base_url(format!("{url}/{service}"))
        .build()
        .unwrap()
}

/// What the rounds of one row gave.
#[derive(Default)]
struct Figures {
    bare: Vec<f64>,
    gated: Vec<f64>,
    ratio: Vec<f64>,
}

impl Figures {
    fn add(&mut self, bare: f64, gated: f64) {
        self.bare.push(bare);
        self.gated.push(gated);
        self.ratio.push(gated / bare);
    }

    fn medians(self) -> (f64, f64, f64) {
        (median(self.bare), median(self.gated), median(self.ratio))
    }
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

fn gated_tasks(
    runtime: &Runtime,
    client: &Client,
    action: &Arc<Action>,
    tasks: usize,
    calls: usize,
) {
    runtime.block_on(async {
        let task = |_| {
            let (client, action) = (client.clone(), Arc::clone(action));
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
    /// Sends what a gated call sends.
    fn new(url: &str) -> Self {
        let like = self::client(url, "plain").prepare(&action(RiskLevel::Low));
        Self::sending(url, like.unwrap().body().to_owned())
    }

    fn sending(url: &str, body: String) -> Self {
        let runtime = current_thread();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        Self {
            runtime,
            client,
            url: format!("{url}/plain/api/actions/execute"),
            body: body.into(),
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
