//! `Gateway`: one question before an agent's run, and runtime evidence where it is asked for.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::gateway::Gateway;
use sernixa::logging::Verbosity;
use sernixa::testing::TestGate;
use sernixa::{Client, DataSensitivity, Error, OperationClass, RiskLevel};

use crate::support::reply::Reply;
use crate::support::server::{Request, Server};
use crate::support::service::SUBMIT;

const READY: &str = "/ready";

/// A service that is ready in this way, and allows everything.
fn service(ready: Reply) -> Server {
    Server::start(move |request| match request.path() {
        READY => ready.clone(),
        SUBMIT => Reply::json(200, r#"{"status":"accepted"}"#),
        other => panic!("nobody should ask for {other}"),
    })
}

fn client(url: &str) -> Client {
    Client::builder()
        .environment(|_| None)
        .base_url(url)
        .access_token("the-token")
        .max_retries(3)
        .build()
        .unwrap()
}

/// Runs through both doors, which must say the same; whether the agent ran.
fn run(gateway: &Gateway) -> Result<(), Error> {
    let blocking_ran = Cell::new(false);
    let blocking = gateway.run(|| {
        blocking_ran.set(true);
        Ok::<_, Error>(())
    });
    let async_ran = AtomicBool::new(false);
    let asynchronous = pollster::block_on(gateway.run_async(|| async {
        async_ran.store(true, Ordering::Relaxed);
        Ok::<_, Error>(())
    }));
    assert_eq!(blocking_ran.get(), blocking.is_ok(), "{blocking:?}");
    assert_eq!(async_ran.into_inner(), asynchronous.is_ok());
    match (&blocking, &asynchronous) {
        (Ok(()), Ok(())) => {}
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("the doors differ: {one:?}, {other:?}"),
    }
    blocking
}

/// The metadata that the gateway itself writes.
fn own(metadata: &serde_json::Map<String, Value>) -> Value {
    let names = [
        "sernixa_gateway",
        "mcp_profile",
        "enforce_ebpf",
        "runtime_evidence_required",
    ];
    let found = names.map(|name| (name.to_owned(), metadata[name].clone()));
    Value::Object(found.into_iter().collect())
}

#[test]
fn a_run_is_submitted_as_the_reference_submits_it() {
    let gate = TestGate::new().approve("agent-run");
    let client = gate.client().unwrap();
    gate.scope(|| run(&Gateway::new(&client))).unwrap();
    let asked = gate.submissions();
    let [one, other] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(one.body_hash(), other.body_hash());
    assert_eq!(one.action_id(), "gateway:default");
    assert_eq!(one.risk_level(), RiskLevel::Medium);
    let metadata = one.metadata();
    assert_eq!(metadata["operation_class"], "agent_run");
    assert_eq!(metadata["data_sensitivity"], "internal");
    assert_eq!(metadata["systems_touched"], json!(["mcp"]));
    assert_eq!(
        own(metadata),
        json!({"sernixa_gateway": true, "mcp_profile": "default", "enforce_ebpf": false,
               "runtime_evidence_required": "not_required"})
    );
}

#[test]
fn everything_can_be_said_otherwise_but_what_the_gateway_says_itself() {
    let gate = TestGate::new().approve("nightly");
    let client = gate.client().unwrap();
    let gateway = Gateway::new(&client)
        .mcp_profile("research")
        .intent_id("nightly")
        .risk(RiskLevel::High)
        .class(OperationClass::Deploy)
        .sensitivity(DataSensitivity::Confidential)
        .systems(["cluster"])
        .summary("the nightly run")
        .arguments(vec![("input".into(), json!("go"))])
        .enforce_ebpf(true)
        .metadata([
            ("team", "ops"),
            ("sernixa_gateway", "no"),
            ("mcp_profile", "harmless"),
            ("enforce_ebpf", "false"),
            ("runtime_evidence_required", "not_required"),
        ]);
    gate.scope(|| run(&gateway)).unwrap();
    let asked = gate.submissions();
    assert_eq!(asked[0].action_id(), "gateway:research");
    assert_eq!(asked[0].risk_level(), RiskLevel::High);
    let metadata = asked[0].metadata();
    assert_eq!(metadata["team"], "ops");
    assert_eq!(metadata["operation_class"], "deploy");
    assert_eq!(metadata["data_sensitivity"], "confidential");
    assert_eq!(metadata["systems_touched"], json!(["cluster"]));
    assert_eq!(metadata["summary"], "the nightly run");
    assert_eq!(metadata["args_count"], 1);
    assert!(metadata["arguments_digest"].is_string());
    assert_eq!(
        own(metadata),
        json!({"sernixa_gateway": true, "mcp_profile": "research", "enforce_ebpf": true,
               "runtime_evidence_required": "flight_recorder"})
    );
    let unnamed = Gateway::new(&client).mcp_profile("").intent_id("nightly");
    gate.scope(|| run(&unnamed)).unwrap();
    assert_eq!(gate.submissions()[2].action_id(), "gateway:default");
}

#[test]
fn a_refused_run_does_not_begin() {
    let gate = TestGate::new().refuse("agent-run", "not tonight");
    let client = gate.client().unwrap();
    let error = gate.scope(|| run(&Gateway::new(&client))).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
}

#[test]
fn without_enforce_ebpf_nobody_looks_at_the_readiness() {
    let server = service(Reply::new(500));
    let client = client(&server.url());
    run(&Gateway::new(&client)).unwrap();
    client.close_blocking();
    assert_eq!(server.requests_to("GET", READY).len(), 0);
}

#[test]
fn the_readiness_is_looked_up_before_every_submission_with_the_credential() {
    let server = service(Reply::json(
        200,
        r#"{"status":"ready","checks":{"flight_recorder":{"enabled":true}}}"#,
    ));
    let client = client(&server.url());
    let gateway = Gateway::new(&client).enforce_ebpf(true);
    run(&gateway).unwrap();
    run(&gateway).unwrap();
    client.close_blocking();
    let seen = server.requests();
    let paths: Vec<_> = seen.iter().map(Request::path).collect();
    assert_eq!(
        paths,
        [READY, SUBMIT].repeat(4),
        "one look before each of the four"
    );
    assert!(
        seen.iter()
            .all(|request| request.header("authorization") == Some("Bearer the-token"))
    );
}

/// Readiness documents that let a run go on.
const GOOD: &[&str] = &[
    r#"{"status":"ready","checks":{"flight_recorder":{"enabled":true}}}"#,
    r#"{"status":"ready","checks":{"configuration":{"snapshot":{"flight_recorder":{"enabled":true}}}}}"#,
    // One of the two is enough.
    r#"{"status":"ready","runtime_mode":"production_like","checks":{"flight_recorder":{"enabled":false},
        "configuration":{"snapshot":{"flight_recorder":{"enabled":true}}}}}"#,
    // A demonstration.
    r#"{"status":"ready","runtime_mode":"local_demo"}"#,
    r#"{"status":"ready","runtime_mode":"local_demo","checks":{"flight_recorder":{"enabled":false}}}"#,
    r#"{"status":"ready","checks":{"configuration":{"snapshot":{"runtime_mode":"local_demo"}}}}"#,
    r#"{"status":"ready","runtime_mode":"","checks":{"configuration":{"snapshot":{"runtime_mode":"local_demo"}}}}"#,
    r#"{"status":"ready","runtime_mode":null,"checks":{"configuration":{"snapshot":{"runtime_mode":"local_demo"}}}}"#,
];

#[test]
fn a_ready_service_with_a_flight_recorder_passes_and_so_does_a_demonstration() {
    for good in GOOD {
        let server = service(Reply::json(200, *good));
        let client = client(&server.url());
        run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_or_else(|e| panic!("{good}: {e}"));
        client.close_blocking();
    }
}

#[test]
fn what_is_not_ready_never_passes_though_its_recorder_is_enabled() {
    let enabled = r#""checks":{"flight_recorder":{"enabled":true}}"#;
    let with = |status: &str| format!("{{\"status\":{status},{enabled}}}");
    let mut bad: Vec<(u16, String)> = [
        r#""not_ready""#,
        r#""READY""#,
        r#"" ready""#,
        r#""ok""#,
        r#""""#,
        "null",
        "true",
        r#"["ready"]"#,
    ]
    .map(|word| (200, with(word)))
    .into();
    bad.push((200, format!("{{{enabled}}}")));
    for status in [201, 302, 400, 401, 403, 404, 429, 500, 502, 503] {
        bad.push((status, with(r#""ready""#)));
    }
    for (status, body) in bad {
        let server = service(Reply::json(status, body.clone()).header("Retry-After", "0"));
        let client = client(&server.url());
        let error = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
        client.close_blocking();
        let what = format!("{status} {body}: {error}");
        assert!(matches!(error, Error::Configuration(_)), "{what}");
        assert_eq!(error.status_code().unwrap_or(200), status, "{what}");
        assert_eq!(server.requests_to("POST", SUBMIT).len(), 0, "{body}");
        // Not tried again: one look by each door.
        assert_eq!(server.requests_to("GET", READY).len(), 2, "{body}");
    }
}

#[test]
fn a_recorder_that_is_not_plainly_enabled_never_passes() {
    for checks in [
        "{}",
        "null",
        "[]",
        r#"{"flight_recorder":null}"#,
        r#"{"flight_recorder":true}"#,
        r#"{"flight_recorder":{}}"#,
        r#"{"flight_recorder":{"enabled":false}}"#,
        r#"{"flight_recorder":{"enabled":"true"}}"#,
        r#"{"flight_recorder":{"enabled":1}}"#,
        r#"{"flight_recorder":{"Enabled":true}}"#,
        r#"{"flight_recorder":[{"enabled":true}]}"#,
        r#"{"configuration":{"flight_recorder":{"enabled":true}}}"#,
        r#"{"configuration":{"snapshot":"local_demo"}}"#,
    ] {
        for mode in [
            r#""production_like""#,
            r#""LOCAL_DEMO""#,
            r#"["local_demo"]"#,
            "0",
        ] {
            let body = format!(r#"{{"status":"ready","runtime_mode":{mode},"checks":{checks}}}"#);
            let server = service(Reply::json(200, body.clone()));
            let client = client(&server.url());
            let error = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
            client.close_blocking();
            assert!(matches!(error, Error::Configuration(_)), "{body}: {error}");
            assert!(error.to_string().contains("Flight Recorder"), "{error}");
            assert_eq!(server.requests_to("POST", SUBMIT).len(), 0, "{body}");
        }
    }
}

#[test]
fn what_is_no_readiness_document_never_passes() {
    let good = GOOD[0];
    let twice = format!("{},\"status\":\"ready\"}}", &good[..good.len() - 1]);
    for (reply, api) in [
        // Not JSON, or not said to be.
        (
            Reply::new(200)
                .body(good)
                .header("Content-Type", "text/html"),
            true,
        ),
        (Reply::new(200).body(good), true),
        (Reply::json(200, ""), true),
        (Reply::new(204), true),
        (Reply::json(200, "ready"), true),
        (Reply::json(200, "{\"status\":\"ready\""), true),
        (
            Reply::json(200, &b"{\"status\":\"ready\",\"x\":\"\xff\"}"[..]),
            true,
        ),
        // Of two meanings.
        (Reply::json(200, twice), true),
        // A failure that says nothing of readiness.
        (Reply::json(503, r#"{"status":"ready"}"#), true),
        (Reply::json(401, r#"{"detail":"no"}"#), true),
        (
            Reply::json(302, "{}").header("Location", "/ready?again"),
            true,
        ),
        // JSON, but no object.
        (Reply::json(200, "[]"), false),
        (Reply::json(200, "\"ready\""), false),
        (Reply::json(200, "null"), false),
        (Reply::json(500, "[]"), false),
        // No answer at all.
        (Reply::close_unanswered(), false),
        (Reply::reset_unanswered(), false),
        (Reply::json(200, good).cut_body_at(20), false),
        (Reply::json(200, vec![b' '; 1 << 21]), false),
    ] {
        let what = format!("{reply:?}");
        let what: String = what.chars().take(300).collect();
        let server = service(reply);
        let client = client(&server.url());
        let error = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
        client.close_blocking();
        if api {
            assert!(matches!(error, Error::Api(_)), "{what}: {error}");
        } else {
            assert!(matches!(error, Error::Configuration(_)), "{what}: {error}");
        }
        assert_eq!(server.requests_to("POST", SUBMIT).len(), 0, "{what}");
    }
}

#[test]
fn a_service_that_is_not_there_never_passes() {
    // Nothing listens on a port that was free a moment ago.
    let url = Server::start(|_| Reply::new(500)).url();
    let client = client(&url);
    let error = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
    client.close_blocking();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    let closed = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
}

#[test]
fn an_engine_in_this_process_has_no_recorder_and_runs_what_needs_none() {
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(|_: &Record| Decision::approve())
        .build()
        .unwrap();
    run(&Gateway::new(&client)).unwrap();
    let error = run(&Gateway::new(&client).enforce_ebpf(true)).unwrap_err();
    client.close_blocking();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains("in this process"), "{error}");
}

#[test]
fn a_demonstration_passes_with_a_warning() {
    let server = service(Reply::json(
        200,
        r#"{"status":"ready","runtime_mode":"local_demo"}"#,
    ));
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .log(Verbosity::Warning)
        .build()
        .unwrap();
    let heard = Heard::default();
    tracing::subscriber::with_default(heard.clone(), || {
        Gateway::new(&client)
            .enforce_ebpf(true)
            .run(|| Ok::<_, Error>(()))
            .unwrap();
    });
    client.close_blocking();
    let heard = heard.0.lock().unwrap();
    assert!(
        heard
            .iter()
            .any(|line| line.contains("no production proof")),
        "{heard:?}"
    );
}

/// The messages of all events.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Message<'a>(&'a mut String);
        impl tracing::field::Visit for Message<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    *self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = String::new();
        event.record(&mut Message(&mut message));
        self.0.lock().unwrap().push(message);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
