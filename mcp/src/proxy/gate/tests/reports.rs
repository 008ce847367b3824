//! What a service hears of a call whose server asks for input: each round before the server is
//! answered, and the end.

use std::sync::Mutex;

use axum::Json;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use sernixa::embedded::engine::Principal;

use super::super::*;
use super::rig::*;
use super::rounds::{answering, answers, asks};

/// What the audit has of the outcomes, in order.
fn reports(rig: &Rig) -> Vec<Value> {
    let events = rig.engine.audit(&Principal::local(), 0, 1_000).unwrap();
    let reports = events
        .iter()
        .filter(|event| event.kind.as_str() == "outcome_recorded");
    reports
        .map(|event| serde_json::from_str(&event.payload).unwrap())
        .collect()
}

/// A call that a person approved.
async fn begun(rig: &Rig, gate: &ToolGate) -> (String, Forwarded) {
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    let told = rig.server.told.lock().unwrap().last().unwrap().clone();
    let id = told.split("approval ").nth(1).unwrap()[..36].to_owned();
    (id, forward)
}

#[tokio::test]
async fn each_round_stands_in_the_audit_before_the_server_is_answered_and_so_does_the_end() {
    let rig = Rig::new();
    let gate = rig.gate();
    let (id, forward) = begun(&rig, &gate).await;
    let asked = forward.answer(&asks(Some("one")));
    rig.assert_ends(&id, "continued");
    assert_eq!(reports(&rig).len(), 1);
    assert!(reports(&rig)[0].get("input_digest").is_none());

    // By another process, too.
    let next = rig.gate();
    let forward = forwarded(next.call(new(&answering(&asked)), &*rig.server).await);
    assert_eq!(
        reports(&rig).len(),
        2,
        "it stands before the server sees it"
    );
    let asked = forward.answer(&asks(Some("two")));
    let other = json!({"name": {"action": "accept", "content": {"name": "Eve"}}});
    let mut params = answering(&asked);
    params["inputResponses"] = other;
    let forward = forwarded(next.call(new(&params), &*rig.server).await);
    let told = reports(&rig);
    assert_eq!(told.len(), 3);
    let digest = |nth: usize| told[nth]["input_digest"].as_str().unwrap();
    for round in [1, 2] {
        assert_eq!(told[round]["outcome"], "continued");
        assert_eq!(told[round]["approval_id"], id);
        let hex = digest(round).strip_prefix("hmac-sha256:").unwrap();
        assert_eq!(hex.len(), 64);
        let text = told[round].to_string();
        assert!(!text.contains("Ada") && !text.contains("Eve"));
    }
    assert_ne!(digest(1), digest(2));
    assert_eq!(rig.execution(&id), "continued");

    forward.answer(&json!({"resultType": "complete", "content": []}));
    rig.assert_ends(&id, "succeeded");
    assert!(rig.pending().is_empty());
}

#[tokio::test]
async fn however_a_later_round_ends_it_is_reported() {
    let rig = Rig::new();
    let gate = rig.gate();
    let failed = json!({"resultType": "complete", "isError": true, "content": []});
    for (how, word) in [
        ("answered", "failed"),
        ("lost", "outcome_unknown"),
        // It began in the round before.
        ("not started", "outcome_unknown"),
    ] {
        let (id, forward) = begun(&rig, &gate).await;
        let asked = forward.answer(&asks(Some("one")));
        let round = forwarded(gate.call(new(&answering(&asked)), &*rig.server).await);
        match how {
            "answered" => drop(round.answer(&failed)),
            "lost" => round.started.lost(),
            _ => round.started.not_started(),
        }
        rig.assert_ends(&id, word);
    }
}

#[tokio::test]
async fn a_server_that_asks_too_often_leaves_an_end_that_nobody_knows() {
    let rig = Rig::new();
    let gate = rig.gate();
    let (id, mut forward) = begun(&rig, &gate).await;
    for nth in 0..ROUNDS {
        let asked = forward.answer(&asks(Some(&nth.to_string())));
        forward = forwarded(gate.call(new(&answering(&asked)), &*rig.server).await);
    }
    assert_eq!(forward.answer(&asks(Some("8")))["result"]["isError"], true);
    rig.assert_ends(&id, "outcome_unknown");
    let told = reports(&rig);
    let rounds = told
        .iter()
        .filter(|told| told.get("input_digest").is_some());
    assert_eq!(rounds.count(), usize::from(ROUNDS));
}

#[tokio::test]
async fn a_call_whose_end_was_said_otherwise_does_not_go_on() {
    let rig = Rig::new();
    let gate = rig.gate();
    let (id, forward) = begun(&rig, &gate).await;
    let asked = forward.answer(&asks(Some("one")));
    let first = forwarded(gate.call(new(&answering(&asked)), &*rig.server).await);
    let again = first.answer(&asks(Some("two")));
    let goes_on = answering(&again);
    // The end of an earlier round, said late.
    let goes_by = continuation_in(&gate, &again);
    let client = &gate.core.settings.client;
    let permit = client.continue_permit(goes_by, &format!("hmac-sha256:{}", "0".repeat(64)));
    permit.await.unwrap().succeeded();
    rig.assert_ends(&id, "succeeded");
    let refused = decision(gate.call(new(&goes_on), &*rig.server).await);
    assert_eq!(refused["approval_id"], id);
    assert_eq!(refused["reason"], "already_reported");
}

/// What the gate sealed.
fn continuation_in(gate: &ToolGate, answer: &Value) -> sernixa::Continuation {
    let state = answer["result"]["requestState"].as_str().unwrap();
    let opened = gate.core.sealer.open(state, SystemTime::now()).unwrap();
    opened.sealed.reports.unwrap().continuation().unwrap()
}

/// A service that allows every call at once, and says what it is told to of the outcomes.
struct Service {
    capabilities: Vec<&'static str>,
    says: Mutex<(u16, &'static str)>,
    outcomes: Mutex<Vec<Value>>,
}

async fn serve(capabilities: &[&'static str]) -> (Arc<Service>, String) {
    let service = Arc::new(Service {
        capabilities: capabilities.to_vec(),
        says: Mutex::new((200, "recorded")),
        outcomes: Mutex::default(),
    });
    let (submits, ends) = (Arc::clone(&service), Arc::clone(&service));
    let submit = async move |Json(asked): Json<Value>| {
        Json(json!({
            "status": "accepted", "decision": "auto_approved", "approval_id": "apr-1",
            "request_id": asked["request_id"], "capabilities": submits.capabilities,
        }))
    };
    let end = async move |Json(told): Json<Value>| {
        let reports = told["outcomes"].as_array().unwrap().clone();
        ends.outcomes.lock().unwrap().extend(reports);
        let (status, word) = *ends.says.lock().unwrap();
        let results = json!([{"approval_id": "apr-1", "status": word}]);
        (
            StatusCode::from_u16(status).unwrap(),
            Json(json!({"results": results})),
        )
    };
    let router = axum::Router::new()
        .route("/api/actions/execute", post(submit))
        .route("/api/approvals/outcomes", post(end));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's runtime.
    drop(tokio::spawn(async { axum::serve(listener, router).await }));
    (service, url)
}

#[tokio::test]
async fn a_server_is_not_answered_unless_the_service_recorded_what_it_is_told() {
    for (status, word) in [
        (200, "invalid_claim_token"),
        (200, "not_found"),
        (403, "recorded"),
        (404, "recorded"),
    ] {
        let (service, url) = serve(&["outcome"]).await;
        let rig = Rig::new();
        let gate = rig.gate_with(Client::builder().base_url(url));
        let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
        let asked = forward.answer(&asks(Some("theirs")));
        *service.says.lock().unwrap() = (status, word);
        let params = answering(&asked);
        let refused = decision(gate.call(new(&params), &*rig.server).await);
        assert_eq!(refused["approval_id"], "apr-1", "{refused}");
        // What was refused is used up; a call without it asks anew.
        let again = answered(gate.call(new(&params), &*rig.server).await);
        assert_eq!(again["error"]["code"], -32602);
        *service.says.lock().unwrap() = (200, "recorded");
        forwarded(gate.call(new(&write()), &*rig.server).await);
    }
}

#[tokio::test]
async fn where_a_service_takes_no_reports_a_server_is_answered_all_the_same() {
    let (service, url) = serve(&[]).await;
    let rig = Rig::new();
    let gate = rig.gate_with(Client::builder().base_url(url));
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    let asked = forward.answer(&asks(Some("theirs")));
    let forward = forwarded(gate.call(new(&answering(&asked)), &*rig.server).await);
    assert_eq!(forward.message["params"]["inputResponses"], answers());
    forward.answer(&json!({"resultType": "complete", "content": []}));
    assert!(service.outcomes.lock().unwrap().is_empty());
}
