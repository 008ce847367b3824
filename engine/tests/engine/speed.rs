//! What a decision costs. Printed, not judged: `benches/` at the root judges, in a quiet run.
//!
//! `cargo nextest run --release -p sernixa-engine --run-ignored only --no-capture speed`

use std::hint::black_box;
use std::time::Instant;

use sernixa_engine::{Principal, Request};

use crate::support::{Bench, Draft};

/// What our client sends for a small call.
fn typical() -> Draft {
    Draft::read()
        .digest(7)
        .meta(
            "idempotency_key",
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706",
        )
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .meta("args_count", 2)
        .meta("arguments_captured", false)
}

fn bodies(draft: &Draft, count: u32) -> Vec<String> {
    (0..count)
        .map(|call| draft.clone().top("nonce", format!("{call:032x}")).body())
        .collect()
}

#[test]
#[ignore = "prints timings; run it in release"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn one_decision_in_memory() {
    let caller = Principal::local();
    for (what, draft) in [
        ("allow", typical()),
        ("ask", typical().meta("risk_level", "high")),
    ] {
        let bench = Bench::local();
        let bodies = bodies(&draft, 20_000);
        let mut nanos: Vec<u128> = Vec::with_capacity(bodies.len());
        for body in &bodies {
            let moment = bench.moment();
            let begun = Instant::now();
            let answer = bench
                .engine
                .handle(&caller, Request::Submit { body }, &moment);
            nanos.push(begun.elapsed().as_nanos());
            black_box(answer);
        }
        nanos.sort_unstable();
        let (p50, p99) = (nanos[nanos.len() / 2], nanos[nanos.len() * 99 / 100]);
        println!(
            "{what}: {} bytes, p50 {p50} ns, p99 {p99} ns",
            bodies[0].len()
        );
    }
}

/// How much the process grows with each call, of 10,000. Each in a process of its own.
fn print_size(what: &str, draft: &Draft) {
    const COUNT: u32 = 10_000;
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    };
    let bench = Bench::local();
    let bodies = bodies(draft, COUNT);
    let before = resident();
    for body in &bodies {
        bench.submit(&Principal::local(), body);
    }
    println!(
        "{what}: {} bytes each",
        (resident() - before) / u64::from(COUNT)
    );
}

#[test]
#[ignore = "prints a size; run it in release"]
fn one_allow_in_memory() {
    print_size("allow", &typical());
}

#[test]
#[ignore = "prints a size; run it in release"]
fn one_pending_approval_in_memory() {
    print_size("ask", &typical().meta("risk_level", "high"));
}
