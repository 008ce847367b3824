//! What a model reads, and a program, of a call that was not let through: whose fault it is, and what
//! to do next. A model that is told of a policy where there was an error gives up for good; one that is
//! told to try again where a person said no asks that person again and again.

use axum::http::{StatusCode, header};
use axum::routing::post;
use serde_json::{Value, json};

use super::super::*;
use super::rig::*;

/// A gate whose service answers each submission so.
async fn gate_on(rig: &Rig, status: u16, body: &Value) -> ToolGate {
    let answer = (
        StatusCode::from_u16(status).unwrap(),
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    );
    let router =
        axum::Router::new().route("/api/actions/execute", post(async move || answer.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test's runtime.
    drop(tokio::spawn(async { axum::serve(listener, router).await }));
    rig.gate_with(Client::builder().max_retries(0).base_url(url))
}

/// The text for the model, and the decision for programs.
async fn told(rig: &Rig, gate: &ToolGate) -> (String, Value) {
    let answer = answered(gate.call(new(&write()), &*rig.server).await);
    let result = &answer["result"];
    assert_eq!(result["isError"], true, "{answer}");
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{answer}");
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (text, result["_meta"]["sernixa/decision"].clone())
}

fn detail(status: &str, reason: &str) -> Value {
    json!({"detail": {"status": status, "reason": reason}})
}

/// Status and body of a service's answer, and the status and the text that it comes to.
type Case<'a> = (u16, Value, &'a str, &'a str);

async fn assert_told<const N: usize>(cases: [Case<'_>; N]) {
    for (code, body, status, text) in cases {
        let rig = Rig::new();
        let gate = gate_on(&rig, code, &body).await;
        let (model, program) = told(&rig, &gate).await;
        assert_eq!((program["status"].as_str(), &*model), (Some(status), text));
        let reason = program["reason"].as_str().unwrap();
        assert!(text.contains(reason), "{program}: {text}");
        let id = text.contains("apr-1").then_some("apr-1");
        assert_eq!(program["approval_id"].as_str(), id, "{program}");
    }
}

#[tokio::test]
async fn who_refused_a_call_and_what_to_do_next_is_what_the_model_is_told() {
    let ended = |status: &str, reason: &str| json!({"status": status, "approval_id": "apr-1", "reason": reason});
    assert_told([
        // Of no policy, although the engine's word for it is the same.
        (
            403,
            detail("blocked", "engine_error"),
            "unavailable",
            "Not run: whoever decides met an error: engine_error. Call again later, or tell the \
             operator.",
        ),
        (
            200,
            ended("blocked", "engine_error"),
            "unavailable",
            "Not run: whoever decides met an error: engine_error. (Approval apr-1.) Call again later, \
             or tell the operator.",
        ),
        (
            403,
            detail("blocked", "no wipes"),
            "blocked",
            "Not run: a policy forbids this call: no wipes. Do not repeat it as it is.",
        ),
        // What only speaks of the error is none.
        (
            403,
            detail("blocked", "no engine_error"),
            "blocked",
            "Not run: a policy forbids this call: no engine_error. Do not repeat it as it is.",
        ),
        // A person may say what they like.
        (
            200,
            ended("rejected", "engine_error"),
            "rejected",
            "Not run: a person refused this call: engine_error. (Approval apr-1.) Do not repeat it as \
             it is; ask the user what to do instead.",
        ),
        (
            200,
            ended("expired", "too late"),
            "expired",
            "Not run: nobody approved this call in time: too late. (Approval apr-1.) Calling again \
             asks anew.",
        ),
        (
            200,
            ended("failed", "no route"),
            "failed",
            "Not run: the approval service could not decide: no route. (Approval apr-1.) Call again \
             later.",
        ),
        (
            200,
            json!({"status": "executed", "capabilities": ["claim"], "approval_id": "apr-1",
                "reason": "used"}),
            "replayed",
            "Not run: its approval was used by another, identical call: used. (Approval apr-1.) If it \
             is meant to happen once more, call again: that asks anew.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn why_nobody_could_be_asked_and_who_can_help_is_what_the_model_is_told() {
    assert_told([
        // No approval was used: there is none.
        (
            401,
            detail("replayed_nonce", "it was used"),
            "signature_refused",
            "Not run: the approval service took the signed request for a repeated or an old one: \
             it was used. Call again later, or tell the operator: the clock may be wrong.",
        ),
        (
            401,
            detail("stale_timestamp", "300 s"),
            "signature_refused",
            "Not run: the approval service took the signed request for a repeated or an old one: 300 \
             s. Call again later, or tell the operator: the clock may be wrong.",
        ),
        (
            401,
            detail("invalid_signature", "another key"),
            "signature_refused",
            "Not run: the approval service did not accept the signature of the request: another key. \
             Tell the operator.",
        ),
        (
            403,
            detail("out_of_scope", "reads only"),
            "delegation_refused",
            "Not run: the delegation does not cover this call: reads only. Do not repeat it as it is.",
        ),
        (
            401,
            json!({"detail": "who?"}),
            "authentication",
            "Not run: the approval service did not accept the credential: who?. Tell the operator.",
        ),
        (
            429,
            json!({}),
            "rate_limited",
            "Not run: the approval service is asked too often: the service asked to slow down; try \
             again later. Call again later.",
        ),
        (
            503,
            detail("unavailable", "engine_error"),
            "unavailable",
            "Not run: the approval service cannot be reached, or does not answer as it should: the \
             service failed; try again later. Call again later, or tell the operator.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_engine_whose_store_breaks_is_no_policy_that_forbids() {
    let rig = Rig::new().config(
        "[mcp.servers.files.tools.write]\nrisk_level = \"low\"\noperation_class = \"read\"",
    );
    let store = rig.folder.path().join("agents.db");
    let base = format!("embedded:{}", store.display());
    let gate = rig.gate_with(Client::builder().base_url(base));
    drop(forwarded(gate.call(new(&write()), &*rig.server).await));
    let other = rusqlite::Connection::open(&store).unwrap();
    other.execute_batch("DROP TABLE events").unwrap();
    let (model, program) = told(&rig, &gate).await;
    assert_eq!(
        program,
        json!({"status": "unavailable", "reason": "engine_error", "evidence": program["evidence"]})
    );
    assert_eq!(
        model,
        "Not run: whoever decides met an error: engine_error. Call again later, or tell the operator."
    );
}
