//! `Governed`: no tool call reaches the handler without a decision, and the caller is told why.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CreateTaskResult, InputRequiredResult,
    ListToolsResult, PaginatedRequestParams, RequestId, Task, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use sernixa::embedded::Decision;
use sernixa::embedded::engine::ChangeKind;
use sernixa::testing::TestGate;
use sernixa::{Client, OperationClass, RiskLevel};
use sernixa_mcp::Governed;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::support::{Connected, Decides, Files, call, connect};

fn text(result: &CallToolResult) -> &str {
    assert_eq!(result.content.len(), 1, "{result:?}");
    &result.content[0].as_text().unwrap().text
}

fn decision(result: &CallToolResult) -> &Value {
    &result.meta.as_ref().unwrap().0["sernixa/decision"]
}

#[tokio::test]
async fn an_approved_call_reaches_the_tool_and_its_end_is_reported() {
    let mut decides = Decides::by(|_| Decision::approve());
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let Connected { host, .. } = connect(governed).await;

    let result = host
        .call_tool(call("prune", &json!({"name": "b"})))
        .await
        .unwrap();
    assert_eq!((text(&result), result.is_error), ("pruned b", Some(false)));
    assert_eq!(result.meta, None);
    assert_eq!(decides.outcome().await, "succeeded");

    let result = host.call_tool(call("fail", &json!({}))).await.unwrap();
    assert_eq!(
        (text(&result), result.is_error),
        ("no space left", Some(true))
    );
    assert_eq!(decides.outcome().await, "failed");

    // A tool that does not exist is asked for as any other, and fails as the handler says.
    host.call_tool(call("nosuch", &json!({})))
        .await
        .unwrap_err();
    assert_eq!(decides.outcome().await, "failed");
    assert_eq!(files.ran(), 2);
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_tool_and_says_why() {
    let decides = Decides::by(|_| Decision::reject("not on a Friday"));
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let Connected { host, .. } = connect(governed).await;

    let result = host
        .call_tool(call("prune", &json!({"name": "b"})))
        .await
        .unwrap();
    assert_eq!(result.is_error, Some(true));
    assert!(text(&result).starts_with("Not run: "), "{result:?}");
    assert!(text(&result).contains("not on a Friday"), "{result:?}");
    assert_eq!(decision(&result)["status"], "rejected");
    assert_eq!(decision(&result)["reason"], "not on a Friday");
    assert!(decision(&result)["approval_id"].is_string());
    // Some clients hold it against the output schema, which a refusal does not fit.
    assert_eq!(result.structured_content.as_ref(), Some(decision(&result)));
    let result = host
        .call_tool(call("find", &json!({"name": "b"})))
        .await
        .unwrap();
    assert_eq!(result.is_error, Some(true));
    assert_eq!(result.structured_content, None);
    assert_eq!(decision(&result)["status"], "rejected");

    assert_eq!(files.ran(), 0);
    assert_eq!(host.list_all_tools().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_call_that_cannot_be_asked_for_never_reaches_the_tool() {
    let files = Files::default();
    let nowhere = Client::builder()
        .base_url("http://127.0.0.1:1")
        .max_retries(0)
        .build()
        .unwrap();
    let decides = Decides::by(|_| Decision::approve());
    for governed in [
        Governed::new("files", files.clone()).client(&nowhere),
        Governed::new("files", files.clone())
            .client(&decides.client)
            .intent_id(" "),
        Governed::new(" ", files.clone()).client(&decides.client),
        Governed::new("x".repeat(200), files.clone()).client(&decides.client),
        Governed::new("files", files.clone())
            .client(&decides.client)
            .tool("list", |tool| tool.systems(["  "])),
    ] {
        let Connected { host, .. } = connect(governed).await;
        let result = host.call_tool(call("list", &json!({}))).await.unwrap();
        assert_eq!(result.is_error, Some(true));
        let status = decision(&result)["status"].as_str().unwrap();
        assert!(["unavailable", "invalid"].contains(&status), "{result:?}");
    }
    assert_eq!(files.ran(), 0);
}

#[tokio::test]
async fn a_call_that_nobody_decides_on_in_time_expires() {
    let files = Files::default();
    let client = Client::builder()
        .environment(|_| None)
        .engine(sernixa::embedded::Engine::in_memory())
        .reviewer(|_: &sernixa::embedded::Record| Decision::leave())
        .poll_timeout(std::time::Duration::ZERO)
        .build()
        .unwrap();
    let governed = Governed::new("files", files.clone()).client(&client);
    let Connected { host, .. } = connect(governed).await;
    let asked = call("prune", &json!({"name": "b"}));
    let result = host.call_tool(asked).await.unwrap();
    assert_eq!(result.is_error, Some(true));
    assert_eq!(decision(&result)["status"], "expired");
    assert!(text(&result).contains("nobody approved this call in time"));
    assert_eq!(files.ran(), 0);
}

#[tokio::test]
async fn what_is_submitted_names_the_call_and_holds_no_values() {
    let gate = TestGate::new().approve("mcp:files").approve("backups");
    let governed = Governed::new("files", Files::default()).client(&gate.client().unwrap());
    let Connected { host, .. } = connect(governed).await;
    let secret = json!({"name": "the-merger"});
    host.call_tool(call("prune", &secret)).await.unwrap();
    host.call_tool(call("list", &json!({}))).await.unwrap();

    let submissions = gate.submissions();
    let prune = &submissions[0];
    assert_eq!(prune.intent_id(), "mcp:files");
    assert_eq!(prune.action_id(), "mcp.files.prune");
    assert_eq!(prune.risk_level(), RiskLevel::High);
    assert_eq!(prune.summary(), Some("files: prune(name)"));
    let metadata = prune.metadata();
    assert_eq!(metadata["operation_class"], "delete");
    assert_eq!(metadata["data_sensitivity"], "internal");
    assert_eq!(metadata["systems_touched"], json!(["files"]));
    assert_eq!(metadata["mcp_server"], "files");
    assert_eq!(metadata["mcp_tool"], "prune");
    assert_eq!(metadata["mcp_client"], host_name(&host));
    assert!(metadata["mcp_request_id"].is_string());
    assert_eq!(metadata["mcp_destructive"], true);
    assert_eq!(metadata["mcp_idempotent"], false);
    assert_eq!(metadata.get("mcp_read_only"), None);
    assert!(
        metadata["arguments_digest"]
            .as_str()
            .unwrap()
            .starts_with("hmac-sha256:")
    );
    assert!(!prune.body().contains("the-merger"));

    let list = &submissions[1];
    assert_eq!(list.risk_level(), RiskLevel::Medium);
    assert_eq!(list.metadata()["operation_class"], "tool_call");
    assert_ne!(
        list.metadata()["mcp_request_id"],
        metadata["mcp_request_id"]
    );
}

fn host_name(
    host: &rmcp::service::RunningService<rmcp::RoleClient, crate::support::Host>,
) -> String {
    rmcp::ClientHandler::get_info(host.service())
        .client_info
        .name
}

#[tokio::test]
async fn values_are_sent_where_capture_is_on() {
    let gate =
        TestGate::configured(|| Client::builder().capture_arguments(true)).approve("backups");
    let governed = Governed::new("files", Files::default())
        .client(&gate.client().unwrap())
        .intent_id("backups")
        .tool("find", |tool| {
            tool.risk(RiskLevel::Low)
                .class(OperationClass::Read)
                .sensitivity(sernixa::DataSensitivity::Confidential)
                .systems(["nas", "tape"])
        });
    let Connected { host, .. } = connect(governed).await;
    host.call_tool(call("find", &json!({"name": "b"})))
        .await
        .unwrap();
    let submissions = gate.submissions();
    let metadata = submissions[0].metadata();
    assert_eq!(metadata["mcp_arguments"], json!({"name": "b"}));
    assert_eq!(submissions[0].risk_level(), RiskLevel::Low);
    assert_eq!(metadata["operation_class"], "read");
    assert_eq!(metadata["data_sensitivity"], "confidential");
    assert_eq!(metadata["systems_touched"], json!(["nas", "tape"]));
}

#[tokio::test]
async fn another_argument_is_another_call() {
    let gate = TestGate::new().approve("mcp:files");
    let governed = Governed::new("files", Files::default()).client(&gate.client().unwrap());
    let Connected { host, .. } = connect(governed).await;
    for name in ["a", "b"] {
        host.call_tool(call("prune", &json!({"name": name})))
            .await
            .unwrap();
    }
    let submissions = gate.submissions();
    let digest = |at: usize| submissions[at].metadata()["arguments_digest"].clone();
    assert_ne!(digest(0), digest(1));
}

#[tokio::test]
async fn whoever_waits_and_gave_a_token_is_told() {
    let (say, heard) = std::sync::mpsc::channel();
    let heard = std::sync::Mutex::new(heard);
    let mut decides = Decides::by(move |_| heard.lock().unwrap().recv().unwrap());
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let Connected {
        host, mut progress, ..
    } = connect(governed).await;
    let asking = host.call_tool(call("prune", &json!({"name": "b"})));
    let deciding = async {
        // rmcp's client gives a token with every request.
        let told = progress.recv().await.unwrap();
        assert!(told.progress < 0.0, "the tool's own progress begins above");
        let message = told.message.unwrap();
        assert!(
            message.starts_with("waiting for a decision on approval "),
            "{message}"
        );
        assert_eq!(files.ran(), 0);
        say.send(Decision::approve()).unwrap();
    };
    let (result, ()) = tokio::join!(asking, deciding);
    assert_eq!(result.unwrap().is_error, Some(false));
    assert_eq!(decides.outcome().await, "succeeded");
    assert_eq!(files.ran(), 1);
}

/// rmcp's client gives a token with every request, so this client is written by hand.
#[tokio::test]
async fn whoever_gave_no_token_is_told_nothing_but_the_answer() {
    let (say, heard) = std::sync::mpsc::channel();
    let heard = std::sync::Mutex::new(heard);
    let mut decides = Decides::by(move |_| heard.lock().unwrap().recv().unwrap());
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let running = rmcp::service::serve_directly(governed, theirs, None);
    let (output, mut input) = tokio::io::split(ours);
    let mut lines = BufReader::new(output).lines();
    // With a token, as the other test has it, and then without: what is said before the answer.
    for (id, meta, is_told) in [
        (1, r#","_meta":{"progressToken":"t"}"#, true),
        (2, "", false),
        (3, r#","_meta":{}"#, false),
    ] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"prune","arguments":{{"name":"b{id}"}}{meta}}}}}"#
        );
        let ping = format!(r#"{{"jsonrpc":"2.0","id":"ping {id}","method":"ping"}}"#);
        input
            .write_all(format!("{call}\n").as_bytes())
            .await
            .unwrap();
        decides.next(ChangeKind::Asked).await;
        if is_told {
            let told = lines.next_line().await.unwrap().unwrap();
            assert!(told.contains("notifications/progress"), "{told}");
        }
        // The call waits, and the next that is said is the answer to this.
        input
            .write_all(format!("{ping}\n").as_bytes())
            .await
            .unwrap();
        let said = lines.next_line().await.unwrap().unwrap();
        assert!(said.contains(&format!("\"ping {id}\"")), "{said}");
        say.send(Decision::approve()).unwrap();
        let said = lines.next_line().await.unwrap().unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["id"], id, "{said}");
        assert_eq!(said["result"]["isError"], false, "{said}");
    }
    assert_eq!(files.ran(), 3);
    drop(running);
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_taken_back() {
    let mut decides = Decides::by(|_| Decision::leave());
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let Connected { host, .. } = connect(governed).await;
    let peer = host.peer().clone();
    let asking =
        tokio::spawn(async move { peer.call_tool(call("prune", &json!({"name": "b"}))).await });
    let asked = decides.next(ChangeKind::Asked).await;
    // rmcp's client sends `notifications/cancelled` for a request that is dropped.
    asking.abort();
    let ended = decides.next(ChangeKind::Expired).await;
    assert_eq!(ended.approval_id(), asked.approval_id());
    assert_eq!(ended.reason(), "withdrawn");
    assert_eq!(files.ran(), 0);
    assert_eq!(host.list_all_tools().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_session_that_ends_takes_back_what_waits() {
    let mut decides = Decides::by(|_| Decision::leave());
    let files = Files::default();
    let governed = Governed::new("files", files.clone()).client(&decides.client);
    let Connected { host, server, .. } = connect(governed).await;
    let peer = host.peer().clone();
    let asking = tokio::spawn(async move { peer.call_tool(call("list", &json!({}))).await });
    let asked = decides.next(ChangeKind::Asked).await;
    host.cancel().await.unwrap();
    asking.await.unwrap().unwrap_err();
    let ended = decides.next(ChangeKind::Expired).await;
    assert_eq!(ended.approval_id(), asked.approval_id());
    server.await.unwrap();
    assert_eq!(files.ran(), 0);
}

/// A handler that writes everything by hand: no `get_tool`, tools on two pages, and a `tools/call` that
/// ends in whatever it is told.
#[derive(Clone)]
struct ByHand {
    ran: Arc<AtomicUsize>,
    answer: CallToolResponse,
}

impl ServerHandler for ByHand {
    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str, destructive| {
            let hints = ToolAnnotations::new().destructive(destructive);
            Tool::new(name, "", serde_json::Map::new()).with_annotations(hints)
        };
        let second = page.and_then(|page| page.cursor).is_some();
        let mut listed = ListToolsResult::default();
        if second {
            listed.tools = vec![tool("drop", true)];
        } else {
            listed.tools = vec![tool("add", false)];
            listed.next_cursor = Some("2".into());
        }
        Ok(listed)
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Ok(self.answer.clone())
    }
}

/// Calls the handler's method, as rmcp does, with a context over this peer.
async fn direct(
    governed: &Governed<ByHand>,
    tool: &'static str,
    extend: impl FnOnce(&mut RequestContext<RoleServer>),
) -> Result<CallToolResponse, ErrorData> {
    let (_ours, theirs) = tokio::io::duplex(1 << 10);
    let running = rmcp::service::serve_directly(governed.clone(), theirs, None);
    let mut context = RequestContext::new(RequestId::Number(7), running.peer().clone());
    extend(&mut context);
    governed
        .call_tool(CallToolRequestParams::new(tool), context)
        .await
}

fn answers() -> [(CallToolResponse, &'static str); 3] {
    let input = InputRequiredResult::from_request_state("state");
    let task = CreateTaskResult::new(Task::default());
    [
        (CallToolResult::success(Vec::new()).into(), "succeeded"),
        (CallToolResponse::InputRequired(input), "continued"),
        (CallToolResponse::Task(task), "outcome_unknown"),
    ]
}

#[tokio::test]
async fn whatever_a_call_becomes_it_is_asked_for_first() {
    for (answer, outcome) in answers() {
        let ran = Arc::<AtomicUsize>::default();
        let handler = ByHand {
            ran: Arc::clone(&ran),
            answer,
        };
        let mut decides = Decides::by(|_| Decision::approve());
        let approved = Governed::new("hand", handler.clone()).client(&decides.client);
        let same = direct(&approved, "add", |_| {}).await.unwrap();
        assert_eq!(
            std::mem::discriminant(&same),
            std::mem::discriminant(&handler.answer)
        );
        assert_eq!(decides.outcome().await, outcome);
        assert_eq!(ran.load(Ordering::SeqCst), 1);

        let no = Decides::by(|_| Decision::reject("not today"));
        let refused = Governed::new("hand", handler.clone()).client(&no.client);
        let CallToolResponse::Complete(result) = direct(&refused, "add", |_| {}).await.unwrap()
        else {
            panic!("a refusal is a result");
        };
        assert_eq!(result.is_error, Some(true));
        assert_eq!(ran.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn annotations_count_where_the_handler_only_lists_them_and_the_session_is_named() {
    let [(answer, _), ..] = answers();
    let handler = ByHand {
        ran: Arc::default(),
        answer,
    };
    let gate = TestGate::new().approve("mcp:hand");
    let governed = Governed::new("hand", handler).client(&gate.client().unwrap());
    for tool in ["add", "drop", "hidden"] {
        direct(&governed, tool, |context| {
            let request = http::Request::builder()
                .header("Mcp-Session-Id", "s-7")
                .body(())
                .unwrap();
            context.extensions.insert(request.into_parts().0);
        })
        .await
        .unwrap();
    }
    let submissions = gate.submissions();
    let risks: Vec<RiskLevel> = submissions
        .iter()
        .map(sernixa::testing::Recorded::risk_level)
        .collect();
    assert_eq!(
        risks,
        [RiskLevel::Medium, RiskLevel::High, RiskLevel::Medium]
    );
    assert_eq!(submissions[0].metadata()["mcp_session_id"], "s-7");
    assert_eq!(submissions[0].metadata()["mcp_request_id"], "7");
}

#[tokio::test]
async fn a_call_cancelled_before_it_was_asked_for_never_begins() {
    let [(answer, _), ..] = answers();
    let handler = ByHand {
        ran: Arc::default(),
        answer,
    };
    let gate = TestGate::new().approve("mcp:hand");
    let governed = Governed::new("hand", handler.clone()).client(&gate.client().unwrap());
    let CallToolResponse::Complete(result) =
        direct(&governed, "add", |context| context.ct.cancel())
            .await
            .unwrap()
    else {
        panic!("a refusal is a result");
    };
    assert_eq!(decision(&result)["status"], "cancelled");
    assert_eq!(handler.ran.load(Ordering::SeqCst), 0);
    assert!(gate.submissions().is_empty());
}

#[tokio::test]
async fn a_round_is_bound_to_what_it_brings() {
    let [(answer, _), ..] = answers();
    let handler = ByHand {
        ran: Arc::default(),
        answer,
    };
    let gate = TestGate::new().approve("mcp:hand");
    let governed = Governed::new("hand", handler).client(&gate.client().unwrap());
    let Connected { host, .. } = connect(governed).await;
    let first = call("add", &json!({"n": 1}));
    let mut second = first.clone();
    second.request_state = Some("state".to_owned());
    let mut third = second.clone();
    third.input_responses = Some([("q".to_owned(), json!("yes"))].into());
    let mut fourth = third.clone();
    fourth.input_responses = Some([("q".to_owned(), json!("no"))].into());
    for round in [first, second, third, fourth] {
        host.call_tool_once(round).await.unwrap();
    }
    let submissions = gate.submissions();
    assert_eq!(submissions[0].summary(), Some("hand: add(n)"));
    assert_eq!(submissions[3].summary(), Some("hand: add(n), continued"));
    let digests: std::collections::HashSet<&str> = submissions
        .iter()
        .map(|submission| submission.metadata()["arguments_digest"].as_str().unwrap())
        .collect();
    assert_eq!(digests.len(), 4);
    assert!(
        !submissions
            .iter()
            .any(|submission| submission.body().contains("\"no\""))
    );
}
