//! Promise 1: whatever comes instead of an answer on the allow-list, the body does not begin.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use sernixa::{Client, Error, RiskLevel};

use super::case::{Case, Setup};
use super::documents::{self, right_pending, text};
use super::explore::explore;
use super::rig::{self, action};
use super::shot::Shot;
use crate::support::reply::Reply;
use crate::support::server::Server;

/// Ends every wait with a yes, so that a case in which the client should have stopped shows.
fn approved() -> Shot {
    Shot::json(
        200,
        r#"{"status":"approved","approval_id":"{approval_id}","body_hash":"{body_hash}"}"#,
    )
}

fn claimed() -> Shot {
    Shot::json(200, text(&documents::claimed()))
}

#[test]
fn the_body_runs_exactly_when_the_answer_to_the_submission_is_on_the_allow_list() {
    let cases = || {
        (
            Setup::any(),
            prop::bool::weighted(0.05),
            documents::submission(),
        )
            .prop_map(|(setup, require_claim, shot)| Case {
                setup: Setup {
                    require_claim,
                    ..setup
                },
                submissions: vec![shot],
                records: vec![approved()],
                claims: vec![claimed()],
            })
    };
    explore(
        3_000,
        48,
        cases,
        &[
            "submission: 200 → runs",
            "submission: 200 → waits",
            "submission: 200 → Blocked",
            "submission: 200 → Rejected",
            "submission: 200 → Expired",
            "submission: 200 → Failed",
            "submission: 200 → Replay",
            "submission: 200 → Api",
            "submission: 202 → waits",
            "submission: 202 → Api",
            "submission: 401 → Signature",
            "submission: 401 → Replay",
            "submission: 401 → DelegationScope",
            "submission: 401 → Authentication",
            "submission: 401 → Api",
            "submission: 403 → Signature",
            "submission: 403 → Replay",
            "submission: 403 → DelegationScope",
            "submission: 403 → Blocked",
            "submission: 403 → Api",
            "submission: 429 → RateLimit",
            "submission: 3xx → Api",
            "submission: 5xx → Api",
            "submission: other → Api",
            "submission: broken → Api",
            "submission: late → Timeout",
            "submission: too large → Api",
            "record: 200 → opens",
            "claim: 200 → runs",
        ],
    );
}

#[test]
fn the_body_runs_exactly_when_the_last_answer_after_the_retries_is_on_the_allow_list() {
    let retryable = || {
        prop_oneof![
            4 => prop::sample::select(&[429_u16, 500, 502, 503, 504][..]).prop_map(|status| {
                let mut shot = Shot::json(status, r#"{"status":"accepted"}"#);
                shot.headers.push(("Retry-After".to_owned(), b"0".to_vec()));
                shot
            }),
            1 => documents::submission(),
        ]
    };
    let cases = move || {
        (
            Setup::any(),
            1..=2_usize,
            vec(retryable(), 0..=2),
            documents::submission(),
        )
            .prop_map(|(setup, max_retries, mut submissions, last)| {
                submissions.push(last);
                Case {
                    setup: Setup {
                        max_retries,
                        ..setup
                    },
                    submissions,
                    records: vec![approved()],
                    claims: vec![claimed()],
                }
            })
    };
    explore(
        600,
        48,
        cases,
        &[
            "submission: 200 → runs",
            "submission: 200 → Api",
            "submission: 5xx → Api",
        ],
    );
}

#[test]
fn while_waiting_the_body_runs_exactly_when_the_record_is_an_approval_of_this_call() {
    let pending = || {
        prop_oneof![
            3 => Just(text(&right_pending(false))),
            1 => Just(text(&right_pending(true))),
            1 => Just(br#"{"approval_id":"{approval_id}"}"#.to_vec()),
        ]
    };
    let cases = move || {
        (Setup::any(), pending(), vec(documents::record(), 1..=2)).prop_map(
            |(setup, pending, mut records)| {
                records.push(approved());
                Case {
                    setup,
                    submissions: vec![Shot::json(202, pending)],
                    records,
                    claims: vec![claimed()],
                }
            },
        )
    };
    explore(
        2_000,
        48,
        cases,
        &[
            "record: 200 → opens",
            "record: 200 → keeps waiting",
            "record: 200 → Rejected",
            "record: 200 → Blocked",
            "record: 200 → Expired",
            "record: 200 → Failed",
            "record: 200 → Api",
            "record: 401 → Authentication",
            "record: 403 → DelegationScope",
            "record: 404 → Api",
            "record: 410 → Api",
            "record: 429 → keeps waiting",
            "record: 5xx → keeps waiting",
            "record: broken → keeps waiting",
            "record: late → keeps waiting",
            "record: 3xx → Api",
            "record: other → Api",
        ],
    );
}

/// One low-risk call of a service that answers it with `reply`; whether the body ran.
fn runs_on(reply: &Reply) -> bool {
    let reply = reply.clone();
    let server = Server::start(move |_| reply.clone());
    let builder = Client::builder().environment(|_| None);
    let client = builder
        .base_url(server.url())
        // Where nothing more comes the server says so; a busy machine may take its time.
        .timeout(Duration::from_mins(1))
        .max_retries(0)
        .build()
        .unwrap();
    let mut ran = false;
    let result = client.run(&action("odd", RiskLevel::Low), || {
        ran = true;
        Ok::<_, Error>(())
    });
    assert_eq!(result.is_ok(), ran);
    ran
}

#[test]
fn odd_status_lines_let_nothing_run() {
    let accepted = || Reply::json(200, r#"{"status":"accepted"}"#).close();
    assert!(runs_on(&accepted()));
    assert!(runs_on(&accepted().version("HTTP/1.0")));
    for reason in ["Blocked", "", "No Content"] {
        assert!(
            runs_on(&accepted().reason(reason)),
            "the reason phrase means nothing"
        );
    }
    for version in [
        "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/2", "http/1.1", "ICY", "",
    ] {
        assert!(!runs_on(&accepted().version(version)), "{version}");
    }
    for status in [
        "",
        "2",
        "20",
        "0200",
        "+200",
        "2e2",
        "200.0",
        "-200",
        "\u{ff12}00",
        "200200",
        "OK",
    ] {
        assert!(!runs_on(&accepted().status_text(status)), "{status}");
    }
}

#[test]
fn an_answer_of_a_mebibyte_is_read_and_one_byte_more_is_not() {
    const BODY: &str = r#"{"status":"accepted"}"#;
    let padded = |length| BODY.to_owned() + &" ".repeat(length - BODY.len());
    for deliver in [Reply::chunked, Reply::until_close, Reply::close] {
        assert!(runs_on(&deliver(Reply::json(200, padded(1 << 20)))));
        assert!(!runs_on(&deliver(Reply::json(200, padded((1 << 20) + 1)))));
    }
}

#[test]
fn an_answer_whose_framing_contradicts_itself_lets_nothing_run() {
    const BODY: &str = r#"{"status":"accepted"}"#; // 21 bytes
    let answer = |headers: &str, body: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        Reply::raw(format!("{head}{headers}\r\n\r\n{body}")).close()
    };
    assert!(runs_on(&answer("Content-Length: 21", BODY)));
    for (headers, body) in [
        ("Content-Length: 20", BODY),
        ("Content-Length: 22", BODY),
        ("Content-Length: 21\r\nContent-Length: 20", BODY),
        ("Content-Length: 20\r\nContent-Length: 21", BODY),
        ("Content-Length: +21", BODY),
        ("Content-Length: 0x15", BODY),
        ("Content-Length: 99999999999999999999999", BODY),
        ("Content-Length : 21", BODY),
        ("Content-Length: 21\r\n X-Folded: 1", BODY),
        ("Transfer-Encoding: chunked", BODY),
        (
            "Transfer-Encoding: chunked",
            "15\r\n{\"status\":\"accepted\"}\r\n",
        ),
        (
            "Transfer-Encoding: chunked",
            "14\r\n{\"status\":\"accepted\"}\r\n0\r\n\r\n",
        ),
        (
            "Transfer-Encoding: chunked",
            "fffffffffffffffff\r\n{\"status\":\"accepted\"}\r\n0\r\n\r\n",
        ),
        (
            "Transfer-Encoding: chunked",
            "-15\r\n{\"status\":\"accepted\"}\r\n0\r\n\r\n",
        ),
        ("Content-Encoding: gzip\r\nContent-Length: 21", BODY),
        ("Content-Type: text/html\r\nContent-Length: 21", BODY),
        ("X-Nul: \0\r\nContent-Length: 21", BODY),
    ] {
        assert!(!runs_on(&answer(headers, body)), "{headers} {body}");
    }
}

/// A client that waits for a third of a second, of a service that answers polls as given.
fn waits_in_vain(record: impl Fn() -> Reply + Send + Sync + 'static) -> Error {
    let server = Server::start(move |request| match request.path() {
        "/api/actions/execute" => Reply::json(202, r#"{"approval_id":"a1"}"#),
        _ => record(),
    });
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .poll_interval(Duration::from_millis(50))
        .poll_timeout(Duration::from_millis(300))
        .timeout(Duration::from_mins(1))
        .build()
        .unwrap();
    let begun = Instant::now();
    let result: Result<(), Error> = client.run(&action("in-vain", RiskLevel::Low), || {
        unreachable!("nobody said yes")
    });
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    result.unwrap_err()
}

#[test]
fn the_wait_ends_at_its_timeout_whatever_the_service_does() {
    let answers: [fn() -> Reply; 6] = [
        || Reply::json(200, r#"{"status":"pending_review","approval_id":"a1"}"#),
        || Reply::json(200, r#"{"status":"APPROVED","approval_id":"a1"}"#),
        || Reply::new(503).header("Retry-After", "3600"),
        || Reply::new(429).header("Retry-After", "99999999999999999999999"),
        Reply::hang,
        Reply::reset_unanswered,
    ];
    for answer in answers {
        let error = waits_in_vain(answer);
        assert!(matches!(error, Error::Timeout(_)), "{error}");
        assert_eq!(error.approval_id(), Some("a1"));
    }
}

#[test]
fn a_poll_timeout_of_zero_means_one_look() {
    for (status, runs) in [("approved", true), ("pending_review", false)] {
        let server = Server::start(move |request| match request.path() {
            "/api/actions/execute" => Reply::json(202, r#"{"approval_id":"a1"}"#),
            _ => Reply::json(
                200,
                format!(r#"{{"status":"{status}","approval_id":"a1"}}"#),
            ),
        });
        let client = Client::builder()
            .environment(|_| None)
            .base_url(server.url())
            .poll_timeout(Duration::ZERO)
            .build()
            .unwrap();
        let result = client.run(&action("one-look", RiskLevel::High), || Ok::<_, Error>(()));
        assert_eq!(result.is_ok(), runs, "{result:?}");
        assert_eq!(server.requests_to("GET", "/api/approvals/a1").len(), 1);
    }
}

#[test]
fn a_service_that_nobody_reaches_lets_nothing_run() {
    // A port that was just free: whoever gets it next does not speak HTTP.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = rig::client(&format!("http://{address}"), &Setup::plain());
    let result: Result<(), Error> = client.run(&action("unreachable", RiskLevel::Low), || {
        unreachable!("nobody said yes")
    });
    let error = result.unwrap_err();
    assert!(
        matches!(error, Error::Api(_)) && error.is_retryable(),
        "{error}"
    );
    assert!(
        !error.may_have_been_submitted(),
        "no connection, no submission"
    );
}
