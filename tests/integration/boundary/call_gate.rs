//! `mcp_call_gate`: the service's own gate, whose answers mean what any answer means.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sernixa::boundary::{McpCallGate, McpInvocation, mcp_call_gate};
use sernixa::delegation::Delegation;
use sernixa::dlp::Mode;
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::testing::TestGate;
use sernixa::{Client, DataSensitivity, Error, OperationClass, RiskLevel};

use super::{both, client};
use crate::support::reply::Reply;
use crate::support::server::{Request, Server};

const CALL: &str = "/api/mcp/tools/call";
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn search() -> McpInvocation {
    McpInvocation::new("web", "search")
        .toolset_id("research")
        .resource_hints(["https://example.org"])
        .arguments([("query".to_owned(), json!("whales"))])
}

/// Invokes through both doors.
fn invoke(gate: &McpCallGate, call: &McpInvocation) -> Result<(), Error> {
    both(
        |ran| gate.invoke(call, ran),
        async |ran| gate.invoke_async(call, || async { ran() }).await,
    )
}

/// A service that answers calls of the gate so; `{id}` in it is the call's request id.
fn answering(status: u16, body: &str) -> Server {
    let body = body.to_owned();
    Server::start(move |request| match request.path() {
        CALL => filled(status, &body, request),
        other => panic!("nobody should ask for {other}"),
    })
}

fn filled(status: u16, body: &str, request: &Request) -> Reply {
    let id = request.json()["request_id"].as_str().unwrap().to_owned();
    Reply::json(status, body.replace("{id}", &id))
}

/// What comes of one call at medium risk.
fn outcome_of(server: &Server) -> Result<(), Error> {
    let client = client(&server.url());
    let result = invoke(&mcp_call_gate(&client, "look-things-up"), &search());
    client.close_blocking();
    result
}

#[test]
fn a_call_has_the_members_of_the_reference_and_ids_of_ours() {
    let server = answering(200, r#"{"status":"accepted"}"#);
    outcome_of(&server).unwrap();
    let client = client(&server.url());
    let gate = mcp_call_gate(&client, "look-things-up")
        .risk(RiskLevel::Low)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Public)
        .action_id("web-search")
        .agent_id("worker")
        .metadata([
            ("ticket", "T-1"),
            ("policy_surface", "else"),
            ("risk_level", "low"),
        ]);
    invoke(&gate, &McpInvocation::new("web", "search")).unwrap();
    client.close_blocking();
    let sent = server.requests_to("POST", CALL);
    let by_default = String::from_utf8(sent[0].body.clone()).unwrap();
    let ids = sent[0].json();
    let expected = format!(
        concat!(
            r#"{{"mcp_toolset_id":"research","tool_name":"search","intent_id":"look-things-up","#,
            r#""request_id":{},"server_name":"web","arguments":{{"query":"whales"}},"#,
            r#""action_id":null,"agent_id":null,"risk_level":"medium","#,
            r#""operation_class":"tool_call","data_sensitivity":"internal","#,
            r#""resource_hints":["https://example.org"],"timestamp":{},"nonce":{},"#,
            r#""metadata":{{"policy_surface":"rust_sdk"}}}}"#
        ),
        ids["request_id"], ids["timestamp"], ids["nonce"]
    );
    assert_eq!(by_default, expected);
    assert_eq!(ids["request_id"].as_str().unwrap().len(), 32);
    assert_ne!(sent[0].json()["nonce"], sent[1].json()["nonce"]);
    let mut otherwise = sent[2].json();
    let members = otherwise.as_object_mut().unwrap();
    for id in ["request_id", "timestamp", "nonce"] {
        members.remove(id);
    }
    assert_eq!(
        otherwise,
        json!({"mcp_toolset_id": null, "tool_name": "search", "intent_id": "look-things-up",
               "server_name": "web", "arguments": {}, "action_id": "web-search",
               "agent_id": "worker", "risk_level": "low", "operation_class": "read",
               "data_sensitivity": "public", "resource_hints": [],
               "metadata": {"policy_surface": "rust_sdk", "ticket": "T-1"}})
    );
}

#[test]
fn an_allow_runs_the_tool_at_low_and_medium_risk_alone() {
    for body in [
        r#"{"status":"accepted"}"#,
        r#"{"status":"auto_approved","decision":"approved","dispatch_mode":null}"#,
        r#"{"status":"accepted","request_id":"{id}","dispatch_mode":"caller_owned_after_allowed"}"#,
    ] {
        let server = answering(200, body);
        let client = client(&server.url());
        let gate = mcp_call_gate(&client, "i");
        for risk in [RiskLevel::Low, RiskLevel::Medium] {
            invoke(&gate.clone().risk(risk), &search()).unwrap();
        }
        for risk in [RiskLevel::High, RiskLevel::Critical] {
            let error = invoke(&gate.clone().risk(risk), &search()).unwrap_err();
            assert!(matches!(error, Error::Api(_)), "{error}");
        }
        client.close_blocking();
    }
}

#[test]
fn what_the_reference_hands_back_unjudged_runs_nothing() {
    for (status, body) in [
        (200, "{}"),
        (200, ""),
        (200, "[]"),
        (200, r#"{"status":"ok"}"#),
        (200, r#"{"status":"blocked","reason":"no"}"#),
        (200, r#"{"status":"rejected"}"#),
        (200, r#"{"status":"expired"}"#),
        (200, r#"{"status":"failed"}"#),
        (200, r#"{"status":"pending_review"}"#),
        (200, r#"{"status":"accepted","status":"accepted"}"#),
        (200, r#"{"status":"accepted","decision":"blocked"}"#),
        (200, r#"{"status":"accepted","request_id":"another"}"#),
        (200, r#"{"status":"accepted","body_hash":"not a hash"}"#),
        (200, r#"{"status":"accepted","body_hash":5}"#),
        (
            200,
            r#"{"status":"accepted","dispatch_mode":"sernixa_gateway_proxy"}"#,
        ),
        (
            200,
            r#"{"status":"accepted","dispatch_mode":"CALLER_OWNED_AFTER_ALLOWED"}"#,
        ),
        (200, r#"{"status":"accepted","dispatch_mode":true}"#),
        (201, r#"{"status":"accepted"}"#),
        (202, r#"{"status":"accepted"}"#),
        (202, r#"{"status":"pending_review"}"#),
        (204, ""),
        (302, r#"{"status":"accepted"}"#),
        (400, r#"{"status":"accepted"}"#),
        (401, r#"{"status":"accepted"}"#),
        (403, r#"{"status":"accepted"}"#),
        (404, r#"{"status":"accepted"}"#),
        (409, r#"{"status":"accepted"}"#),
        (429, r#"{"status":"accepted"}"#),
        (500, r#"{"status":"accepted"}"#),
    ] {
        let server = answering(status, body);
        let error = outcome_of(&server).err();
        assert!(error.is_some(), "{status} {body}");
    }
}

#[test]
fn refusals_keep_their_kind_word_and_evidence() {
    let detail = |word: &str| {
        json!({"detail": {"status": word, "reason": "not this one", "evidence": {"rule": 7}}})
            .to_string()
    };
    for status in [401, 403] {
        let error = outcome_of(&answering(status, &detail("replayed_nonce"))).unwrap_err();
        assert!(error.is_replay(), "{error}");
        let error = outcome_of(&answering(status, &detail("out_of_scope"))).unwrap_err();
        assert!(error.is_scope(), "{error}");
        let error = outcome_of(&answering(status, &detail("plan_proof_missing"))).unwrap_err();
        match status {
            401 => assert!(matches!(error, Error::Authentication(_)), "{error}"),
            _ => assert!(matches!(error, Error::Blocked(_)), "{error}"),
        }
        assert_eq!(error.reason(), Some("not this one"));
        assert_eq!(error.refusal().status(), Some("plan_proof_missing"));
        assert_eq!(error.evidence(), Some(&json!({"rule": 7})));
        assert_eq!(error.status_code(), Some(status));
    }
    let error = outcome_of(&answering(200, r#"{"status":"blocked","reason":"policy"}"#));
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Blocked(_)), "{error}");
    assert_eq!(error.reason(), Some("policy"));
}

/// A service that lets calls wait for a decision, and has them claimed.
fn waiting(record: Value, pending: Value) -> Server {
    Server::start(move |request| match request.path() {
        CALL => filled(202, &pending.to_string(), request),
        "/api/approvals/a1" => Reply::json(200, record.to_string()),
        "/api/approvals/a1/claim" => {
            let claim = request.json();
            assert_eq!(claim["claim_token"], "token");
            let claimed = json!({"status": "claimed", "approval_id": "a1",
                                 "claim_id": claim["claim_id"], "body_hash": HASH});
            Reply::json(200, claimed.to_string())
        }
        "/api/approvals/outcomes" => Reply::json(200, "{}"),
        other => panic!("nobody should ask for {other}"),
    })
}

fn pending() -> Value {
    json!({"status": "pending_review", "approval_id": "a1", "claim_token": "token",
           "request_id": "{id}", "body_hash": HASH, "capabilities": ["claim", "outcome"]})
}

fn record(status: &str) -> Value {
    json!({"approval_id": "a1", "status": status, "body_hash": HASH, "decision_reason": "fine"})
}

#[test]
fn a_pending_call_waits_and_is_claimed_with_what_the_service_hashed() {
    let server = waiting(record("approved"), pending());
    outcome_of(&server).unwrap();
    let claims = server.requests_to("POST", "/api/approvals/a1/claim");
    assert_eq!(claims.len(), 2);
    assert_eq!(claims[0].json()["body_hash"], HASH);
    assert_ne!(claims[0].json()["claim_id"], claims[1].json()["claim_id"]);
    let outcomes: Vec<_> = server
        .requests_to("POST", "/api/approvals/outcomes")
        .iter()
        .flat_map(|request| request.json()["outcomes"].as_array().unwrap().clone())
        .map(|entry| entry["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["succeeded", "succeeded"]);
}

#[test]
fn a_person_may_let_a_grave_call_run() {
    let server = waiting(record("approved"), pending());
    let client = client(&server.url());
    let gate = mcp_call_gate(&client, "i").risk(RiskLevel::Critical);
    invoke(&gate, &search()).unwrap();
    client.close_blocking();
}

#[test]
fn a_pending_call_that_ends_otherwise_runs_nothing() {
    let other_hash =
        json!({"approval_id": "a1", "status": "approved", "body_hash": "f".repeat(64)});
    let other_id = json!({"approval_id": "a2", "status": "approved", "body_hash": HASH});
    let no_hash = json!({"approval_id": "a1", "status": "approved"});
    for (record, kind) in [
        (record("rejected"), "rejected"),
        (record("blocked"), "blocked"),
        (record("expired"), "expired"),
        (record("failed"), "failed"),
        (other_hash, "service"),
        (other_id, "service"),
        (no_hash, "service"),
    ] {
        let error = outcome_of(&waiting(record, pending())).unwrap_err();
        assert!(error.to_string().starts_with(kind), "{error}");
        assert_eq!(error.approval_id(), Some("a1"));
    }
    // An offer of claims that says not what would be claimed.
    for hash in [
        Value::Null,
        json!("short"),
        json!(HASH.to_uppercase()),
        json!(7),
    ] {
        let mut pending = pending();
        pending["body_hash"] = hash;
        let error = outcome_of(&waiting(record("approved"), pending)).unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{error}");
    }
}

#[test]
fn a_service_without_claims_is_polled_as_the_reference_polls() {
    let plain = json!({"status": "pending_review", "approval_id": "a1"});
    let approved = json!({"approval_id": "a1", "status": "approved"});
    outcome_of(&waiting(approved, plain)).unwrap();
}

#[test]
fn a_retry_sends_the_same_bytes() {
    let server = Server::start(|request| match request.nth {
        1 => Reply::new(503).header("Retry-After", "0"),
        2 => Reply::close_unanswered(),
        _ => Reply::json(200, r#"{"status":"accepted"}"#),
    });
    let client = Client::builder()
        .environment(|_| None)
        .base_url(server.url())
        .max_retries(2)
        .build()
        .unwrap();
    mcp_call_gate(&client, "i")
        .invoke(&search(), || Ok::<_, Error>(()))
        .unwrap();
    client.close_blocking();
    let sent = server.requests_to("POST", CALL);
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| request.body == sent[0].body));
}

#[test]
fn a_call_carries_no_delegation_and_says_so() {
    let server = answering(200, r#"{"status":"accepted"}"#);
    let url = server.url();
    let plain = client(&url);
    let strict = Client::builder()
        .environment(|_| None)
        .base_url(&url)
        .require_delegation(true)
        .build()
        .unwrap();
    let worker = Delegation::new("worker", "dgt_1").signing_secret("a secret of this test");
    let inside = worker.run_blocking(|| invoke(&mcp_call_gate(&plain, "i"), &search()));
    let required = invoke(&mcp_call_gate(&strict, "i"), &search());
    for error in [inside.unwrap_err(), required.unwrap_err()] {
        assert!(matches!(error, Error::Configuration(_)), "{error}");
    }
    plain.close_blocking();
    strict.close_blocking();
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_breaks_a_rule_is_refused_before_anything_is_sent() {
    let server = answering(200, r#"{"status":"accepted"}"#);
    let client = client(&server.url());
    let gate = mcp_call_gate(&client, "i");
    let long = json!("x".repeat(300_000));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(70), "]".repeat(70));
    let key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
    for (gate, call) in [
        (mcp_call_gate(&client, " "), search()),
        (mcp_call_gate(&client, "i".repeat(129)), search()),
        (gate.clone(), McpInvocation::new("s", " ")),
        (gate.clone(), McpInvocation::new("s", key)),
        (gate.clone(), McpInvocation::new(key, "t")),
        (gate.clone().action_id(" "), search()),
        (gate.clone(), search().arguments_json("[]")),
        (gate.clone(), search().arguments_json("{\"a\":1,\"a\":2}")),
        (gate.clone(), search().arguments_json("{")),
        (gate.clone(), search().arguments_json(deep)),
        (
            gate.clone(),
            search().arguments([("long".to_owned(), long)]),
        ),
        (gate.clone().metadata([("a", f64::NAN)]), search()),
        (gate.clone().metadata([("a", 1), ("a", 2)]), search()),
    ] {
        let error = invoke(&gate, &call).unwrap_err();
        assert!(matches!(error, Error::Validation(_)), "{error}");
        assert!(!error.to_string().contains(key), "{error}");
    }
    client.close_blocking();
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn dlp_goes_over_all_that_is_data_first() {
    let key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
    let server = answering(200, r#"{"status":"accepted"}"#);
    let leaky = McpInvocation::new("web", "search")
        .toolset_id(format!("set {key}"))
        .resource_hints([format!("hint {key}")])
        .arguments_json(format!(
            r#"{{"n":123456789012345678901234567890,"key":"{key}"}}"#
        ));
    let with = |mode| {
        Client::builder()
            .environment(|_| None)
            .base_url(server.url())
            .dlp_mode(mode)
            .build()
            .unwrap()
    };
    let gate = |client: &Client| {
        mcp_call_gate(client, "i")
            .agent_id(format!("agent {key}"))
            .metadata([("note", key)])
    };
    let masking = with(Mode::Mask);
    invoke(&gate(&masking), &leaky).unwrap();
    let sent = String::from_utf8(server.take_requests()[0].body.clone()).unwrap();
    assert!(!sent.contains(key), "{sent}");
    assert!(sent.contains("123456789012345678901234567890"), "{sent}");
    let blocking = with(Mode::Block);
    let error = invoke(&gate(&blocking), &leaky).unwrap_err();
    assert!(matches!(error, Error::Blocked(_)), "{error}");
    assert_eq!(error.reason(), Some("sdk_dlp_blocked"));
    assert_eq!(server.requests().len(), 0);
    masking.close_blocking();
    blocking.close_blocking();
}

#[test]
fn an_engine_in_this_process_decides_calls_too() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer({
            let asked = Arc::clone(&asked);
            move |record: &Record| {
                asked.lock().unwrap().push(record.action_id().to_owned());
                match record.risk_level() {
                    RiskLevel::Critical => Decision::reject("not that"),
                    _ => Decision::approve(),
                }
            }
        })
        .build()
        .unwrap();
    let gate = mcp_call_gate(&client, "look-things-up");
    // A low-risk read needs nobody, all else a person.
    let read = gate
        .clone()
        .risk(RiskLevel::Low)
        .class(OperationClass::Read);
    invoke(&read, &search()).unwrap();
    assert_eq!(asked.lock().unwrap().len(), 0);
    invoke(&gate.clone().risk(RiskLevel::High), &search()).unwrap();
    let error = invoke(&gate.risk(RiskLevel::Critical), &search()).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert_eq!(error.reason(), Some("not that"));
    client.close_blocking();
    assert_eq!(*asked.lock().unwrap(), ["search"; 4]);
}

#[test]
fn a_test_gate_answers_calls_and_records_them() {
    let test = TestGate::new().approve("i");
    let client = test.client().unwrap();
    let gate = mcp_call_gate(&client, "i").risk(RiskLevel::High);
    // It allows at once whatever the risk.
    test.scope(|| invoke(&gate, &search())).unwrap();
    test.refuse("i", "enough");
    let error = test.scope(|| invoke(&gate, &search())).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    let asked = test.submissions();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].action_id(), "search");
    assert_eq!(asked[0].risk_level(), RiskLevel::High);
    assert!(asked[0].body().contains("whales"));
    let held = test.hold("i");
    let waits = test.clone();
    let call =
        std::thread::spawn(move || waits.scope(|| gate.invoke(&search(), || Ok::<_, Error>(()))));
    held.wait_for(1);
    held.approve();
    call.join().unwrap().unwrap();
}

#[test]
fn a_call_that_is_dropped_while_it_waits_is_taken_back() {
    let test = TestGate::new();
    let held = test.hold("i");
    let client = test.client().unwrap();
    let gate = mcp_call_gate(&client, "i");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(test.run(async {
        let asked = gate.authorize(&search());
        let waiting = tokio::spawn(test.carry(asked));
        while held.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        while held.waiting() > 0 {
            tokio::task::yield_now().await;
        }
    }));
}
