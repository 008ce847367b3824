//! The embedded engine, all told: prepare, decide, chained audit in memory, permit, outcome.
//!
//! `cargo bench --bench embedded` prints the latency of an auto-approved call alone and beside
//! 10,000 pending ones, what a pending one costs, and the memory after 1,000 calls; exits with 1
//! when a number of DESIGN 13 is missed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark"
)]

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, Error};

#[sernixa::intercept(
    intent_id = "invoice-lookup",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["postgres"],
    metadata = { region: "eu-central-1" },
    client = client,
    handles = [client],
)]
fn look_up(client: &Client, invoice_id: &str, attempt: u32) -> Result<u32, Error> {
    let _ = (client, invoice_id);
    Ok(attempt)
}

#[sernixa::intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["stripe"],
    client = client,
    handles = [client],
)]
async fn adjust(client: &Client, number: usize) -> Result<usize, Error> {
    let _ = client;
    Ok(number)
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<usize, Error>> + 'a>>;

const PENDING: usize = 10_000;
const CALLS: usize = 20_000;

fn main() -> ExitCode {
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(|_: &Record| Decision::leave())
        .build()
        .expect("defaults are usable");
    let mut missed = false;
    let mut judge = |what: &str, value: f64, unit: &str, limit: f64| {
        let bad = value > limit;
        missed |= bad;
        let mark = if bad { "  MISSED" } else { "" };
        println!("{what:<52} {value:>9.2} {unit:<3} {limit:>9.1}{mark}");
    };
    println!(
        "{:<52} {:>9} {:<3} {:>9}",
        "embedded engine", "measured", "", "to reach"
    );

    calls(&client, 1_000);
    judge(
        "resident memory after 1,000 calls",
        resident() as f64 / 1e6,
        "MB",
        10.0,
    );

    calls(&client, CALLS);
    let (p50, p99) = quietest(|| calls(&client, CALLS));
    judge("auto-approved call, p50", p50, "µs", 10.0);
    println!("{:<52} {p99:>9.2} µs", "auto-approved call, p99");

    // Touched beforehand: the list is the benchmark's own.
    let mut waiting: Vec<Option<Waiting<'_>>> = (0..PENDING).map(|_| None).collect();
    let before = resident();
    let mut context = Context::from_waker(Waker::noop());
    for (number, place) in waiting.iter_mut().enumerate() {
        let mut call: Waiting<'_> = Box::pin(adjust(&client, number));
        assert!(
            matches!(call.as_mut().poll(&mut context), Poll::Pending),
            "a person decides"
        );
        *place = Some(call);
    }
    settle(&client);
    let each = resident().saturating_sub(before) as f64 / PENDING as f64 / 1024.0;
    judge("each of 10,000 pending calls", each, "KB", 4.0);

    let (p50_beside, p99_beside) = quietest(|| calls(&client, CALLS));
    println!(
        "{:<52} {p50_beside:>9.2} µs",
        "auto-approved call beside them, p50"
    );
    judge(
        "auto-approved call beside them, p99",
        p99_beside,
        "µs",
        p99 * 1.5,
    );

    drop(waiting);
    client.close_blocking();
    if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// p50 and p99 of so many calls one after another, in µs.
fn calls(client: &Client, count: usize) -> (f64, f64) {
    let mut times: Vec<Duration> = (0..count)
        .map(|n| {
            let start = Instant::now();
            look_up(client, "in_1042", n as u32).expect("a low-risk read proceeds");
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[(count as f64 * share) as usize].as_secs_f64() * 1e6;
    (at(0.5), at(0.99))
}

/// The best of five runs: other work on the machine only adds time.
fn quietest(run: impl Fn() -> (f64, f64)) -> (f64, f64) {
    let runs = (0..5).map(|_| run());
    runs.fold((f64::INFINITY, f64::INFINITY), |best, one| {
        (best.0.min(one.0), best.1.min(one.1))
    })
}

/// Lets the driver and the reviewer's thread finish what they were given.
fn settle(client: &Client) {
    for _ in 0..3 {
        client.readiness_blocking().expect("the engine is ready");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Bytes of resident memory; 0 where there is no `/proc`.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
