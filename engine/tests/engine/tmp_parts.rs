use crate::support::Draft;
use std::hint::black_box;
use std::time::Instant;
fn t<T>(what: &str, mut f: impl FnMut() -> T) {
    for _ in 0..2000 {
        black_box(f());
    }
    let n = 20000;
    let b = Instant::now();
    for _ in 0..n {
        black_box(f());
    }
    println!("{what}: {} ns", b.elapsed().as_nanos() / n);
}
#[test]
#[ignore]
fn parts() {
    let body = Draft::read()
        .digest(7)
        .meta(
            "idempotency_key",
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706",
        )
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .meta("args_count", 2)
        .meta("arguments_captured", false)
        .nonce(3)
        .body();
    let b = body.as_str();
    t("document", || {
        sernixa_protocol::json::Document::parse(b).unwrap()
    });
    t("received", || {
        sernixa_protocol::submission::Received::parse(b).unwrap()
    });
    let r = sernixa_protocol::submission::Received::parse(b).unwrap();
    t("canonicalize", || {
        sernixa_protocol::canonicalize(&r.metadata).unwrap()
    });
    t("sha body", || sernixa_engine::Digest::of(b.as_bytes()));
    t("secrets", || {
        sernixa_protocol::secrets::find(r.canonical_metadata())
    });
    t("fph", || r.fingerprint_hash());
    t("parts", || {
        sernixa_engine::Digest::of_parts("x", &[b"abc", b"def", &[1; 32]])
    });
    let bench = crate::support::Bench::local();
    let caller = sernixa_engine::Principal::local();
    t("moment", || bench.moment());
    let ask = Draft::read().top("intent_id", 5).body();
    t("contract fault", || {
        bench.engine.handle(
            &caller,
            sernixa_engine::Request::Submit { body: &ask },
            bench.moment(),
        )
    });
    t("retry", || {
        bench.engine.handle(
            &caller,
            sernixa_engine::Request::Submit { body: b },
            bench.moment(),
        )
    });
    let none = Draft::read()
        .digest(7)
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .body();
    t("no nonce", || {
        bench.engine.handle(
            &caller,
            sernixa_engine::Request::Submit { body: &none },
            bench.moment(),
        )
    });
}
#[test]
#[ignore]
fn looped() {
    let body = Draft::read()
        .digest(7)
        .meta(
            "idempotency_key",
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706",
        )
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .meta("args_count", 2)
        .meta("arguments_captured", false)
        .nonce(3)
        .body();
    for _ in 0..400_000 {
        black_box(sernixa_protocol::submission::Received::parse(&body).unwrap());
    }
}
#[test]
#[ignore]
fn handled() {
    let d = Draft::read()
        .digest(7)
        .meta(
            "idempotency_key",
            "7db986df186b3e77ac663b2b1cb488b0b32415121a0a09a04fe66ea052a97706",
        )
        .meta("summary", "read the invoice inv_1 of customer 1234")
        .meta("args_count", 2)
        .meta("arguments_captured", false)
        .top("nonce", "@@");
    let body = d.body();
    let bench = crate::support::Bench::local();
    let caller = sernixa_engine::Principal::local();
    let at = body.find("@@").unwrap();
    for i in 0..std::env::var("N").map_or(100_000, |n| n.parse().unwrap()) as u32 {
        let b = format!("{}{:032x}{}", &body[..at], i, &body[at + 2..]);
        black_box(bench.engine.handle(
            &caller,
            sernixa_engine::Request::Submit { body: &b },
            bench.moment(),
        ));
    }
}
