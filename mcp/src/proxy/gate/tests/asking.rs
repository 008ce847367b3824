//! Asking, waiting, resuming, refusing.

use serde_json::json;
use sernixa::embedded::engine::Decision;
use sernixa::testing::TestGate;

use super::super::*;
use super::rig::*;
use crate::proxy::seam::Generation;

const LOW: &str =
    "[mcp.servers.files.tools.write]\nrisk_level = \"low\"\noperation_class = \"read\"";

#[tokio::test]
async fn what_a_policy_lets_through_is_forwarded_as_it_came_and_its_end_is_reported() {
    let rig = Rig::new().config(LOW);
    let gate = rig.gate();
    for (result, execution) in [
        (json!({"content": []}), "succeeded"),
        (json!({"content": [], "isError": true}), "failed"),
        (json!({"content": [], "isError": "yes"}), "failed"),
        (json!({"task": {"taskId": "t"}}), "outcome_unknown"),
    ] {
        let request = old(&write());
        let bytes = request.request.bytes().clone();
        let forward = gate.call(request, &*rig.server).await;
        let Verdict::Forward { message, started } = forward else {
            panic!("not forwarded")
        };
        assert_eq!(message.bytes(), &bytes);
        let answer = to_host(&json!({"jsonrpc": "2.0", "id": "c-1", "result": result}));
        assert_eq!(&started.answered(&answer), answer.bytes());
        let last = last(&rig).approval_id().to_string();
        rig.assert_ends(&last, execution);
    }
    assert_eq!(
        rig.server.asked.load(std::sync::atomic::Ordering::Relaxed),
        1
    );
}

/// The approval that something was heard of last.
fn last(rig: &Rig) -> sernixa::embedded::Record {
    use sernixa::embedded::engine::Principal;
    let events = rig.engine.audit(&Principal::local(), 0, 10_000).unwrap();
    let id = events.iter().rev().find_map(|event| event.approval_id);
    rig.record(id.unwrap())
}

#[tokio::test]
async fn a_call_waits_for_a_person_says_so_and_runs_once() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decides = rig.approve_all();
    let forward = forwarded(gate.call(old(&write()), &*rig.server).await);
    drop(decides);
    let told = rig.server.told.lock().unwrap().clone();
    let id = told[0].split("approval ").nth(1).unwrap()[..36].to_owned();
    assert!(
        told[0].contains("waiting for a person to approve write on files"),
        "{told:?}"
    );
    assert!(
        told[0].contains(&format!("sernixa approvals approve {id}")),
        "{told:?}"
    );
    assert_eq!(rig.execution(&id), "claimed");
    forward.answer(&json!({"content": []}));
    rig.assert_ends(&id, "succeeded");
}

#[tokio::test]
async fn what_was_approved_of_a_tool_that_changed_meanwhile_is_not_forwarded() {
    for changed in [
        Some(json!([{"name": "write", "description": "now it mails", "inputSchema": {}}])),
        Some(json!([])),
        None,
    ] {
        let rig = Rig::new();
        let gate = rig.gate();
        let call = gate.call(old(&write()), &*rig.server);
        let decide = async {
            while rig.pending().is_empty() {
                tokio::task::yield_now().await;
            }
            *rig.server.pages.lock().unwrap() = changed.map(|tools| vec![tools]);
            gate.tools_changed();
            rig.approve()
        };
        let (verdict, id) = tokio::join!(call, decide);
        let decision = decision(verdict);
        assert_eq!(
            (&decision["status"], &decision["approval_id"]),
            (&json!("tool_changed"), &json!(id))
        );
        rig.assert_ends(&id, "not_started");
    }
}

#[tokio::test]
async fn what_was_approved_runs_when_other_tools_changed_meanwhile() {
    let rig = Rig::new();
    let gate = rig.gate();
    let call = gate.call(old(&write()), &*rig.server);
    let decide = async {
        while rig.pending().is_empty() {
            tokio::task::yield_now().await;
        }
        *rig.server.pages.lock().unwrap() = Some(vec![json!([tool("other"), tool("write")])]);
        gate.tools_changed();
        rig.approve()
    };
    let (verdict, id) = tokio::join!(call, decide);
    forwarded(verdict).answer(&json!({"content": []}));
    rig.assert_ends(&id, "succeeded");
}

#[tokio::test]
async fn a_call_that_was_handed_over_and_lost_is_unknown_and_one_that_was_not_did_not_start() {
    let rig = Rig::new();
    let gate = rig.gate();
    let _decides = rig.approve_all();
    for lost in [true, false] {
        let forward = forwarded(gate.call(old(&write()), &*rig.server).await);
        let id = last(&rig).approval_id().to_string();
        let expected = if lost {
            forward.started.lost();
            "outcome_unknown"
        } else {
            forward.started.not_started();
            "not_started"
        };
        rig.assert_ends(&id, expected);
    }
}

#[tokio::test]
async fn what_a_person_refuses_is_not_forwarded() {
    let rig = Rig::new();
    let gate = rig.gate();
    let request = old(&write());
    let call = gate.call(request, &*rig.server);
    let decide = async {
        while rig.pending().is_empty() {
            tokio::task::yield_now().await;
        }
        rig.decide(rig.waiting().approval_id(), Decision::Reject);
    };
    let (verdict, ()) = tokio::join!(call, decide);
    let decision = decision(verdict);
    assert_eq!(decision["status"], "rejected");
    assert_eq!(decision["reason"], "as the test says");
    assert!(
        decision["approval_id"]
            .as_str()
            .unwrap()
            .starts_with("apr_")
    );
}

#[tokio::test]
async fn the_same_call_again_resumes_in_this_process_and_in_the_next_and_runs_once() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    let answer = answered(gate.call(old(&write()), &*rig.server).await);
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    let id = rig.waiting().approval_id().to_string();
    assert!(
        text.contains(&format!("sernixa approvals approve {id}")),
        "{text}"
    );
    assert!(
        text.contains("call write again with the same arguments"),
        "{text}"
    );
    let again = decision(gate.call(old(&write()), &*rig.server).await);
    assert_eq!(
        (&again["status"], &again["approval_id"]),
        (&json!("pending_review"), &json!(id))
    );
    drop(gate);
    let next = rig.gate();
    assert_eq!(
        status(next.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    assert_eq!(rig.approve(), id);
    forwarded(next.call(old(&write()), &*rig.server).await).answer(&json!({"content": []}));
    rig.assert_ends(&id, "succeeded");
    let more = decision(next.call(old(&write()), &*rig.server).await);
    assert_eq!(more["status"], "pending_review");
    assert_ne!(more["approval_id"], id, "it asks anew");
}

#[tokio::test]
async fn an_approval_lets_no_other_call_run() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    rig.approve();
    let other = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut params = write();
        change(&mut params);
        old(&params)
    };
    let mut others = vec![
        other(&|params| params["arguments"]["path"] = "/srv/b".into()),
        other(&|params| params["arguments"]["more"] = serde_json::Value::Null),
        other(&|params| params["arguments"] = json!({})),
        other(&|params| params["task"] = json!({"ttl": 1})),
        other(&|params| params["name"] = "Write".into()),
    ];
    let mut stranger = old(&write());
    stranger.host_name = Some("another".to_owned());
    others.push(stranger);
    for other in others {
        assert_eq!(
            status(gate.call(other, &*rig.server).await),
            "pending_review"
        );
    }
    // What is only about the request does not count.
    let same = other(&|params| params["_meta"] = json!({"progressToken": 7}));
    forwarded(gate.call(same, &*rig.server).await);
}

#[tokio::test]
async fn identical_calls_at_once_have_an_approval_each() {
    let rig = Rig::new();
    let gate = rig.gate();
    let decide = async {
        while rig.pending().len() < 3 {
            tokio::task::yield_now().await;
        }
        for asked in rig.pending() {
            rig.decide(asked.approval_id(), Decision::Approve);
        }
    };
    let call = || gate.call(old(&write()), &*rig.server);
    let (one, two, three, ()) = tokio::join!(call(), call(), call(), decide);
    for verdict in [one, two, three] {
        forwarded(verdict);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_its_approval_for_the_next() {
    let rig = Rig::new();
    let gate = rig.gate();
    {
        let request = old(&write());
        let call = gate.call(request, &*rig.server);
        let asked = async {
            while rig.pending().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = call => panic!("it was decided"),
            () = asked => {}
        }
    }
    let id = rig.approve();
    forwarded(gate.call(old(&write()), &*rig.server).await)
        .started
        .not_started();
    rig.assert_ends(&id, "not_started");
}

#[tokio::test]
async fn values_stay_here_and_what_identifies_the_call_goes_along() {
    let rig = Rig::new().hold(Duration::ZERO).tools(
        json!([{"name": "write", "inputSchema": {}, "annotations": {"readOnlyHint": false}}]),
    );
    let gate = rig.gate();
    let mut params = write();
    params["task"] = json!({"ttl": 60_000});
    assert_eq!(
        status(gate.call(old(&params), &*rig.server).await),
        "pending_review"
    );
    let asked = rig.waiting();
    assert_eq!(asked.intent_id(), "mcp:files");
    assert_eq!(asked.action_id(), "mcp.files.write");
    assert_eq!(asked.operation_class(), "tool_call");
    assert_eq!(asked.summary(), Some("files: write(path, text)"));
    let metadata = rig.metadata(asked.approval_id());
    assert_eq!(metadata["mcp_server"], "files");
    assert_eq!(metadata["mcp_tool"], "write");
    assert_eq!(metadata["mcp_client"], "host");
    assert_eq!(metadata["mcp_pin"], "accepted");
    assert_eq!(metadata["mcp_read_only"], false);
    assert!(metadata.get("mcp_destructive").is_none());
    assert!(
        metadata["mcp_tool_digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert!(
        metadata["mcp_params_digest"]
            .as_str()
            .unwrap()
            .starts_with("hmac-sha256:")
    );
    assert!(
        metadata["arguments_digest"]
            .as_str()
            .unwrap()
            .starts_with("hmac-sha256:")
    );
    for absent in [
        "mcp_session_id",
        "mcp_request_id",
        "mcp_arguments",
        "mcp_input_digest",
    ] {
        assert!(metadata.get(absent).is_none(), "{absent}");
    }
    assert!(!asked.metadata().contains("hunter2"));

    let mut captured = Rig::new().hold(Duration::ZERO);
    captured.capture = true;
    let gate = captured.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*captured.server).await),
        "pending_review"
    );
    let metadata = captured.metadata(captured.waiting().approval_id());
    assert_eq!(metadata["mcp_arguments"]["path"], "/srv/a");
}

#[tokio::test]
async fn the_operators_words_are_what_is_submitted() {
    let rig = Rig::new().hold(Duration::ZERO).config(
        "[mcp.servers.files]\nintent_id = \"file-work\"\nsystems = [\"nas\"]\n\
         [mcp.servers.files.tools.write]\nrisk_level = \"critical\"\n\
         operation_class = \"update\"\ndata_sensitivity = \"confidential\"",
    );
    let gate = rig.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    let asked = rig.waiting();
    assert_eq!(asked.intent_id(), "file-work");
    assert_eq!(asked.risk_level(), sernixa::RiskLevel::Critical);
    assert_eq!(asked.operation_class(), "update");
    assert_eq!(asked.data_sensitivity(), "confidential");
    assert_eq!(asked.systems_touched().collect::<Vec<_>>(), ["nas"]);
}

#[tokio::test]
async fn whatever_keeps_the_service_from_saying_yes_keeps_the_call_from_the_server() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("http://{}", silent.local_addr().unwrap());
    let quick = || {
        Client::builder()
            .max_retries(0)
            .timeout(Duration::from_millis(200))
    };
    for (client, says) in [
        (quick().base_url(nobody), "unavailable"),
        (quick().base_url(mute), "timeout"),
        (
            quick().base_url("embedded:").require_delegation(true),
            "configuration",
        ),
    ] {
        let rig = Rig::new();
        let gate = rig.gate_with(client);
        for generation in [Generation::Sessions, Generation::Stateless] {
            let verdict = gate.call(call(generation, &write()), &*rig.server).await;
            assert_eq!(status(verdict), says);
        }
    }
    let rig = Rig::new();
    let gate = rig.gate();
    gate.core.settings.client.close().await;
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "configuration"
    );
}

#[tokio::test]
async fn where_nothing_can_be_resumed_a_held_call_expires() {
    let asked = TestGate::new();
    let held = asked.hold("mcp:files");
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate_of(asked.client().unwrap(), rig.state());
    let decision = decision(gate.call(new(&write()), &*rig.server).await);
    assert_eq!(decision["status"], "expired");
    drop(held);
    asked.refuse("mcp:files", "not today");
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "rejected"
    );
}

#[tokio::test]
async fn a_call_that_is_none_is_an_error_and_nobody_is_asked() {
    let rig = Rig::new().config(LOW);
    let gate = rig.gate();
    for (generation, params) in [
        (
            Generation::Stateless,
            json!({"name": "write", "inputResponses": null}),
        ),
        (
            Generation::Stateless,
            json!({"name": "write", "inputResponses": []}),
        ),
        (
            Generation::Stateless,
            json!({"name": "write", "requestState": 1}),
        ),
        (
            Generation::Stateless,
            json!({"name": "write", "requestState": null}),
        ),
        (
            Generation::Stateless,
            json!({"name": "write", "requestState": ""}),
        ),
        (
            Generation::Stateless,
            json!({"name": "write", "requestState": "theirs"}),
        ),
    ] {
        let answer = answered(gate.call(call(generation, &params), &*rig.server).await);
        assert_eq!(answer["error"]["code"], -32602, "{params}");
    }
    assert_eq!(
        rig.server.asked.load(std::sync::atomic::Ordering::Relaxed),
        0
    );
    // In the older generation these are members that a server may know.
    let params = json!({"name": "write", "requestState": "theirs"});
    let forward = forwarded(gate.call(old(&params), &*rig.server).await);
    assert_eq!(forward.message["params"], params);
}

#[tokio::test]
async fn structured_content_is_given_only_for_a_tool_that_surely_has_no_output_schema() {
    let with = json!({"name": "write", "inputSchema": {}, "outputSchema": {"type": "object"}});
    for (tools, structured) in [
        (json!([tool("write")]), true),
        (json!([with]), false),
        (json!([]), false),
    ] {
        let rig = Rig::new().hold(Duration::ZERO).tools(tools);
        let answer = answered(rig.gate().call(old(&write()), &*rig.server).await);
        let result = &answer["result"];
        assert_eq!(result.get("structuredContent").is_some(), structured);
        if structured {
            assert_eq!(
                result["structuredContent"],
                result["_meta"]["sernixa/decision"]
            );
        }
    }
}

#[tokio::test]
async fn a_call_that_was_refused_after_it_was_answered_is_told_so_once() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    let id = rig.waiting().approval_id();
    rig.decide(id, Decision::Reject);
    let mut other = write();
    other["arguments"]["path"] = "/srv/b".into();
    assert_eq!(
        status(gate.call(old(&other), &*rig.server).await),
        "pending_review"
    );
    // In the next process, too.
    let next = rig.gate();
    let told = decision(next.call(old(&write()), &*rig.server).await);
    assert_eq!(told["status"], "rejected");
    assert_eq!(told["reason"], "as the test says");
    assert_eq!(told["approval_id"], id.to_string());
    assert_eq!(rig.pending().len(), 1, "nobody is asked again");
    let again = decision(next.call(old(&write()), &*rig.server).await);
    assert_eq!(again["status"], "pending_review", "who insists asks anew");
    assert_ne!(again["approval_id"], id.to_string());
}

#[tokio::test]
async fn what_people_approved_three_times_runs_unasked_and_a_changed_tool_does_not() {
    let rig = Rig::new();
    let decides = rig.approve_all();
    for _ in 0..3 {
        // A process for each call, as some hosts have it.
        forwarded(rig.gate().call(old(&write()), &*rig.server).await)
            .answer(&json!({"content": []}));
    }
    drop(decides);
    let rig = rig.hold(Duration::ZERO);
    let gate = rig.gate();
    forwarded(gate.call(old(&write()), &*rig.server).await);
    let mut changed = tool("write");
    changed["description"] = "changed".into();
    gate.listed(&list(&json!([changed]), None)).await;
    assert_eq!(
        status(gate.call(old(&write()), &*rig.server).await),
        "pending_review"
    );
    assert_eq!(rig.waiting().risk_level(), sernixa::RiskLevel::High);
}
