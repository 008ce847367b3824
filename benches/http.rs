//! Gated calls over HTTP against bare `reqwest`, in one run and in turn (DESIGN 13).
//!
//! `cargo bench --bench http [-- quick] [calls|tasks|pending|resident|ten-thousand]` prints a row per
//! job: what bare reqwest takes, what a gated call takes, the ratio, and the ratio to reach. The server is a hyper stub in a process of its
//! own. Both are pinned with `taskset`: once to the same core, once to two cores. Exits with 1 when
//! a row is missed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark"
)]

#[path = "http/client.rs"]
mod client;
#[path = "http/measure.rs"]
mod measure;
#[path = "http/stub.rs"]
mod stub;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments
        .get(1)
        .is_some_and(|argument| argument == "--stub")
    {
        stub::serve();
        return ExitCode::SUCCESS;
    }
    if let [_, flag, who, url, ..] = arguments.as_slice()
        && flag == "--resident"
    {
        println!("{}", client::resident_after_calls(who, url));
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "quick");
    let job = arguments
        .iter()
        .find(|argument| client::JOBS.contains(&argument.as_str()));
    let job = job.map(String::as_str);
    let calls = if quick { 500 } else { 4_000 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut missed = 0;
    let layouts = [
        (0, client::Layout::OneCore, "server and client on core 0"),
        (
            1,
            client::Layout::TwoCores,
            "server on core 1, client on core 0",
        ),
    ];
    for (server, layout, title) in layouts {
        if server >= cores {
            println!("\n{title}: this machine has one core");
            continue;
        }
        let stub = stub::Stub::start(server);
        measure::pin(0);
        println!("\n{title} (taskset)");
        missed += client::rows(&stub.url, calls, layout, job);
    }
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
