//! The MCP call gate (PROTOCOL 7).

use crate::rig::{DEMO, Service};

fn call(risk: &str, rest: &str) -> String {
    format!(
        r#"{{"mcp_toolset_id":"set","tool_name":"refund","intent_id":"i","server_name":"shop",
        "action_id":null,"agent_id":null,"risk_level":"{risk}","operation_class":"read",
        "data_sensitivity":"internal","resource_hints":[]{rest}}}"#
    )
}

#[test]
fn a_call_is_decided_as_any_action_and_dispatched_by_its_caller() {
    let service = Service::start();
    let path = "/api/mcp/tools/call";
    let allowed = service.post(path, DEMO, &call("low", r#","arguments":{"n":1}"#));
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.json()["status"], "accepted");
    assert_eq!(
        allowed.json()["dispatch_mode"],
        "caller_owned_after_allowed"
    );
    let waits = service.post(path, DEMO, &call("high", r#","arguments":{"n":1.0}"#));
    assert_eq!(waits.status, 202);
    assert!(waits.json().get("dispatch_mode").is_none());
    let id = waits.json()["approval_id"].as_str().unwrap().to_owned();
    let record = service.get(&format!("/api/approvals/{id}"), DEMO).json();
    assert_eq!(record["action_id"], "refund");
    assert_eq!(record["systems_touched"], serde_json::json!(["shop"]));
    assert_eq!(record["metadata"]["mcp_arguments"]["n"], 1.0);
}

#[test]
fn plan_proofs_are_recorded_as_digests_and_not_relied_on() {
    let service = Service::start();
    let plan = r#","plan_token":"a-token-of-another-service","step_proof":{"signature":"hunter2"},
        "step_id":"one","arguments":{"n":1}"#;
    let waits = service
        .post("/api/mcp/tools/call", DEMO, &call("high", plan))
        .json();
    let id = waits["approval_id"].as_str().unwrap();
    let record = service.get(&format!("/api/approvals/{id}"), DEMO);
    assert_eq!(record.json()["metadata"]["mcp_plan"]["relied_on"], false);
    assert_eq!(record.json()["metadata"]["mcp_plan"]["step_id"], "one");
    assert!(!record.body.contains("hunter2") && !record.body.contains("a-token-of"));
}

#[test]
fn a_caller_cannot_claim_what_the_gate_has_not_seen() {
    let service = Service::start();
    let own = r#","arguments":{},"metadata":{"arguments_digest":"hmac-sha256:00","policy_surface":
        "rust_sdk","risk_level":"low","mcp_tool":"other","resume_key":"k","ticket":"T-1"}"#;
    let waits = service
        .post("/api/mcp/tools/call", DEMO, &call("high", own))
        .json();
    let id = waits["approval_id"].as_str().unwrap();
    let metadata = service.get(&format!("/api/approvals/{id}"), DEMO).json()["metadata"].clone();
    assert_eq!(metadata["policy_surface"], "mcp_call_gate");
    assert_eq!(metadata["risk_level"], "high");
    assert_eq!(metadata["mcp_tool"], "refund");
    assert_eq!(metadata["ticket"], "T-1");
    assert!(metadata.get("arguments_digest").is_none() && metadata.get("resume_key").is_none());
}

#[test]
fn a_look_by_a_client_that_claims_starts_nothing() {
    let service = Service::start();
    for (metadata, execution) in [
        (r#""policy_surface":"rust_sdk""#, "none"),
        (r#""policy_surface":"python_sdk""#, "delivered"),
        (r#""policy_surface":true"#, "delivered"),
        ("", "delivered"),
    ] {
        let rest = format!(r#","arguments":{{"of":{execution:?}}},"metadata":{{{metadata}}}"#);
        let waits = service
            .post("/api/mcp/tools/call", DEMO, &call("high", &rest))
            .json();
        let path = format!("/api/approvals/{}", waits["approval_id"].as_str().unwrap());
        let yes = r#"{"decision":"approved","reason":"seen and fine"}"#;
        assert_eq!(
            service.post(&format!("{path}/decision"), DEMO, yes).status,
            200
        );
        // The caller's own look, after which a client that does not claim runs.
        service.get(&path, DEMO);
        assert_eq!(service.get(&path, DEMO).json()["execution"], execution);
    }
}

#[test]
fn a_retry_is_told_from_a_replay_by_the_bytes_that_came() {
    let service = Service::start();
    let path = "/api/mcp/tools/call";
    let nonce = format!(r#","nonce":"{}","arguments":{{}}"#, "cd".repeat(16));
    let first = service.post(path, DEMO, &call("high", &nonce));
    assert_eq!(
        service.post(path, DEMO, &call("high", &nonce)).body,
        first.body
    );
    let spaced = call("high", &format!("{nonce} "));
    assert_eq!(service.post(path, DEMO, &spaced).word(), "replayed_nonce");
}

#[test]
fn three_approved_calls_open_the_door_to_the_same_arguments_alone() {
    let service = Service::with(|config| {
        config.settings.memory.unbound = sernixa_engine::Unbound::Off;
    });
    let path = "/api/mcp/tools/call";
    let pay = |cents: u64| call("medium", &format!(r#","arguments":{{"cents":{cents}}}"#));
    let nothing = call("medium", r#","arguments":{}"#);
    for body in [
        pay(1),
        pay(1),
        pay(1),
        nothing.clone(),
        nothing.clone(),
        nothing.clone(),
    ] {
        let waits = service.post(path, DEMO, &body);
        assert_eq!(waits.status, 202);
        let id = waits.json()["approval_id"].as_str().unwrap().to_owned();
        let yes = r#"{"decision":"approved","reason":"seen and fine"}"#;
        let decided = service.post(&format!("/api/approvals/{id}/decision"), DEMO, yes);
        assert_eq!(decided.status, 200);
    }
    assert_eq!(service.post(path, DEMO, &pay(1)).status, 200);
    assert_eq!(service.post(path, DEMO, &pay(99_999_999)).status, 202);
    // Without arguments nobody knows what is called: a client may have left them out.
    assert_eq!(service.post(path, DEMO, &nothing).status, 202);
}

#[test]
fn a_call_that_breaks_the_contract_is_refused_by_name() {
    let service = Service::start();
    for (body, status, says) in [
        ("[]".to_owned(), 400, "object"),
        (call("low", r#","tool_name":"again""#), 400, ""),
        (call("low", r#","arguments":[1]"#), 422, "`arguments`"),
        (call("low", r#","metadata":"x""#), 422, "`metadata`"),
        (call("grave", ""), 422, "risk"),
        (r#"{"intent_id":"i"}"#.to_owned(), 422, "`tool_name`"),
        (
            r#"{"intent_id":"i","tool_name":"t"}"#.to_owned(),
            422,
            "`risk_level`",
        ),
        (call("low", r#","nonce":"short""#), 403, "nonce"),
    ] {
        let reply = service.post("/api/mcp/tools/call", DEMO, &body);
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
        assert!(reply.body.contains(says), "{}", reply.body);
    }
}

#[test]
fn an_envelope_at_the_gate_is_refused_and_never_taken_for_none() {
    let service = Service::start();
    for member in ["delegation_token_id", "key_id", "signature"] {
        let body = call("low", &format!(r#","{member}":"x""#));
        let reply = service.post("/api/mcp/tools/call", DEMO, &body);
        assert_eq!(reply.status, 422, "{}", reply.body);
        assert!(reply.body.contains(member), "{}", reply.body);
    }
}
