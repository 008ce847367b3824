//! What a decision costs. Printed, not judged: `benches/` at the root judges in a quiet run.

use std::hint::black_box;
use std::time::Instant;

use sernixa_engine::{Principal, Request};

use crate::support::{Bench, Draft};

/// `cargo nextest run --release -p sernixa-engine --run-ignored only --no-capture speed`
#[test]
#[ignore = "prints timings; run it in release"]
fn one_decision_in_memory() {
    const CALLS: u32 = 20_000;
    let metadata = Draft::read()
        .digest(7)
        .meta(
            "idempotency_key",
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706",
        )
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .meta("args_count", 2)
        .meta("arguments_captured", false);
    for (what, draft) in [
        ("allow", metadata.clone()),
        ("ask", metadata.meta("risk_level", "high")),
    ] {
        let bench = Bench::local();
        let caller = Principal::local();
        let bodies: Vec<String> = (0..CALLS)
            .map(|call| draft.clone().top("nonce", format!("{call:032x}")).body())
            .collect();
        let mut nanos: Vec<u128> = Vec::new();
        for body in &bodies {
            let moment = bench.moment();
            let begun = Instant::now();
            let answer = bench
                .engine
                .handle(&caller, Request::Submit { body }, moment);
            nanos.push(begun.elapsed().as_nanos());
            black_box(answer);
        }
        nanos.sort_unstable();
        let (bytes, p50, p99) = (
            bodies[0].len(),
            nanos[nanos.len() / 2],
            nanos[nanos.len() * 99 / 100],
        );
        println!("{what}: {bytes} bytes, p50 {p50} ns, p99 {p99} ns");
    }
}
