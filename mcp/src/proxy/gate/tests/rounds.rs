//! Sealed states: a person is asked over several requests, and a server asks for input itself.

use serde_json::{Value, json};
use sernixa::embedded::engine::Decision;

use super::super::*;
use super::rig::*;

fn with(mut params: Value, name: &str, value: &Value) -> Value {
    params[name] = value.clone();
    params
}

fn retry(state: &Value) -> Value {
    with(write(), "requestState", state)
}

/// The state of an `input_required`, which must not hold more than that.
fn state_of(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_eq!(result["resultType"], "input_required", "{answer}");
    assert!(result.get("isError").is_none());
    result["requestState"].clone()
}

fn fault(answer: &Value) -> &str {
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    answer["error"]["message"].as_str().unwrap()
}

#[tokio::test]
async fn a_host_comes_back_with_the_state_finds_its_approval_and_the_server_sees_neither() {
    let rig = Rig::new().undecided();
    let gate = rig.gate();
    let state = state_of(&answered(gate.call(new(&write()), &*rig.server).await));
    let id = rig.approve();
    let next = rig.gate();
    let own = json!({"sernixa_review": {"action": "accept"}});
    let params = with(retry(&state), "inputResponses", &own);
    let forward = forwarded(next.call(new(&params), &*rig.server).await);
    assert_eq!(forward.message["params"], write());
    forward.answer(&json!({"resultType": "complete", "content": []}));
    rig.assert_ends(&id, "succeeded");
}

#[tokio::test]
async fn a_state_that_is_changed_foreign_or_used_is_an_error_and_reaches_nobody() {
    let rig = Rig::new().undecided();
    let gate = rig.gate();
    let state = state_of(&answered(gate.call(new(&write()), &*rig.server).await));
    rig.approve();
    let text = state.as_str().unwrap();
    let refused = async |gate: &ToolGate, params: Value| {
        let answer = answered(gate.call(new(&params), &*rig.server).await);
        assert!(fault(&answer).contains("requestState"), "{answer}");
    };
    refused(&gate, retry(&json!(format!("{text}-TAMPERED")))).await;
    refused(&gate, retry(&json!(text.to_lowercase()))).await;
    refused(&gate, retry(&json!(&text[..text.len() - 1]))).await;
    refused(&gate, with(retry(&state), "name", &json!("read"))).await;
    refused(&gate, with(retry(&state), "arguments", &json!({}))).await;
    refused(&gate, with(retry(&state), "future", &json!(1))).await;
    let mut elsewhere = Rig::new();
    elsewhere.engine = rig.engine.clone();
    refused(&elsewhere.gate(), retry(&state)).await;
    elsewhere.folder = rig.folder.clone();
    elsewhere.name = "mail".to_owned();
    refused(&elsewhere.gate(), retry(&state)).await;
    // None of that used it up.
    forwarded(gate.call(new(&retry(&state)), &*rig.server).await);
    refused(&gate, retry(&state)).await;
    refused(&rig.gate(), retry(&state)).await;
}

#[tokio::test]
async fn after_eight_rounds_the_host_is_told_to_call_again_and_that_finds_the_approval() {
    let rig = Rig::new().undecided();
    let gate = rig.gate();
    let mut params = write();
    let mut states = Vec::new();
    for _ in 0..8 {
        let state = state_of(&answered(gate.call(new(&params), &*rig.server).await));
        assert!(!states.contains(&state), "each is another");
        params = retry(&state);
        states.push(state);
    }
    let last = decision(gate.call(new(&params), &*rig.server).await);
    assert_eq!(last["status"], "pending_review");
    let id = rig.approve();
    assert_eq!(last["approval_id"], id, "all were one");
    forwarded(gate.call(new(&write()), &*rig.server).await);
}

#[tokio::test]
async fn identical_calls_come_back_each_to_its_own_approval() {
    let rig = Rig::new().undecided();
    let gate = rig.gate();
    let call = || gate.call(new(&write()), &*rig.server);
    let (one, two) = tokio::join!(call(), call());
    let states = [state_of(&answered(one)), state_of(&answered(two))];
    let pending = rig.pending();
    assert_eq!(pending.len(), 2);
    let second = decided(&rig, &gate, &states[1]).await;
    assert!(
        pending
            .iter()
            .any(|asked| asked.approval_id().to_string() == second)
    );
    rig.assert_ends(&second, "not_started");
    assert_eq!(rig.pending().len(), 1, "the other still waits");
}

/// Comes back with a state, has exactly that approved, and says which it was.
async fn decided(rig: &Rig, gate: &ToolGate, state: &Value) -> String {
    let answer = answered(gate.call(new(&retry(state)), &*rig.server).await);
    let decision = &answer["result"]["_meta"]["sernixa/decision"];
    let id = decision["approval_id"].as_str().unwrap().to_owned();
    let parsed = sernixa::embedded::engine::ApprovalId::parse(&id).unwrap();
    rig.decide(parsed, Decision::Approve);
    let again = new(&retry(&state_of(&answer)));
    let forward = forwarded(gate.call(again, &*rig.server).await);
    forward.started.not_started();
    id
}

#[tokio::test]
async fn a_host_that_opens_urls_is_sent_to_the_console_once() {
    let mut rig = Rig::new().hold(Duration::ZERO);
    rig.console = Url::parse("https://sernixa.example/console").ok();
    let gate = rig.gate();
    let elicits = |params: &Value| {
        let mut call = new(params);
        call.elicits_url = true;
        call
    };
    let answer = answered(gate.call(elicits(&write()), &*rig.server).await);
    let id = rig.waiting().approval_id().to_string();
    let asked = &answer["result"]["inputRequests"]["sernixa_review"];
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(asked["params"]["mode"], "url");
    let url = format!("https://sernixa.example/console#/approvals/{id}");
    assert_eq!(asked["params"]["url"], url);
    assert!(
        asked["params"]["message"]
            .as_str()
            .unwrap()
            .contains("write on files")
    );
    let own = |action: &str| json!({"sernixa_review": {"action": action}});
    let state = state_of(&answer);
    let params = with(retry(&state), "inputResponses", &own("accept"));
    // Without a hold there is nothing to come back for a second time.
    assert_eq!(
        status(gate.call(elicits(&params), &*rig.server).await),
        "pending_review"
    );

    let answer = answered(gate.call(elicits(&write()), &*rig.server).await);
    let params = with(retry(&state_of(&answer)), "inputResponses", &own("decline"));
    let declined = decision(gate.call(elicits(&params), &*rig.server).await);
    assert_eq!(
        (&declined["status"], &declined["approval_id"]),
        (&json!("pending_review"), &json!(id))
    );

    rig.hold = Duration::from_secs(45);
    let gate = rig.gate();
    let answer = answered(gate.call(elicits(&write()), &*rig.server).await);
    let params = with(retry(&state_of(&answer)), "inputResponses", &own("accept"));
    let answer = answered(gate.call(elicits(&params), &*rig.server).await);
    assert!(answer["result"].get("inputRequests").is_none(), "{answer}");
    state_of(&answer);
    // A host that did not say that it opens URLs is never sent to one.
    let answer = answered(gate.call(new(&write()), &*rig.server).await);
    assert!(answer["result"].get("inputRequests").is_none(), "{answer}");
}

/// What a server asks for.
pub(super) fn asks(state: Option<&str>) -> Value {
    let mut result = json!({
        "resultType": "input_required",
        "inputRequests": {"name": {"method": "elicitation/create", "params": {"message": "who?"}}},
    });
    if let Some(state) = state {
        result["requestState"] = state.into();
    }
    result
}

pub(super) fn answers() -> Value {
    json!({"name": {"action": "accept", "content": {"name": "Ada"}}})
}

/// The params of a host that answers what was asked.
pub(super) fn answering(answer: &Value) -> Value {
    with(retry(&state_of(answer)), "inputResponses", &answers())
}

#[tokio::test]
async fn a_servers_own_questions_belong_to_the_one_start_and_its_state_travels_inside_ours() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    let answer = forward.answer(&asks(Some("theirs \"1\"")));
    assert_eq!(
        answer["result"]["inputRequests"],
        asks(None)["inputRequests"]
    );
    let state = state_of(&answer);
    assert!(!state.as_str().unwrap().contains("theirs"));
    // Another process of the proxy takes it up.
    let next = rig.gate();
    let params = answering(&answer);
    let forward = forwarded(next.call(new(&params), &*rig.server).await);
    assert!(rig.pending().is_empty(), "nobody was asked");
    assert_eq!(forward.message["params"]["requestState"], "theirs \"1\"");
    assert_eq!(forward.message["params"]["inputResponses"], answers());
    assert_eq!(forward.message["params"]["arguments"], write()["arguments"]);
    let again = answered(next.call(new(&params), &*rig.server).await);
    assert!(fault(&again).contains("used before"));
    let answer = forward.answer(&asks(None));
    let forward = forwarded(next.call(new(&answering(&answer)), &*rig.server).await);
    assert!(
        forward.message["params"].get("requestState").is_none(),
        "it had none"
    );
    let done = forward.answer(&json!({"resultType": "complete", "content": []}));
    assert_eq!(done["result"]["content"], json!([]));
}

#[tokio::test]
async fn what_one_service_allowed_one_caller_goes_on_for_no_other() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    let params = answering(&forward.answer(&asks(Some("theirs"))));
    // All on one state, as proxies of one user are.
    let ours = || {
        let key = rig.state().binding_key();
        Client::builder().environment(|_| None).binding_key(key)
    };
    let (engine, service) = (rig.engine.clone(), "http://127.0.0.1:1");
    for other in [
        ours().engine(engine).access_token("the-credential-of-bob"),
        ours().base_url(service),
        ours()
            .base_url(service)
            .access_token("the-credential-of-bob"),
    ] {
        let other = rig.gate_of(other.build().unwrap(), rig.state());
        let answer = answered(other.call(new(&params), &*rig.server).await);
        assert!(fault(&answer).contains("requestState"), "{answer}");
    }
    // It was not used up, and whoever is the same goes on.
    forwarded(rig.gate().call(new(&params), &*rig.server).await);
}

#[tokio::test]
async fn the_start_ends_as_continued() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    let answer = forward.answer(&asks(Some("s")));
    let told = rig.server.told.lock().unwrap()[0].clone();
    let id = &told.split("approval ").nth(1).unwrap()[..36];
    rig.assert_ends(id, "continued");
    state_of(&answer);
}

#[tokio::test]
async fn a_server_may_ask_eight_times() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let mut forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    for nth in 0..8 {
        let answer = forward.answer(&asks(Some(&nth.to_string())));
        forward = forwarded(gate.call(new(&answering(&answer)), &*rig.server).await);
    }
    let answer = forward.answer(&asks(Some("8")));
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(
        answer["result"]["_meta"]["sernixa/decision"]["status"],
        "failed"
    );
    assert!(rig.pending().is_empty());
}

#[tokio::test]
async fn a_retry_with_other_arguments_or_in_place_of_another_call_is_refused() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    drop(decides);
    let answer = forward.answer(&asks(Some("s")));
    for change in [
        ("arguments", json!({"path": "/etc"})),
        ("name", json!("read")),
        ("more", json!(1)),
    ] {
        let params = with(answering(&answer), change.0, &change.1);
        fault(&answered(gate.call(new(&params), &*rig.server).await));
    }
    assert!(rig.pending().is_empty());
}

const CRITICAL: &str = "[mcp.servers.files]\nrisk_level = \"critical\"";

#[tokio::test]
async fn at_high_and_critical_the_answers_to_a_server_are_a_new_question_bound_to_them() {
    let rig = Rig::new().config(CRITICAL).hold(Duration::ZERO);
    let gate = rig.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    let first = rig.approve();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    let asked = forward.answer(&asks(Some("theirs")));
    rig.assert_ends(&first, "continued");
    let refused = decision(gate.call(new(&answering(&asked)), &*rig.server).await);
    assert_eq!(refused["status"], "pending_review");
    let again = rig.waiting();
    assert_ne!(again.approval_id().to_string(), first);
    let metadata = rig.metadata(again.approval_id());
    let digest = metadata["mcp_input_digest"].as_str().unwrap();
    assert!(digest.starts_with("hmac-sha256:"));
    assert!(!again.metadata().contains("Ada"));
}

#[tokio::test]
async fn what_a_server_is_answered_waits_in_the_state_until_a_person_has_approved_it() {
    let rig = Rig::new().undecided().config(CRITICAL);
    let gate = rig.gate();
    let held = answered(gate.call(new(&write()), &*rig.server).await);
    rig.approve();
    let forward = forwarded(gate.call(new(&retry(&state_of(&held))), &*rig.server).await);
    let asked = forward.answer(&asks(Some("theirs")));
    let held = answered(gate.call(new(&answering(&asked)), &*rig.server).await);
    let state = state_of(&held);
    assert!(held["result"].get("inputRequests").is_none());
    rig.approve();
    // Others than those that were approved.
    let mallory = json!({"name": {"action": "accept", "content": {"name": "Mallory"}}});
    let params = with(retry(&state), "inputResponses", &mallory);
    fault(&answered(gate.call(new(&params), &*rig.server).await));
    // A host repeats none: it was asked nothing.
    let forward = forwarded(gate.call(new(&retry(&state)), &*rig.server).await);
    assert_eq!(forward.message["params"]["requestState"], "theirs");
    assert_eq!(forward.message["params"]["inputResponses"], answers());
}

#[tokio::test]
async fn answers_that_nobody_asked_for_are_bound_like_arguments() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    let params = |name: &str| {
        let answers = json!({"name": {"action": "accept", "content": {"name": name}}});
        with(write(), "inputResponses", &answers)
    };
    assert_eq!(
        status(gate.call(new(&params("Ada")), &*rig.server).await),
        "pending_review"
    );
    rig.approve();
    assert_eq!(
        status(gate.call(new(&params("Eve")), &*rig.server).await),
        "pending_review"
    );
    assert_eq!(
        status(gate.call(new(&write()), &*rig.server).await),
        "pending_review"
    );
    let forward = forwarded(gate.call(new(&params("Ada")), &*rig.server).await);
    assert_eq!(forward.message["params"], params("Ada"));
}

#[tokio::test]
async fn a_tool_that_changed_meanwhile_is_asked_about_before_its_server_is_answered() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    rig.approve();
    let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
    let asked = forward.answer(&asks(Some("s")));
    let mut changed = tool("write");
    changed["description"] = "changed".into();
    gate.listed(&list(&json!([changed]), None)).await;
    assert_eq!(
        status(gate.call(new(&answering(&asked)), &*rig.server).await),
        "pending_review"
    );
    assert_eq!(rig.waiting().risk_level(), sernixa::RiskLevel::High);
}

#[tokio::test]
async fn a_servers_state_that_cannot_be_carried_is_an_error_and_no_way_round_the_gate() {
    let rig = Rig::new();
    let gate = rig.gate();
    let _decides = rig.approve_all();
    for odd in [json!(7), json!(null), json!("x".repeat(300_000))] {
        let forward = forwarded(gate.call(new(&write()), &*rig.server).await);
        let mut result = asks(None);
        result["requestState"] = odd;
        let answer = forward.answer(&result);
        assert_eq!(answer["error"]["code"], -32603);
    }
}

#[tokio::test]
async fn in_the_older_generation_such_a_result_is_one_like_any_other() {
    let rig = Rig::new();
    let gate = rig.gate();
    let _decides = rig.approve_all();
    let forward = forwarded(gate.call(old(&write()), &*rig.server).await);
    let answer = forward.answer(&asks(Some("theirs")));
    assert_eq!(answer["result"], asks(Some("theirs")));
}
