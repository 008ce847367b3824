//! Promises 2 and 3 against a service that lies: no claim, no run; and only this call's own claim.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use sernixa::{Client, Error, RiskLevel};

use super::case::{Case, Setup};
use super::documents::{self, right_pending, text};
use super::explore::{explore, explore_in_turn};
use super::predicate::Kind;
use super::rig::{self, action};
use super::shot::{Delivery, Shot};
use crate::support::latch::Latch;
use crate::support::reply::Reply;
use crate::support::server::{Request, Server};

fn approved() -> Shot {
    let record = r#"{"status":"approved","approval_id":"{approval_id}","body_hash":"{body_hash}"}"#;
    Shot::json(200, record)
}

#[test]
fn the_body_runs_exactly_when_the_claim_is_answered_as_ours() {
    let cases = || {
        (Setup::any(), 0..=1_usize, vec(documents::claim(), 1..=2)).prop_map(
            move |(setup, max_retries, claims)| Case {
                setup: Setup {
                    max_retries,
                    ..setup
                },
                submissions: vec![Shot::json(202, text(&right_pending(true)))],
                records: vec![approved()],
                claims,
            },
        )
    };
    explore(
        1_500,
        48,
        cases,
        &[
            "claim: 200 → runs",
            "claim: 200 → Api",
            "claim: 401 → Authentication",
            "claim: 403 → Blocked",
            "claim: 404 → Api",
            "claim: 409 → Replay",
            "claim: 409 → Expired",
            "claim: 409 → DelegationScope",
            "claim: 409 → Blocked",
            "claim: 409 → Rejected",
            "claim: 409 → Api",
            "claim: 429 → RateLimit",
            "claim: 3xx → Api",
            "claim: 5xx → Api",
            "claim: other → Api",
            "claim: broken → Api",
            "claim: late → Timeout",
            "claim: too large → Api",
        ],
    );
}

#[test]
fn after_a_claim_was_lost_the_next_one_tells() {
    let cases = || {
        let lost = prop_oneof![
            6 => Just(Delivery::Closed),
            6 => Just(Delivery::Reset),
            1 => Just(Delivery::Hang),
            6 => any::<u8>().prop_map(Delivery::CutBody),
        ];
        (Setup::any(), lost, documents::claim()).prop_map(|(setup, lost, second)| Case {
            setup: Setup {
                max_retries: 1,
                ..setup
            },
            submissions: vec![Shot::json(202, text(&right_pending(true)))],
            records: vec![approved()],
            claims: vec![
                Shot::json(200, text(&documents::claimed())).by(lost),
                second,
            ],
        })
    };
    explore(
        200,
        48,
        cases,
        &["claim: 200 → runs", "claim: 409 → Replay"],
    );
}

#[test]
fn a_client_takes_no_less_than_it_was_ever_offered() {
    let cases = || {
        let submissions = prop_oneof![
            2 => Just(Shot::json(200, r#"{"status":"accepted"}"#)),
            1 => Just(Shot::json(200, r#"{"status":"accepted","capabilities":["claim"]}"#)),
            1 => Just(Shot::json(202, text(&right_pending(false)))),
            1 => Just(Shot::json(202, text(&right_pending(true)))),
            3 => documents::submission(),
        ];
        vec((Setup::any(), submissions), 2..=4).prop_map(|calls| {
            let case = |(setup, shot)| Case {
                // One client: the call's own settings differ, the client's do not.
                setup: Setup {
                    accept_immediate_high_risk: false,
                    ..setup
                },
                submissions: vec![shot],
                records: vec![approved()],
                claims: vec![Shot::json(200, text(&documents::claimed()))],
            };
            calls.into_iter().map(case).collect()
        })
    };
    explore_in_turn(
        400,
        48,
        cases,
        &[
            "submission: 200 → runs",
            "submission: 202 → waits",
            "submission: 202 → Api",
        ],
    );
}

/// A service that claims, as DESIGN 7 has it; each part can be replaced.
struct Service {
    submit: Box<dyn Fn(&Ask) -> Reply + Send + Sync>,
    record: Box<dyn Fn(&Ask) -> Reply + Send + Sync>,
    claim: Box<dyn Fn(&Ask) -> Reply + Send + Sync>,
}

/// A request, and what a right answer to it echoes.
struct Ask<'a> {
    request: &'a Request,
    request_id: String,
    body_hash: String,
    claim_id: String,
}

impl Ask<'_> {
    fn pending(&self) -> Value {
        json!({
            "status": "pending_review", "approval_id": "a1", "claim_token": "t1",
            "capabilities": ["claim", "outcome", "withdraw"],
            "request_id": self.request_id, "body_hash": self.body_hash,
        })
    }

    fn record(&self, status: &str) -> Value {
        json!({"approval_id": "a1", "status": status, "body_hash": self.body_hash, "decision_reason": "so it is"})
    }

    fn claimed(&self) -> Value {
        json!({"status": "claimed", "approval_id": "a1", "claim_id": self.claim_id, "body_hash": self.body_hash})
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::json(status, body.to_string())
}

impl Service {
    fn right() -> Self {
        Self {
            submit: Box::new(|ask| reply(202, &ask.pending())),
            record: Box::new(|ask| reply(200, &ask.record("approved"))),
            claim: Box::new(|ask| reply(200, &ask.claimed())),
        }
    }

    fn submit(self, answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            submit: Box::new(answer),
            ..self
        }
    }

    fn record(self, answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            record: Box::new(answer),
            ..self
        }
    }

    fn claim(self, answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            claim: Box::new(answer),
            ..self
        }
    }

    fn start(self) -> Server {
        let last = std::sync::Mutex::new(Value::Null);
        Server::start(move |request| {
            let path = request.path();
            if path == "/api/actions/execute" {
                *last.lock().unwrap() = request.json();
            }
            let submission = last.lock().unwrap().clone();
            let claim_id = if path.ends_with("/claim") {
                request.json()["claim_id"].clone()
            } else {
                Value::Null
            };
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let ask = Ask {
                request,
                request_id: word(&submission["request_id"]),
                body_hash: rig::body_hash(&submission),
                claim_id: word(&claim_id),
            };
            match path {
                "/api/actions/execute" => (self.submit)(&ask),
                "/api/approvals/a1" => (self.record)(&ask),
                "/api/approvals/a1/claim" => (self.claim)(&ask),
                "/api/approvals/a1/withdraw" | "/api/approvals/outcomes" => Reply::json(200, "{}"),
                // Offered, and not to be had: the client looks at the record.
                "/api/approvals/events" => Reply::json(404, "{}"),
                _ => panic!("{} {}", request.method, request.target),
            }
        })
    }
}

fn run(client: &Client, risk: RiskLevel) -> Result<(), Error> {
    let ran = AtomicUsize::new(0);
    let result = client.run(&action("claimed", risk), || {
        ran.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(ran.into_inner(), usize::from(result.is_ok()));
    result
}

fn plain(server: &Server) -> Client {
    rig::client(&server.url(), &Setup::plain())
}

/// A client that gives each request a second, and one more try.
fn impatient(server: &Server) -> Client {
    Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .timeout(Duration::from_secs(1))
        .max_retries(1)
        .build()
        .unwrap()
}

#[track_caller]
fn refused(result: Result<(), Error>, kind: Kind) -> Error {
    let error = result.expect_err("the body ran");
    assert_eq!(Kind::of(&error), Some(kind), "{error}");
    error
}

/// The first outcome that the service is told of, in the background.
fn told(server: &Server) -> Value {
    let report = server.wait_for("POST", "/api/approvals/outcomes", 1).json();
    report["outcomes"][0].clone()
}

#[test]
fn a_right_claim_names_token_hash_and_a_random_id_and_the_outcome_is_told() {
    let server = Service::right().start();
    let client = plain(&server);
    run(&client, RiskLevel::Critical).unwrap();
    run(&client, RiskLevel::Low).unwrap();
    let claims = server.requests_to("POST", "/api/approvals/a1/claim");
    let [first, second] = claims.as_slice() else {
        panic!("{claims:?}")
    };
    let (first, second) = (first.json(), second.json());
    assert_eq!(first["claim_token"], "t1");
    let submission = server.requests_to("POST", "/api/actions/execute")[0].json();
    assert_eq!(first["body_hash"], rig::body_hash(&submission));
    let id = first["claim_id"].as_str().unwrap();
    assert!(
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        "128 random bits: {id}"
    );
    assert_ne!(
        first["claim_id"], second["claim_id"],
        "made once per started call"
    );

    let report = told(&server);
    assert_eq!(report["outcome"], "succeeded");
    assert_eq!(report["approval_id"], "a1");
    assert_eq!(report["claim_token"], "t1");
    assert!(report["duration_ms"].is_number(), "{report}");
}

#[test]
fn every_word_of_a_409_has_its_error_and_the_service_hears_not_started() {
    let words = [
        ("invalid_claim_token", Kind::Replay),
        ("superseded", Kind::Replay),
        ("already_claimed", Kind::Replay),
        ("body_mismatch", Kind::Api),
        ("expired", Kind::Expired),
        ("revoked_token", Kind::DelegationScope),
        ("expired_token", Kind::DelegationScope),
        ("policy_changed", Kind::Blocked),
        ("rejected", Kind::Rejected),
        ("blocked", Kind::Blocked),
        ("approved", Kind::Api),
        ("claimed", Kind::Api),
        ("", Kind::Api),
    ];
    for (word, kind) in words {
        let server = Service::right()
            .claim(move |_| {
                reply(
                    409,
                    &json!({"detail": {"status": word, "reason": "because"}}),
                )
            })
            .start();
        let client = plain(&server);
        let error = refused(run(&client, RiskLevel::High), kind);
        assert_eq!(error.approval_id(), Some("a1"), "{word}");
        assert_eq!(told(&server)["outcome"], "not_started", "{word}");
        assert_eq!(
            server.requests_to("POST", "/api/approvals/a1/claim").len(),
            1,
            "{word} is final"
        );
    }
}

#[test]
fn a_lost_claim_is_asked_again_with_the_same_claim_id() {
    let lost: [fn() -> Reply; 4] = [
        Reply::close_unanswered,
        Reply::reset_unanswered,
        Reply::hang,
        || Reply::new(503),
    ];
    for lost in lost {
        let server = Service::right()
            .claim(move |ask| {
                if ask.request.nth == 1 {
                    lost()
                } else {
                    reply(200, &ask.claimed())
                }
            })
            .start();
        let client = impatient(&server);
        run(&client, RiskLevel::High).unwrap();
        let claims = server.requests_to("POST", "/api/approvals/a1/claim");
        assert_eq!(claims.len(), 2);
        assert_eq!(claims[0].body, claims[1].body);
    }
}

#[test]
fn a_claim_that_is_never_answered_lets_nothing_run_and_reports_not_started() {
    let server = Service::right().claim(|_| Reply::hang()).start();
    let client = impatient(&server);
    let error = refused(run(&client, RiskLevel::Low), Kind::Timeout);
    assert_eq!(error.approval_id(), Some("a1"));
    assert_eq!(told(&server)["outcome"], "not_started");
}

#[test]
fn a_claim_of_another_approval_call_or_body_lets_nothing_run() {
    let wrong: [(&str, Value); 9] = [
        ("claim_id", json!("0".repeat(32))),
        ("claim_id", Value::Null),
        ("approval_id", json!("a2")),
        ("approval_id", json!(["a1"])),
        ("body_hash", json!("0".repeat(64))),
        ("body_hash", Value::Null),
        ("status", json!("approved")),
        ("status", json!("CLAIMED")),
        ("status", json!(true)),
    ];
    for (key, value) in wrong {
        let shown = format!("{key}: {value}");
        let server = Service::right()
            .claim(move |ask| {
                let mut body = ask.claimed();
                body[key] = value.clone();
                reply(200, &body)
            })
            .start();
        let client = plain(&server);
        let error = run(&client, RiskLevel::Low).expect_err(&shown);
        assert_eq!(Kind::of(&error), Some(Kind::Api), "{shown}");
        assert_eq!(told(&server)["outcome"], "not_started", "{shown}");
    }
}

#[test]
fn another_success_status_is_no_claim() {
    for status in [201, 202, 203, 204, 206] {
        let server = Service::right()
            .claim(move |ask| reply(status, &ask.claimed()))
            .start();
        refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
    }
}

#[test]
fn capabilities_that_vanish_in_the_middle_of_a_wait_change_nothing_for_the_waiting_call() {
    let server = Service::right()
        .record(|ask| {
            let mut record = ask.record("approved");
            record["capabilities"] = json!([]);
            reply(200, &record)
        })
        .claim(|_| reply(404, &json!({"detail": "Not Found"})))
        .start();
    refused(run(&plain(&server), RiskLevel::High), Kind::Api);
    assert_eq!(
        server.requests_to("POST", "/api/approvals/a1/claim").len(),
        1
    );
}

#[test]
fn a_client_that_was_once_offered_claims_takes_no_less() {
    let submissions: [fn(&Ask) -> Reply; 3] = [
        |_| Reply::json(200, r#"{"status":"accepted"}"#),
        |ask| {
            reply(
                202,
                &json!({"approval_id": "a1", "body_hash": ask.body_hash, "capabilities": []}),
            )
        },
        |_| {
            Reply::json(
                200,
                r#"{"status":"pending","approval_id":"a1","capabilities":["events"]}"#,
            )
        },
    ];
    for less in submissions {
        let server = Service::right()
            .submit(move |ask| {
                if ask.request.nth == 1 {
                    reply(202, &ask.pending())
                } else {
                    less(ask)
                }
            })
            .start();
        let client = plain(&server);
        run(&client, RiskLevel::Low).unwrap();
        refused(run(&client, RiskLevel::Low), Kind::Api);
        refused(run(&client.clone(), RiskLevel::Low), Kind::Api);
        // Another client has its own memory; these answers are right for the plain protocol.
        run(&plain(&server), RiskLevel::Low).unwrap();
    }
}

#[test]
fn claims_offered_by_an_allow_count_as_offered() {
    let server = Service::right()
        .submit(|ask| match ask.request.nth {
            1 | 3 => Reply::json(200, r#"{"status":"accepted","capabilities":["claim"]}"#),
            _ => Reply::json(200, r#"{"status":"accepted"}"#),
        })
        .start();
    let client = plain(&server);
    run(&client, RiskLevel::Low).unwrap();
    refused(run(&client, RiskLevel::Low), Kind::Api);
    run(&client, RiskLevel::Low).unwrap();
}

#[test]
fn a_downgrade_seen_by_one_call_does_not_free_another_that_waits() {
    let decided = Latch::new();
    let server = {
        let decided = decided.clone();
        Service::right()
            .submit(|ask| {
                if ask.request.nth == 1 {
                    reply(202, &ask.pending())
                } else {
                    Reply::json(200, r#"{"status":"accepted"}"#)
                }
            })
            .record(move |ask| {
                // Bare of everything but what the 202 carried.
                let status = if decided.is_open() {
                    "approved"
                } else {
                    "pending_review"
                };
                reply(200, &ask.record(status))
            })
            .start()
    };
    let client = plain(&server);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&client, RiskLevel::Low));
        server.wait_for("GET", "/api/approvals/a1", 1);
        refused(run(&client, RiskLevel::Low), Kind::Api);
        decided.open();
        // The same action again: the waiting call's record and claim are right to the last byte.
        waiting.join().unwrap().unwrap();
    });
    assert_eq!(
        server.requests_to("POST", "/api/approvals/a1/claim").len(),
        1
    );
}

#[test]
fn require_claim_refuses_a_service_that_offers_none() {
    let bare: [fn(&Ask) -> Reply; 3] = [
        |_| Reply::json(200, r#"{"status":"accepted"}"#),
        |_| Reply::json(202, r#"{"approval_id":"a1"}"#),
        |_| Reply::json(200, r#"{"status":"executed"}"#),
    ];
    let setup = Setup {
        require_claim: true,
        ..Setup::plain()
    };
    for bare in bare {
        let server = Service::right().submit(bare).start();
        refused(
            run(&rig::client(&server.url(), &setup), RiskLevel::Low),
            Kind::Api,
        );
        assert_eq!(server.requests().len(), 1, "nothing more is asked of it");
    }
    let server = Service::right().start();
    run(&rig::client(&server.url(), &setup), RiskLevel::Low).unwrap();
}

#[test]
fn a_claim_offered_without_a_token_that_is_text_is_refused() {
    for token in [
        Value::Null,
        json!(1),
        json!(["t"]),
        json!({"t": 1}),
        json!(true),
    ] {
        let server = Service::right()
            .submit(move |ask| {
                let mut pending = ask.pending();
                pending["claim_token"] = token.clone();
                reply(202, &pending)
            })
            .start();
        refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
    }
    let server = Service::right()
        .submit(|ask| {
            let mut pending = ask.pending();
            pending.as_object_mut().unwrap().remove("claim_token");
            reply(202, &pending)
        })
        .start();
    refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
}

#[test]
fn executed_runs_for_the_plain_protocol_and_is_a_replay_for_one_with_claims() {
    let plainly = Service::right()
        .submit(|_| Reply::json(200, r#"{"status":"executed"}"#))
        .start();
    run(&plain(&plainly), RiskLevel::Low).unwrap();
    refused(run(&plain(&plainly), RiskLevel::High), Kind::Api);

    let claiming = Service::right()
        .submit(|_| Reply::json(200, r#"{"status":"executed","capabilities":["claim"]}"#))
        .start();
    refused(run(&plain(&claiming), RiskLevel::Low), Kind::Replay);
    refused(run(&plain(&claiming), RiskLevel::High), Kind::Replay);
}

#[test]
fn auto_approved_or_executed_while_a_grave_call_waits_does_not_open_it() {
    for word in ["auto_approved", "executed"] {
        let server = Service::right()
            .record(move |ask| reply(200, &ask.record(word)))
            .start();
        refused(run(&plain(&server), RiskLevel::High), Kind::Api);
        refused(run(&plain(&server), RiskLevel::Critical), Kind::Api);
        assert!(
            server
                .requests_to("POST", "/api/approvals/a1/claim")
                .is_empty(),
            "{word}"
        );
        run(&plain(&server), RiskLevel::Medium).unwrap();
        let accepting = Setup {
            accept_immediate_high_risk: true,
            ..Setup::plain()
        };
        run(&rig::client(&server.url(), &accepting), RiskLevel::Critical).unwrap();
    }
}

#[test]
fn a_record_of_another_approval_or_body_ends_the_wait() {
    let wrong = [
        ("approval_id", json!("a2")),
        ("approval_id", Value::Null),
        ("approval_id", json!("A1")),
        ("body_hash", json!("0".repeat(64))),
        ("body_hash", Value::Null),
        ("body_hash", json!(1)),
    ];
    for (key, value) in wrong {
        for status in ["approved", "pending_review", "rejected"] {
            let value = value.clone();
            let server = Service::right()
                .record(move |ask| {
                    let mut record = ask.record(status);
                    record[key] = value.clone();
                    reply(200, &record)
                })
                .start();
            let error = refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
            assert_eq!(error.approval_id(), Some("a1"), "{key}");
            assert!(
                server
                    .requests_to("POST", "/api/approvals/a1/claim")
                    .is_empty(),
                "{key}"
            );
        }
    }
}

#[test]
fn an_approval_id_that_is_a_dot_segment_is_never_put_into_a_path() {
    for id in [".", "..", "", "\\u002e", "\\u002e."] {
        for status in [200, 202] {
            let body = format!(r#"{{"status":"pending_review","approval_id":"{id}"}}"#);
            let server = Service::right()
                .submit(move |_| Reply::json(status, body.clone()))
                .start();
            refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
            assert_eq!(server.requests().len(), 1, "{id}");
        }
    }
}

#[test]
fn an_answer_to_somebody_elses_request_is_refused() {
    for status in ["accepted", "pending_review"] {
        for id in [json!("f".repeat(32)), json!(7), json!({}), json!("")] {
            let body = json!({"status": status, "approval_id": "a1", "request_id": id});
            let server = Service::right().submit(move |_| reply(200, &body)).start();
            refused(run(&plain(&server), RiskLevel::Low), Kind::Api);
        }
    }
}

/// A client that looks once and gives up.
fn hasty(server: &Server) -> Client {
    Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .poll_interval(Duration::from_millis(50))
        .poll_timeout(Duration::from_millis(120))
        .build()
        .unwrap()
}

#[test]
fn a_wait_that_times_out_withdraws_by_its_token() {
    let server = Service::right()
        .record(|ask| reply(200, &ask.record("pending_review")))
        .start();
    let client = hasty(&server);
    let error = refused(run(&client, RiskLevel::Low), Kind::Timeout);
    assert_eq!(error.approval_id(), Some("a1"));
    let withdrawn = server
        .wait_for("POST", "/api/approvals/a1/withdraw", 1)
        .json();
    assert_eq!(withdrawn["claim_token"], "t1");
    client.close_blocking();
    assert!(
        server
            .requests_to("POST", "/api/approvals/a1/claim")
            .is_empty()
    );
}

#[test]
fn a_wait_that_can_be_resumed_is_never_withdrawn() {
    let server = Service::right()
        .submit(|ask| {
            let mut pending = ask.pending();
            pending["capabilities"] = json!(["claim", "withdraw", "resume"]);
            reply(202, &pending)
        })
        .record(|ask| reply(200, &ask.record("pending_review")))
        .start();
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .poll_timeout(Duration::ZERO)
        .binding_key("sixteen bytes at least".to_owned())
        .build()
        .unwrap();
    let resumable = action("resumable", RiskLevel::Low)
        .arguments(vec![("n".to_owned(), json!(1))])
        .resume_key("job-1");
    let result = client.run(&resumable, || unreachable!("nobody decided"));
    refused(result, Kind::Timeout);
    client.close_blocking();
    assert!(
        server
            .requests_to("POST", "/api/approvals/a1/withdraw")
            .is_empty()
    );
}

#[test]
fn a_service_that_does_not_offer_withdraw_is_not_asked_to() {
    let server = Service::right()
        .submit(|ask| {
            let mut pending = ask.pending();
            pending["capabilities"] = json!(["claim"]);
            reply(202, &pending)
        })
        .record(|ask| reply(200, &ask.record("pending_review")))
        .start();
    let client = hasty(&server);
    refused(run(&client, RiskLevel::Low), Kind::Timeout);
    client.close_blocking();
    assert!(
        server
            .requests_to("POST", "/api/approvals/a1/withdraw")
            .is_empty()
    );
    assert!(
        server
            .requests_to("POST", "/api/approvals/outcomes")
            .is_empty()
    );
}

#[tokio::test]
async fn a_dropped_wait_withdraws_by_its_token_and_never_runs() {
    let server = Arc::new(
        Service::right()
            .record(|ask| reply(200, &ask.record("pending_review")))
            .start(),
    );
    let client = plain(&server);
    let call = tokio::spawn({
        let client = client.clone();
        async move {
            let action = action("dropped", RiskLevel::Low);
            client
                .run_async(&action, || async { unreachable!("it was dropped") })
                .await as Result<(), Error>
        }
    });
    let watched = Arc::clone(&server);
    tokio::task::spawn_blocking(move || watched.wait_for("GET", "/api/approvals/a1", 1))
        .await
        .unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let watched = Arc::clone(&server);
    let withdrawn = tokio::task::spawn_blocking(move || {
        watched.wait_for("POST", "/api/approvals/a1/withdraw", 1)
    });
    assert_eq!(withdrawn.await.unwrap().json()["claim_token"], "t1");
}
