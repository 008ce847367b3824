//! `McpToolBoundary`: MCP-style dispatch.

use serde_json::{Map, Value, json};
use sernixa::boundary::{McpInvocation, McpToolBoundary};
use sernixa::dlp::Mode;
use sernixa::protocol::canonicalize;
use sernixa::testing::{Recorded, TestGate};
use sernixa::{Client, DataSensitivity, Error, OperationClass, RiskLevel};

use super::{both, client, vectors};
use crate::support::reply::Reply;
use crate::support::server::Server;
use crate::support::service::{SUBMIT, Says, Service};

/// Invokes through both doors.
fn invoke(boundary: &McpToolBoundary, call: &McpInvocation) -> Result<(), Error> {
    both(
        |ran| boundary.invoke(call, ran),
        async |ran| boundary.invoke_async(call, || async { ran() }).await,
    )
}

fn deletion() -> McpInvocation {
    McpInvocation::new("files", "delete_file")
        .client_name("host")
        .session_id("s-7")
        .request_id("42")
        .resource_hints(["/srv"])
        .arguments([("path".to_owned(), json!("/srv/old.csv"))])
}

/// What a gate recorded of one call through both doors.
fn recorded(gate: &TestGate, intent: &str, call: &McpInvocation) -> Recorded {
    let gate = gate.approve(intent);
    let client = gate.client().unwrap();
    let before = gate.submissions().len();
    gate.scope(|| invoke(&McpToolBoundary::new(&client, intent), call))
        .unwrap();
    let asked = gate.submissions();
    assert_eq!(asked.len(), before + 2);
    assert_eq!(asked[before].body_hash(), asked[before + 1].body_hash());
    asked[before].clone()
}

fn capturing() -> TestGate {
    let open = || {
        Client::builder()
            .capture_arguments(true)
            .dlp_mode(Mode::Off)
    };
    TestGate::configured(open)
}

/// The members that the boundary adds to those of any submission.
fn own(metadata: &Map<String, Value>) -> Map<String, Value> {
    let own = metadata.iter().filter(|(name, _)| name.starts_with("mcp_"));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[test]
fn with_capture_the_metadata_are_the_references() {
    let gate = capturing();
    let text = include_str!("../../../protocol/tests/vectors/mcp_metadata.json");
    for case in vectors(text, 60) {
        let fields = &case["fields"];
        let text = |name: &str| fields[name].as_str().map(str::to_owned);
        let hints = fields["resource_hints"].as_array().unwrap();
        let mut call = McpInvocation::new(text("server_name").unwrap(), text("tool_name").unwrap())
            .resource_hints(hints.iter().map(|hint| hint.as_str().unwrap()));
        if let Some(id) = text("toolset_id") {
            call = call.toolset_id(id);
        }
        if let Some(name) = text("client_name") {
            call = call.client_name(name);
        }
        if let Some(id) = text("session_id") {
            call = call.session_id(id);
        }
        if let Some(id) = text("request_id") {
            call = call.request_id(id);
        }
        match &case["arguments"] {
            Value::Null => {}
            Value::Object(arguments) => call = call.arguments(arguments.clone()),
            other => panic!("{other}"),
        }
        let asked = recorded(&gate, "vector", &call);
        let metadata = asked.metadata();
        assert_eq!(Value::Object(own(metadata)), case["metadata"]);
        assert_eq!(metadata["framework"], "mcp");
        assert_eq!(metadata["systems_touched"], json!([fields["server_name"]]));
    }
}

#[test]
fn a_call_is_submitted_as_the_reference_submits_it() {
    let gate = TestGate::new();
    let asked = recorded(&gate, "clean-up", &deletion());
    assert_eq!(asked.action_id(), "mcp.files.delete_file");
    assert_eq!(asked.risk_level(), RiskLevel::Low);
    let metadata = asked.metadata();
    assert_eq!(metadata["operation_class"], "tool_call");
    assert_eq!(metadata["data_sensitivity"], "internal");
    assert_eq!(metadata["systems_touched"], json!(["files"]));
    assert_eq!(metadata["args_count"], 1);
}

#[test]
fn without_capture_the_values_stay_here_and_their_digest_binds() {
    let gate = TestGate::new();
    let asked = recorded(&gate, "clean-up", &deletion());
    assert!(!asked.body().contains("old.csv"), "{}", asked.body());
    assert!(!asked.metadata().contains_key("mcp_arguments"));
    assert_eq!(asked.metadata()["arguments_captured"], false);
    let digest = asked.metadata()["arguments_digest"].clone();
    assert!(digest.is_string());
    let other = deletion().arguments([("path".to_owned(), json!("/srv/new.csv"))]);
    let other = recorded(&gate, "clean-up", &other);
    assert_ne!(other.metadata()["arguments_digest"], digest);
    assert_ne!(other.body_hash(), asked.body_hash());
    // Either way to say the same.
    let text = deletion().arguments_json(r#" {"path" : "\/srv/old.csv"} "#);
    assert_eq!(
        recorded(&gate, "clean-up", &text).body_hash(),
        asked.body_hash()
    );
}

#[test]
fn no_arguments_are_an_empty_object_however_they_are_said() {
    let gate = TestGate::new();
    let none = recorded(&gate, "i", &McpInvocation::new("s", "t"));
    for call in [
        McpInvocation::new("s", "t").arguments([]),
        McpInvocation::new("s", "t").arguments_json("{}"),
        McpInvocation::new("s", "t").arguments_json(" null "),
    ] {
        assert_eq!(recorded(&gate, "i", &call).body_hash(), none.body_hash());
    }
    assert!(none.metadata()["arguments_digest"].is_string());
}

#[test]
fn an_integer_of_any_size_arrives_with_all_its_digits() {
    let arguments = r#"{"n":123456789012345678901234567890,"f":1.0}"#;
    let call = McpInvocation::new("s", "t").arguments_json(arguments);
    let asked = recorded(&capturing(), "i", &call);
    let sent = r#""mcp_arguments":{"f":1.0,"n":123456789012345678901234567890}"#;
    assert!(asked.body().contains(sent), "{}", asked.body());
    assert!(canonicalize(asked.body()).is_ok());
    let near = r#"{"n":123456789012345678901234567891,"f":1.0}"#;
    let near = McpInvocation::new("s", "t").arguments_json(near);
    let digest =
        |call| recorded(&TestGate::new(), "i", call).metadata()["arguments_digest"].clone();
    assert_ne!(digest(&call), digest(&near));
}

#[test]
fn arguments_that_are_no_object_are_refused_before_anything_is_sent() {
    for capture in [false, true] {
        for arguments in [
            "",
            " ",
            "\u{a0}null",
            "[]",
            "1",
            "\"x\"",
            "true",
            "nul",
            "{",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{a:1}",
            "{\"a\":NaN}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":\"\\ud800\"}",
        ] {
            let gate = TestGate::new().approve("i");
            let client = gate.client().unwrap();
            let call = McpInvocation::new("s", "t").arguments_json(arguments);
            let boundary = McpToolBoundary::new(&client, "i").capture_arguments(capture);
            let error = gate.scope(|| invoke(&boundary, &call)).unwrap_err();
            assert!(
                matches!(error, Error::Validation(_)),
                "{arguments}: {error}"
            );
            assert_eq!(gate.submissions().len(), 0, "{arguments}");
        }
    }
}

#[test]
fn names_of_the_boundary_are_its_own_to_write() {
    let gate = TestGate::new().approve("i");
    let client = gate.client().unwrap();
    let boundary = McpToolBoundary::new(&client, "i")
        .risk(RiskLevel::High)
        .class(OperationClass::Execute)
        .sensitivity(DataSensitivity::Restricted)
        .systems(["disk", "index"])
        .metadata([
            ("ticket", "T-1"),
            ("framework", "none"),
            ("mcp_tool", "harmless"),
            ("mcp_arguments", "none"),
            ("mcp_anything", "else"),
        ]);
    gate.scope(|| invoke(&boundary, &deletion())).unwrap();
    let asked = gate.submissions();
    let metadata = asked[0].metadata();
    assert_eq!(metadata["ticket"], "T-1");
    assert_eq!(metadata["framework"], "mcp");
    assert_eq!(metadata["operation_class"], "execute");
    assert_eq!(metadata["data_sensitivity"], "restricted");
    assert_eq!(metadata["systems_touched"], json!(["disk", "index"]));
    assert_eq!(
        Value::Object(own(metadata)),
        json!({"mcp_server": "files", "mcp_tool": "delete_file", "mcp_client": "host",
               "mcp_session_id": "s-7", "mcp_request_id": "42", "mcp_resource_hints": ["/srv"]})
    );
}

#[test]
fn secrets_in_arguments_and_names_are_masked_or_refused() {
    let key = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
    let call = McpInvocation::new("s", "t")
        .session_id(key)
        .arguments([("key".to_owned(), json!(key))]);
    let gate = TestGate::configured(|| Client::builder().capture_arguments(true));
    let asked = recorded(&gate, "i", &call);
    assert!(!asked.body().contains(key), "{}", asked.body());
    // What names the action is never rewritten.
    for call in [McpInvocation::new(key, "t"), McpInvocation::new("s", key)] {
        let client = gate.client().unwrap();
        let error = gate
            .scope(|| invoke(&McpToolBoundary::new(&client, "i"), &call))
            .unwrap_err();
        assert!(matches!(error, Error::Validation(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains(key), "{error:?}");
    }
    assert!(!format!("{call:?}").contains("key"));
}

#[test]
fn a_tool_that_was_refused_does_not_run() {
    for says in [Says::Refused, Says::Pending] {
        let service = Service::full(says);
        service.decide("rejected");
        let client = client(&service.server.url());
        let error = invoke(&McpToolBoundary::new(&client, "i"), &deletion()).unwrap_err();
        assert!(
            matches!(error, Error::Blocked(_) | Error::Rejected(_)),
            "{error}"
        );
        client.close_blocking();
    }
}

#[test]
fn a_tool_that_was_approved_runs_once_and_its_end_is_reported() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = client(&service.server.url());
    let boundary = McpToolBoundary::new(&client, "i").risk(RiskLevel::High);
    invoke(&boundary, &deletion()).unwrap();
    let failed = boundary.invoke(&deletion(), || Err::<(), _>(std::io::Error::other("disk")));
    assert_eq!(failed.unwrap_err().to_string(), "disk");
    client.close_blocking();
    assert_eq!(service.outcomes(3), ["succeeded", "succeeded", "failed"]);
}

#[test]
fn odd_answers_run_nothing() {
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, r#"{"status":"blocked"}"#),
        (200, r#"{"status":"accepted","status":"accepted"}"#),
        (200, r#"{"status":"accepted","decision":"blocked"}"#),
        (201, r#"{"status":"accepted"}"#),
        (202, r#"{"status":"accepted"}"#),
        (302, r#"{"status":"accepted"}"#),
        (403, r#"{"status":"accepted"}"#),
        (500, r#"{"status":"accepted"}"#),
    ] {
        let server = Server::start(move |_| Reply::json(status, body).header("Location", SUBMIT));
        let client = client(&server.url());
        invoke(&McpToolBoundary::new(&client, "i"), &deletion()).unwrap_err();
        client.close_blocking();
    }
}
