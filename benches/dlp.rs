//! What DLP costs: ordinary text, hostile text, and the short values of a real submission.
//!
//! `cargo bench --bench dlp [-- FILTER]` prints, for each text, MB/s with the default and with the
//! reference's detectors, and how much longer twice the text takes (2.0 is linear). Exits with 1
//! when a number of DESIGN 13 is missed: 200 MB/s on English, 50 MB/s on anything, 2.2 times.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sernixa_protocol::dlp::{Detectors, Mode, Protector, Text, protect_metadata_json};

const SIZE: usize = 1_000_000;

fn main() -> ExitCode {
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let sets = [
        ("default", Detectors::default()),
        ("reference", Detectors::reference()),
    ];
    let mut missed = 0;

    println!(
        "{:<34} {:>14} {:>14} {:>8} {:>8}",
        "1 MB of", "default MB/s", "reference MB/s", "2x", "2x ref"
    );
    for (name, make, floor) in texts() {
        if !name.contains(&filter) {
            continue;
        }
        let (once, twice) = (make(SIZE), make(2 * SIZE));
        let bound = |speed: f64, ratio: f64, least: f64| speed >= least && ratio <= 2.2;
        let mut best = [(0.0, f64::INFINITY); 2];
        // Other work on the machine only adds time: what misses is measured again.
        for _ in 0..6 {
            for ((_, detectors), (speed, ratio)) in sets.iter().zip(&mut best) {
                let (first, second) =
                    in_turn(|| scan(&once, detectors), || scan(&twice, detectors));
                *speed = megabytes_per_second(once.len(), first).max(*speed);
                *ratio = (second.as_secs_f64() / first.as_secs_f64()).min(*ratio);
            }
            if bound(best[0].0, best[0].1, floor) && bound(best[1].0, best[1].1, 50.0) {
                break;
            }
        }
        let [(speed, ratio), (reference_speed, reference_ratio)] = best;
        let bad = !bound(speed, ratio, floor) || !bound(reference_speed, reference_ratio, 50.0);
        missed += usize::from(bad);
        let mark = if bad { "  MISSED" } else { "" };
        println!(
            "{name:<34} {speed:>14.0} {reference_speed:>14.0} {ratio:>8.2} {reference_ratio:>8.2}{mark}"
        );
    }

    if "made up".contains(&filter) {
        for (name, detectors) in &sets {
            let (speed, text) = slowest(detectors);
            missed += usize::from(speed < 50.0);
            println!("slowest of 1,000 made up, {name}: {speed:.0} MB/s, {text:?} repeated");
        }
    }

    println!("\n{:<34} {:>14} {:>14}", "short", "default", "reference");
    for (name, run) in short() {
        if !name.contains(&filter) {
            continue;
        }
        let [first, second] = sets
            .each_ref()
            .map(|(_, detectors)| per_call(|| run(detectors)));
        println!(
            "{name:<34} {:>11.0} ns {:>11.0} ns",
            first.as_secs_f64() * 1e9,
            second.as_secs_f64() * 1e9
        );
    }
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

type Make = Box<dyn Fn(usize) -> String>;

/// The texts, with the MB/s to reach on each.
fn texts() -> Vec<(String, Make, f64)> {
    let mut texts: Vec<(String, Make, f64)> = vec![
        ("English".into(), Box::new(english), 200.0),
        ("English with findings".into(), Box::new(leaky), 50.0),
        ("random starts".into(), Box::new(starts), 50.0),
    ];
    let mut add = |name: String, make: Make| texts.push((name, make, 50.0));
    for &(language, sentence) in LANGUAGES {
        add(language.into(), Box::new(|size| repeat(sentence, size)));
    }
    for &(name, alphabet) in ALPHABETS {
        add(
            format!("random {name}"),
            Box::new(|size| random(alphabet, size)),
        );
    }
    for unit in UNITS {
        add(format!("{unit:?}"), Box::new(|size| repeat(unit, size)));
    }
    for &(start, tail) in RUNS {
        add(
            format!("{start:?} and {tail:?}"),
            Box::new(|size| start.to_owned() + &repeat(tail, size)),
        );
    }
    texts
}

const LANGUAGES: &[(&str, &str)] = &[
    ("Russian", "Пожалуйста, верните деньги клиенту до пятницы. "),
    ("Hindi", "कृपया शुक्रवार तक ग्राहक को धनवापसी करें। "),
    ("Chinese", "请在星期五之前给客户退款。"),
];

const ALPHABETS: &[(&str, &[u8])] = &[
    (
        "base64url",
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
    ),
    ("digits", b"0123456789"),
    ("digits and blanks", b"0123456789 "),
    ("digits, more blanks", b"0123456789 - "),
    ("punctuation", b"!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ "),
    ("@.-_:=", b"@.-_:=a1"),
];

/// What detectors look for, whole and broken, repeated.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "a.", "a@", "a@a.", "a@b.cc ", "@", ".@", "é@", "a.b-", "Bearer ", "Bearer Bearer",
    "Bearer aaaaaaaaaaaaaaaa ", "bearer ", "bearer\t\n", "sk_", "sk_ ", "key_key_", ".sk_a",
    "-sk_a-", " sk_aaaaaaaaaaaaaaaa", "key_word.", "api_ ", "token_aaaaaaa.aaaaaaa ", "_", "k_",
    "secret_", "sk-", "sk- ", "sk-aaaaaaaaaaaaaaaaaaaa ", "-", "-----", "-----BEGIN",
    "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "eyJ", "eyJ ", "eyJ-", "eyJ.", "eyJaaaaaaaaaa.",
    "AKIA", "AKIA ", "ASIA ", "AKIAAAAAAAAAAAAAAAAA ", "ghp_", "ghp_ ", "gho_ ", "github_pat_ ",
    "xox", "xoxb-", "xoxb- ", "sk_live_", "sk_live_ ", "rk_live_ ", "sk_test_ ", "whsec_ ",
    "AIza", "AIza ", "GOCSPX-", "srnx_", "srnx_ ", "srnx_live_ ", "://", "a://a:a@", "a://", ":",
    "=", "password=", "password= ", "password=[redacted", "password=****", "pwd://", "secret://a ", "password=\"-", "password=a ", "pwd=", "pwd:a ", "secret: a b ", "token: a ",
    "token:", "authorization: basic ", "\"password\":\"", "==", "a=", "a =", "1 ", "4 ", "4  ",
    "4242 ", "4242-", "4242424242424242 ", "12 4242 4242 4242 4242 ", "0", "1", "123-45-6789 ",
    "123-45-6789-", "DE89 ", "DE89", "DE89 3704 0044 0532 0130 01 ", "٣", "٣ ", "४", "４", "𝟜",
    "𝟜 ", "²", "\u{301}", "ı", "İ_", "ſk_", "é", "\u{a0}", "\u{1c}", "x ", "A ", "J ", " ", "\n",
    "😀",
];

/// A start and what follows it in one long run, so that what is read to its end is read once.
#[rustfmt::skip]
const RUNS: &[(&str, &str)] = &[
    ("sk_a", "-"), ("sk_a", "a"), ("Bearer ", "="), ("Bearer", " "), ("password=", "a"),
    ("password:", " "), ("a://a:", "a"), ("eyJ", "a"), ("-----BEGIN PRIVATE KEY-----", "a"),
    ("a@", "a."), ("1", " "), ("ghp_", "a"), ("xoxb-", "-"), ("sk-", "a-"),
];

fn repeat(unit: &str, size: usize) -> String {
    unit.repeat(size / unit.len())
}

fn random(alphabet: &[u8], size: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..size)
        .map(|_| char::from(pick(alphabet, next(&mut state))))
        .collect()
}

/// Every start of a detector, in random order.
fn starts(size: usize) -> String {
    let words = [
        "sk_",
        "api_",
        "token_a",
        "Bearer ",
        "bearer a",
        "-----BEGIN ",
        "eyJ",
        "AKIA",
        "ghp_",
        "xoxb-",
        "sk_live_",
        "AIza",
        "sk-",
        "srnx_",
        "a://b:",
        "@",
        "a@b.",
        "password=",
        "secret: ",
        "4242 ",
        "4242",
        "123-45-6789",
        "DE89 ",
        " ",
        ".",
        "_",
        "-",
        "=",
        "a1",
    ];
    let mut state = 7_u64;
    let mut text = String::with_capacity(size + 16);
    while text.len() < size {
        text.push_str(pick(&words, next(&mut state)));
    }
    text
}

const WORDS: &str = "the of and a to in is that it was for on are as with his they at be this from have or by one had not but what all were when \
    we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like \
    him see time could no make than first been its who now people my made over did down only way find use may water long little very after words \
    called just where most know Please refund customer invoice balance because already charged twice yesterday order number delivery address \
    Thanks request manager review quickly before Friday subscription account cancelled";

fn english(size: usize) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 3_u64;
    let mut text = String::with_capacity(size + 16);
    while text.len() < size {
        text.push_str(pick(&words, next(&mut state)));
        text.push_str(match next(&mut state) % 40 {
            0 | 1 => ". ",
            2 | 3 => ", ",
            4 => ".\n",
            5 => " 2026-11-22 ",
            6 => " - ",
            7 => ": ",
            _ => " ",
        });
    }
    text
}

/// English with a secret every 200 characters or so.
fn leaky(size: usize) -> String {
    let secrets = [
        "bob@example.com",
        "4242 4242 4242 4242",
        "password=hunter2",
        "sk_live_a1B2c3D4e5F6g7H8",
        "Bearer abcdefghijklmnop1",
        "AKIAIOSFODNN7EXAMPLE",
    ];
    let plain = english(size);
    let mut text = String::with_capacity(size * 2);
    for (at, piece) in plain.split_inclusive(". ").enumerate() {
        text.push_str(piece);
        if at % 4 == 0 {
            text.push_str(pick(&secrets, at / 4));
            text.push(' ');
        }
    }
    text.truncate(size);
    text
}

fn pick<T: Copy + Default>(from: &[T], number: usize) -> T {
    from.get(number % from.len()).copied().unwrap_or_default()
}

fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap_or(0)
}

type Run = Box<dyn Fn(&Detectors)>;

fn short() -> Vec<(String, Run)> {
    let values = [
        "stripe",
        "postgres",
        "internal",
        "refund for a duplicate charge",
        "inv_2026_0042",
        "eu-west-1",
        "customer asked by phone",
        "billing.adjust_invoice",
        "12.50 EUR",
        "ops",
    ];
    let metadata = r#"{"risk_level": "high", "operation_class": "financial", "data_sensitivity": "financial", "systems_touched": ["stripe", "postgres"], "invoice": "inv_2026_0042",
        "region": "eu-west-1", "note": "customer asked by phone", "cents": 1250, "tenant": "acme", "dry_run": false}"#;
    let leaky = metadata.replace("by phone", "by mail: bob@example.com");
    vec![
        (
            "10 short values".into(),
            Box::new(move |detectors| {
                let mut protector = Protector::new(Mode::Mask, detectors);
                for value in black_box(values) {
                    black_box(protector.text("metadata.x", value, Text::Metadata));
                }
            }),
        ),
        (
            "metadata of 10 keys, text form".into(),
            Box::new(move |detectors| {
                black_box(protect_metadata_json(black_box(metadata), Mode::Mask, detectors).ok());
            }),
        ),
        (
            "the same with one e-mail address".into(),
            Box::new(move |detectors| {
                black_box(protect_metadata_json(black_box(&leaky), Mode::Mask, detectors).ok());
            }),
        ),
    ]
}

/// The slowest of many repetitions made up of what stands in [`UNITS`]: finds what nobody thought
/// of, a quadratic detector above all.
fn slowest(detectors: &Detectors) -> (f64, String) {
    let mut state = 11_u64;
    let mut slowest = (f64::INFINITY, String::new());
    for _ in 0..1_000 {
        let pieces = 1 + next(&mut state) % 4;
        let unit: String = (0..pieces).map(|_| pick(UNITS, next(&mut state))).collect();
        let text = pick(UNITS, next(&mut state)).to_owned() + &repeat(&unit, SIZE / 10);
        let mut speed = 0.0_f64;
        // Other work on the machine only adds time: what is slow is measured again.
        for _ in 0..25 {
            speed = speed.max(megabytes_per_second(
                text.len(),
                time(|| scan(&text, detectors)),
            ));
            if speed > 60.0 {
                break;
            }
        }
        if speed < slowest.0 {
            slowest = (speed, unit);
        }
    }
    slowest
}

fn scan(text: &str, detectors: &Detectors) {
    let mut protector = Protector::new(Mode::Mask, detectors);
    black_box(protector.text("metadata.x", black_box(text), Text::Metadata));
}

/// The quickest of several runs of each, in turn: what disturbs only adds.
fn in_turn(first: impl Fn(), second: impl Fn()) -> (Duration, Duration) {
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..21 {
        best = (best.0.min(time(&first)), best.1.min(time(&second)));
    }
    best
}

/// The time of one call of many.
fn per_call(run: impl Fn()) -> Duration {
    const CALLS: u32 = 20_000;
    let round = || (0..CALLS).for_each(|_| run());
    (0..7).map(|_| time(round)).min().unwrap_or_default() / CALLS
}

fn time(run: impl Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn megabytes_per_second(bytes: usize, time: Duration) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a few million")]
    let bytes = bytes as f64;
    bytes / 1e6 / time.as_secs_f64()
}
