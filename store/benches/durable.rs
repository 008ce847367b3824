//! Decisions that are on disk before they are answered: through `Engine::handle`, with the audit
//! event, the approval and the nonce of each.
//!
//! `cargo bench -p sernixa-store --bench durable` prints decisions per second and latency for 1 and
//! 64 callers, beside the same with `synchronous=OFF`, in memory, and an append of the same bytes
//! with fdatasync; exits with 1 when a number of DESIGN 13 is missed. `-- profile` runs 64 callers
//! alone, for a profiler.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark"
)]

use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sernixa_engine::{Engine, Moment, Principal, Request, Settings, Timestamp};
use sernixa_store::SqliteStore;

const ROUNDS: usize = 5;
/// How many decisions one caller takes in a round, and how many all 64 do.
const ALONE: usize = 2_000;
const TOGETHER: usize = 20_000;
const CALLERS: usize = 64;

/// No two calls of this process have the same number.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// What the SDK sends for a low-risk read with ten metadata keys.
fn body(number: u64) -> String {
    format!(
        r#"{{"intent_id":"invoice-lookup","action_id":"billing-look-up","request_id":"{number:032x}","timestamp":1780000000,"nonce":"{number:032x}","metadata":{{"risk_level":"low","operation_class":"read","data_sensitivity":"internal","systems_touched":["postgres"],"function":"look_up","module":"billing","args_count":2,"kwargs_keys":[],"policy_surface":"rust_sdk","idempotency_key":"{number:064x}","arguments_digest":"hmac-sha256:{number:064x}","dlp_status":"clean","region":"eu-central-1"}}}}"#
    )
}

fn decide(engine: &Engine, caller: &Principal) {
    let number = CALLS.fetch_add(1, Ordering::Relaxed);
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let body = body(number);
    let moment = Moment::new(
        Timestamp::from_millis(1_780_000_000_000 + number / 10),
        seed,
    );
    let answer = engine.handle(caller, Request::Submit { body: &body }, &moment);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// What a round gave.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50: f64,
    p99: f64,
}

/// `count` calls, shared by `callers`.
fn measure(callers: usize, count: usize, call: impl Fn() + Sync) -> Figures {
    let begin = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|_| {
                scope.spawn(|| {
                    (0..count / callers)
                        .map(|_| {
                            let start = Instant::now();
                            call();
                            start.elapsed()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let all = threads.into_iter();
        all.flat_map(|thread| thread.join().expect("a caller ends"))
            .collect()
    });
    let all = begin.elapsed();
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e6;
    Figures {
        per_second: times.len() as f64 / all.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
    }
}

fn engine(path: &Path, is_durable: bool) -> Engine {
    let store = if is_durable {
        SqliteStore::open(path)
    } else {
        SqliteStore::open_without_durability_for_benchmarks_only(path)
    };
    Engine::builder()
        .store(store.expect("the store opens"))
        .settings(Settings::local())
        .build()
        .expect("the settings fit")
}

/// Bytes that this process has written so far, as the kernel counts them.
fn written() -> Option<u64> {
    let counters = read_to_string("/proc/self/io").ok()?;
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("wchar: "))?;
    line.parse().ok()
}

/// The median of a figure.
fn median(all: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(what: &str, all: &[Figures]) {
    println!(
        "{what:<44} {:>9.0}/s   p50 {:>8.0} µs   p99 {:>8.0} µs",
        median(all, |one| one.per_second),
        median(all, |one| one.p50),
        median(all, |one| one.p99)
    );
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let caller = Principal::local();
    let durable = engine(&at("durable.db"), true);
    if std::env::args().any(|argument| argument == "profile") {
        row(
            "durable, 64 callers",
            &[measure(CALLERS, 10 * TOGETHER, || {
                decide(&durable, &caller);
            })],
        );
        return ExitCode::SUCCESS;
    }
    let undurable = engine(&at("off.db"), false);
    let memory = Engine::in_memory();
    let mut raw = File::create(at("raw")).expect("a file");

    measure(1, ALONE, || decide(&durable, &caller));
    let before = written();
    measure(1, ALONE, || decide(&durable, &caller));
    let bytes = written()
        .zip(before)
        .map_or(32 << 10, |(now, then)| now - then)
        / ALONE as u64;
    let block = vec![0x5a; bytes as usize];

    let [mut raws, mut ones, mut ones_off, mut ones_memory] = [const { Vec::new() }; 4];
    let [mut many, mut many_off, mut many_memory] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let file = std::sync::Mutex::new(&mut raw);
        raws.push(measure(1, ALONE, || {
            let mut file = file.lock().expect("one caller");
            file.write_all(&block).expect("an append");
            file.sync_data().expect("fdatasync");
        }));
        ones.push(measure(1, ALONE, || decide(&durable, &caller)));
        ones_off.push(measure(1, ALONE, || decide(&undurable, &caller)));
        ones_memory.push(measure(1, ALONE, || decide(&memory, &caller)));
        many.push(measure(CALLERS, TOGETHER, || decide(&durable, &caller)));
        many_off.push(measure(CALLERS, TOGETHER, || decide(&undurable, &caller)));
        many_memory.push(measure(CALLERS, TOGETHER, || decide(&memory, &caller)));
    }
    println!("medians of {ROUNDS} rounds, {bytes} bytes written a decision by 1 caller\n");
    row("append and fdatasync of the same bytes", &raws);
    row("durable, 1 caller", &ones);
    row("synchronous=OFF, 1 caller", &ones_off);
    row("in memory, 1 caller", &ones_memory);
    row("durable, 64 callers", &many);
    row("synchronous=OFF, 64 callers", &many_off);
    row("in memory, 64 callers", &many_memory);

    let alone = median(&ones, |one| one.p50) / median(&raws, |one| one.p50);
    let together = median(&many, |one| one.per_second) / median(&many_off, |one| one.per_second);
    let mut missed = false;
    for (what, value, bad, limit) in [
        (
            "1 caller, p50 against the append",
            alone,
            alone > 1.5,
            "at most 1.5",
        ),
        (
            "64 callers against synchronous=OFF",
            together,
            together < 0.5,
            "at least 0.5",
        ),
    ] {
        missed |= bad;
        let mark = if bad { "  MISSED" } else { "" };
        println!("{what:<44} {value:>9.2} ×   {limit}{mark}");
    }
    if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
