//! What is taken as a submission, and what its answers look like.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sernixa_engine::{Engine, MemoryStore, Principal, Request, Role, Store};

use crate::support::{Answered, Bench, Draft, agent, reviewer};

/// The members of an object, in no order.
fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn an_allow_says_exactly_what_the_protocol_promises() {
    let bench = Bench::service();
    let answer = bench.submit(&agent(), &Draft::read().body());
    assert_eq!(answer.status, 200);
    assert_eq!(
        names(&answer.body),
        [
            "approval_id",
            "body_hash",
            "capabilities",
            "decision",
            "receipt",
            "request_id",
            "status"
        ]
    );
    assert_eq!(answer.body["status"], "accepted");
    assert_eq!(answer.body["decision"], "auto_approved");
    assert_eq!(answer.body["request_id"], "a".repeat(32));
    assert_eq!(
        answer.body["capabilities"],
        json!(["claim", "outcome", "withdraw", "resume"])
    );
    assert_eq!(answer.body["receipt"]["seq"], 1);
    let metadata = &serde_json::from_str::<Value>(&Draft::read().body()).unwrap()["metadata"];
    let hash = sernixa_protocol::body_hash("billing", "pay-invoice", metadata.as_object().unwrap());
    assert_eq!(answer.body["body_hash"], hash);
}

#[test]
fn a_wait_says_exactly_what_the_protocol_promises() {
    let bench = Bench::service();
    let answer = bench.submit(&agent(), &Draft::high().body());
    assert_eq!(answer.status, 202);
    assert_eq!(
        names(&answer.body),
        [
            "approval_id",
            "body_hash",
            "capabilities",
            "claim_token",
            "expires_at",
            "receipt",
            "request_id",
            "status"
        ]
    );
    assert_eq!(answer.body["status"], "pending_review");
    assert_eq!(answer.body["claim_token"].as_str().unwrap().len(), 64);
    assert_eq!(answer.body["expires_at"], "2026-05-05T17:08:20.000Z");
}

#[test]
fn a_record_holds_what_reviewers_need_and_no_secret() {
    let bench = Bench::service();
    let body = Draft::high()
        .meta("summary", "pay 5 cents")
        .meta("data_sensitivity", "PII")
        .body();
    let waiting = bench.submit(&agent(), &body).waiting();
    let record = bench.look(&waiting.id);
    assert_eq!(
        names(&record),
        [
            "action_id",
            "agent_id",
            "approval_id",
            "body_hash",
            "claim_by",
            "created_at",
            "data_sensitivity",
            "decided_by",
            "decision_reason",
            "delegation_chain_id",
            "execution",
            "expires_at",
            "intent_id",
            "metadata",
            "operation_class",
            "policy_digest",
            "reason",
            "risk_level",
            "self_decided",
            "status",
            "summary",
            "systems_touched",
            "waiter_seen_at"
        ]
    );
    assert_eq!(record["summary"], "pay 5 cents");
    assert_eq!(record["data_sensitivity"], "PII");
    assert_eq!(
        record["reason"],
        "a person decides what is of high or critical risk"
    );
    assert_eq!(record["metadata"]["function"], "pay_invoice");
    assert!(!record.to_string().contains(&waiting.token));
    let listed = bench.handle(&reviewer(), Request::Pending { limit: 10 });
    let mut without_metadata = record;
    without_metadata.as_object_mut().unwrap().remove("metadata");
    assert_eq!(listed.body, json!([without_metadata]));
}

#[test]
fn the_metadata_of_a_record_is_the_text_that_was_submitted() {
    let bench = Bench::service();
    let exact = r#"{"z":1.0,"risk_level":"HIGH","a":123456789012345678901234567890,"operation_class":"x","data_sensitivity":"y","systems_touched":["s"],"é":"é"}"#;
    let body = format!(r#"{{"intent_id":"i","action_id":"a","metadata":{exact}}}"#);
    let waiting = bench.submit(&agent(), &body).waiting();
    let auditor = reviewer().with(Role::Auditor);
    let request = Request::Record {
        approval_id: &waiting.id,
    };
    let answer = bench.engine.handle(&auditor, request, &bench.moment());
    assert!(answer.body.contains(exact), "{}", answer.body);
    let hash = sernixa_protocol::body_hash_json("i", "a", exact).unwrap();
    assert_eq!(waiting.body_hash, hash);
}

#[test]
fn requests_that_break_the_contract_are_refused_as_json() {
    let bench = Bench::service();
    let depth = |levels: usize| {
        let nested = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        Draft::high().body().replacen(
            "\"function\":",
            &format!("\"deep\":{nested},\"function\":"),
            1,
        )
    };
    let twice = Draft::high()
        .body()
        .replacen('{', r#"{"intent_id":"x","#, 1);
    let deep_twice = Draft::high().body().replacen(
        r#""metadata":{"#,
        r#""metadata":{"a":{"b":1,"\u0062":2},"#,
        1,
    );
    for (status, body) in [
        (400, String::new()),
        (400, "[]".into()),
        (400, "{".into()),
        (400, "null".into()),
        (400, Draft::high().body() + " x"),
        (400, twice),
        (400, deep_twice),
        (422, "{}".into()),
        (422, Draft::high().without("intent_id").body()),
        (422, Draft::high().top("intent_id", " ").body()),
        (422, Draft::high().top("intent_id", "é".repeat(129)).body()),
        (422, Draft::high().top("intent_id", 5).body()),
        (422, Draft::high().without("action_id").body()),
        (422, Draft::high().top("action_id", "").body()),
        (422, Draft::high().meta("risk_level", "severe").body()),
        (422, Draft::high().meta("risk_level", " high").body()),
        (422, Draft::high().meta("risk_level", 4).body()),
        (
            422,
            Draft::high().meta("operation_class", "\u{2003}").body(),
        ),
        (422, Draft::high().without("data_sensitivity").body()),
        (422, Draft::high().meta("systems_touched", json!([])).body()),
        (
            422,
            Draft::high()
                .meta("systems_touched", json!(["a", " "]))
                .body(),
        ),
        (
            422,
            Draft::high().meta("systems_touched", "postgres").body(),
        ),
        (422, Draft::high().top("request_id", "a\nb").body()),
        (422, Draft::high().top("request_id", "é").body()),
        (422, Draft::high().top("request_id", "a".repeat(129)).body()),
        (422, Draft::high().top("nonce", 5).body()),
        (422, Draft::high().meta("big", "x".repeat(256 << 10)).body()),
        (422, Draft::high().top("big", "x".repeat(1 << 20)).body()),
        (422, depth(64)),
    ] {
        let answer = bench.submit(&agent(), &body);
        answer.is(status, "invalid_request");
        assert!(!answer.reason().is_empty(), "{body}");
    }
    assert_eq!(bench.submit(&agent(), &depth(63)).status, 202);
    assert_eq!(bench.event_types(), ["submission_pending_review"]);
}

#[test]
fn only_an_agent_key_submits() {
    let bench = Bench::service();
    // The role counts before the contract: others learn nothing about it.
    for body in [Draft::read().body(), "{".into()] {
        bench.submit(&reviewer(), &body).is(403, "forbidden");
        let nobody = Principal::new("acme", "key");
        bench.submit(&nobody, &body).is(403, "forbidden");
    }
    assert_eq!(bench.events(), Vec::<Value>::new());
}

#[test]
fn delegated_submissions_are_refused_until_they_can_be_verified() {
    let bench = Bench::service();
    let whole = Draft::read()
        .nonce(1)
        .top("agent_id", "worker")
        .top("delegation_token_id", "dgt_1")
        .top("key_id", "k")
        .top("algorithm", "HMAC-SHA256")
        .top("body_hash", "0".repeat(64))
        .top("signature", "0".repeat(64));
    bench
        .submit(&agent(), &whole.body())
        .is(403, "invalid_signature");
    let events = bench.events();
    assert_eq!(events[0]["decision"], "invalid_signature");
    // Half an envelope is no way around it.
    for name in [
        "agent_id",
        "delegation_token_id",
        "signature",
        "key_id",
        "runtime_id",
    ] {
        let answer = bench.submit(&agent(), &Draft::read().top(name, "x").body());
        assert!(
            matches!(answer.status, 403 | 422),
            "{name}: {}",
            answer.body
        );
    }
}

#[test]
fn secrets_left_in_a_submission_are_refused_and_written_nowhere() {
    let secrets = [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "xoxb-123456789012-1234567890123-abcdefghijklmnopqrstuvwx",
        "sk_live_0123456789abcdefghijklmn",
    ];
    for secret in secrets {
        let places = [
            Draft::read().meta("note", secret),
            // After a line break, which JSON writes as `\n`.
            Draft::read().meta("note", format!("see\n{secret}")),
            Draft::read().meta("deep", json!([[{"a": {"b": secret}}]])),
            Draft::read().meta("deep", json!({secret: 1})),
            Draft::read().meta("systems_touched", json!([secret])),
            Draft::read().top("action_id", secret),
        ];
        for draft in places {
            let bench = Bench::service();
            let answer = bench.submit(&agent(), &draft.body());
            answer.is(403, "blocked");
            assert_eq!(answer.reason(), "dlp_floor");
            assert!(!answer.body.to_string().contains(secret));
            let events = bench.events();
            assert_eq!(events.len(), 1);
            assert!(!events[0].to_string().contains(secret), "{}", events[0]);
        }
    }
}

#[test]
fn texts_that_only_look_like_secrets_pass() {
    let bench = Bench::service();
    for harmless in [
        "task_live_0123456789abcdefghijklmn",
        "AKIA",
        "-----BEGIN CERTIFICATE-----",
    ] {
        let answer = bench.submit(&agent(), &Draft::read().meta("note", harmless).body());
        assert_eq!(answer.status, 200, "{harmless}: {}", answer.body);
    }
}

#[test]
fn python_clients_without_request_id_and_nonce_are_served() {
    let bench = Bench::service();
    let draft = Draft::read().without("request_id").without("timestamp");
    let answer = bench.submit(&agent(), &draft.body());
    assert_eq!(answer.status, 200);
    assert!(answer.body.get("request_id").is_none());
    // Two equal requests without a nonce are two.
    let again = bench.submit(&agent(), &draft.body());
    assert_ne!(answer.id(), again.id());
    // Their own metadata may use our names for other things.
    let odd = draft
        .meta("summary", json!({"a": 1}))
        .meta("resume_key", json!([1]));
    assert_eq!(bench.submit(&agent(), &odd.body()).status, 200);
}

#[test]
fn randomness_that_was_used_before_makes_no_second_approval_of_that_name() {
    let bench = Bench::service();
    let moment = bench.moment();
    let submit = |draft: &Draft| {
        let body = draft.body();
        Answered::new(
            &bench
                .engine
                .handle(&agent(), Request::Submit { body: &body }, &moment),
        )
    };
    let first = submit(&Draft::high()).waiting();
    for draft in [Draft::read(), Draft::high()] {
        let answer = submit(&draft);
        answer.is(403, "blocked");
        assert_eq!(answer.reason(), "engine_error");
    }
    assert_eq!(bench.look(&first.id)["risk_level"], "high");
}

#[test]
fn an_approval_id_says_nothing_about_the_claim_key() {
    // The first call of an engine makes the key, out of the same randomness as the id.
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    let key = sernixa_engine::Entropy::from_seed([0; 32]).draw_secret();
    let id = sernixa_engine::ApprovalId::parse(&waiting.id).unwrap();
    assert!(!key.windows(16).any(|part| part == id.0));
}

/// What a reviewer's closure might print, or a store in a log line.
#[test]
fn nothing_that_was_submitted_is_printed_by_debug() {
    const MARKER: &str = "f00dMarkerf00d";
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::builder()
        .shared_store(Arc::clone(&store) as Arc<dyn Store>)
        .build()
        .unwrap();
    let bench = Bench::new(engine);
    let printed = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&printed);
    let _subscription = bench.engine.subscribe(Box::new(move |change| {
        write!(heard.lock().unwrap(), "{change:?}").unwrap();
    }));
    let body = Draft::high()
        .meta("summary", format!("pay {MARKER}"))
        .meta("args", vec![MARKER])
        .meta("note", MARKER)
        .body();
    let waiting = bench.submit(&agent(), &body).waiting();
    let record = bench.approve(&reviewer(), &waiting.id);
    let claim_id = "c1a1".repeat(8);
    assert_eq!(bench.claim(&agent(), &waiting, &claim_id).status, 200);
    let mut printed = printed.lock().unwrap();
    write!(printed, "{record:?} {store:?} {:?}", bench.engine).unwrap();
    assert!(printed.contains("approval") || printed.contains("Approval"));
    for secret in [MARKER, waiting.token.as_str(), &claim_id] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
