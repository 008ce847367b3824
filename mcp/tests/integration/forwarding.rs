//! Every method of rmcp's `ServerHandler` reaches the handler inside `Governed`. A new rmcp with a new
//! method fails here until it is handed on, too.

#![expect(
    deprecated,
    reason = "what rmcp deprecates must reach the handler, too"
)]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use sernixa::testing::TestGate;
use sernixa_mcp::Governed;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

/// Writes down which of its methods is called, and answers in a way that no default does.
#[derive(Clone)]
struct Recorder {
    called: Arc<Mutex<BTreeSet<String>>>,
    told: mpsc::UnboundedSender<String>,
}

impl Recorder {
    fn note(&self, method: &str) {
        self.called.lock().unwrap().insert(method.to_owned());
        let _ = self.told.send(method.to_owned());
    }

    fn error<T>(&self, method: &'static str) -> Result<T, ErrorData> {
        self.note(method);
        Err(ErrorData::new(ErrorCode(1), method, None))
    }
}

/// The methods that take a request and answer with a `Result`.
macro_rules! requests {
    ($($method:ident ( $($argument:ty),* ) -> $result:ty;)+) => {
        $(
            async fn $method(&self, $(_: $argument,)* _: RequestContext<RoleServer>) -> Result<$result, ErrorData> {
                self.error(stringify!($method))
            }
        )+
    };
}

macro_rules! notifications {
    ($($method:ident ( $($argument:ty),* );)+) => {
        $(
            async fn $method(&self, $(_: $argument,)* _: NotificationContext<RoleServer>) {
                self.note(stringify!($method));
            }
        )+
    };
}

impl ServerHandler for Recorder {
    requests! {
        ping() -> ();
        initialize(InitializeRequestParams) -> InitializeResult;
        discover() -> DiscoverResult;
        complete(CompleteRequestParams) -> CompleteResult;
        set_level(SetLevelRequestParams) -> ();
        get_prompt(GetPromptRequestParams) -> GetPromptResponse;
        list_prompts(Option<PaginatedRequestParams>) -> ListPromptsResult;
        list_resources(Option<PaginatedRequestParams>) -> ListResourcesResult;
        list_resource_templates(Option<PaginatedRequestParams>) -> ListResourceTemplatesResult;
        read_resource(ReadResourceRequestParams) -> ReadResourceResponse;
        subscribe(SubscribeRequestParams) -> ();
        unsubscribe(UnsubscribeRequestParams) -> ();
        call_tool(CallToolRequestParams) -> CallToolResponse;
        list_tools(Option<PaginatedRequestParams>) -> ListToolsResult;
        on_custom_request(CustomRequest) -> CustomResult;
        get_task(GetTaskParams) -> GetTaskResult;
        update_task(UpdateTaskParams) -> ();
        cancel_task(CancelTaskParams) -> ();
        list_skills(Option<PaginatedRequestParams>) -> ListSkillsResult;
        get_skill(GetSkillRequestParams) -> GetSkillResult;
        read_resource_directory(ReadResourceDirectoryRequestParams) -> ReadResourceDirectoryResult;
    }

    notifications! {
        on_cancelled(CancelledNotificationParam);
        on_progress(ProgressNotificationParam);
        on_initialized();
        on_roots_list_changed();
        on_custom_notification(CustomNotification);
    }

    fn negotiate_initialize(
        &self,
        _: &InitializeRequestParams,
    ) -> Result<InitializeResult, ErrorData> {
        self.error("negotiate_initialize")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.note("supported_protocol_versions");
        Cow::Owned(vec![ProtocolVersion::V_2026_07_28])
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        self.note("accepted_subscription_filter");
        Some(requested.clone())
    }

    async fn listen(&self, _: SubscriptionContext) -> Result<(), ErrorData> {
        self.error("listen")
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.note("get_tool");
        Some(Tool::new(
            name.to_owned(),
            "recorded",
            serde_json::Map::new(),
        ))
    }

    fn get_info(&self) -> ServerConfig {
        self.note("get_info");
        let mut info = ServerConfig::default();
        "recorded".clone_into(&mut info.server_info.name);
        info
    }
}

fn cargo(arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The methods of rmcp's trait, from its source, which cargo has for whoever builds this test.
fn methods_of_rmcp() -> BTreeSet<String> {
    // Of this platform alone: what others need may never have been downloaded.
    let about = cargo(&["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    let platform = format!("--filter-platform={}", host.unwrap());
    let metadata = cargo(&["metadata", "--format-version=1", "--frozen", &platform]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let rmcp: Vec<_> = packages
        .iter()
        .filter(|package| package["name"] == "rmcp")
        .collect();
    assert_eq!(rmcp.len(), 1, "one version of rmcp");
    let manifest = rmcp[0]["manifest_path"].as_str().unwrap();
    let source = std::path::Path::new(manifest).with_file_name("src/handler/server.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let begin = source.find("macro_rules! server_handler_methods").unwrap();
    let trait_body = &source[begin..];
    let trait_body = &trait_body[..trait_body.find("\npub trait ServerHandler").unwrap()];
    trait_body
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn "))
        .map(|rest| rest[..rest.find('(').unwrap()].to_owned())
        .collect()
}

/// The methods of ours, from our source.
fn methods_of_ours() -> BTreeSet<String> {
    include_str!("../../src/middleware/forward.rs")
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let rest = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ")?;
            Some(rest[..rest.find('(').unwrap()].to_owned())
        })
        .collect()
}

#[test]
fn every_method_of_rmcps_trait_is_written_out() {
    let theirs = methods_of_rmcp();
    assert!(
        theirs.len() >= 32 && theirs.contains("call_tool"),
        "{theirs:?}"
    );
    assert_eq!(methods_of_ours(), theirs);
}

fn params<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn every_method_of_rmcps_trait_reaches_the_handler() {
    let (told, mut calls) = mpsc::unbounded_channel();
    let recorder = Recorder {
        called: Arc::default(),
        told,
    };
    let called = Arc::clone(&recorder.called);
    let gate = TestGate::new().approve("mcp:recorded");
    let governed = Governed::new("recorded", recorder).client(&gate.client().unwrap());

    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let running = rmcp::service::serve_directly(governed.clone(), theirs, None);
    let context = || RequestContext::new(RequestId::Number(1), running.peer().clone());

    macro_rules! expect {
        ($($method:ident ( $($argument:expr),* );)+) => {$(
            called.lock().unwrap().remove(stringify!($method));
            let error = governed.$method($($argument,)* context()).await.map(drop).unwrap_err();
            assert_eq!((error.code.0, &*error.message), (1, stringify!($method)));
        )+};
    }
    let hello = json_of_initialize();
    expect! {
        ping();
        initialize(params(hello.clone()));
        discover();
        complete(params(serde_json::json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}})));
        set_level(params(serde_json::json!({"level": "info"})));
        get_prompt(params(serde_json::json!({"name": "p"})));
        list_prompts(None);
        list_resources(None);
        list_resource_templates(None);
        read_resource(params(serde_json::json!({"uri": "file:///a"})));
        subscribe(params(serde_json::json!({"uri": "file:///a"})));
        unsubscribe(params(serde_json::json!({"uri": "file:///a"})));
        call_tool(CallToolRequestParams::new("t"));
        list_tools(None);
        on_custom_request(CustomRequest::new("x/own", None));
        get_task(params(serde_json::json!({"taskId": "t"})));
        update_task(params(serde_json::json!({"taskId": "t", "inputResponses": {}})));
        cancel_task(params(serde_json::json!({"taskId": "t"})));
        list_skills(None);
        get_skill(params(serde_json::json!({"uri": "skill://a/SKILL.md"})));
        read_resource_directory(params(serde_json::json!({"uri": "file:///a"})));
    }
    let error = governed.negotiate_initialize(&params(hello)).unwrap_err();
    assert_eq!(error.message, "negotiate_initialize");
    assert_eq!(
        &*governed.supported_protocol_versions(),
        [ProtocolVersion::V_2026_07_28]
    );
    let filter = SubscriptionFilter::default();
    assert_eq!(governed.accepted_subscription_filter(&filter), Some(filter));
    assert_eq!(
        governed.get_tool("t").unwrap().description.unwrap(),
        "recorded"
    );
    assert_eq!(governed.get_info().server_info.name, "recorded");

    // What needs a context that only rmcp makes comes over the wire.
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}}"#;
    let messages = [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","method":"notifications/x/own"}"#.to_owned(),
        format!(r#"{{"jsonrpc":"2.0","id":5,"method":"subscriptions/listen","params":{{"notifications":{{}},{meta}}}}}"#),
    ];
    for message in messages {
        ours.write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }
    let over_the_wire = [
        "on_initialized",
        "on_cancelled",
        "on_progress",
        "on_roots_list_changed",
        "on_custom_notification",
        "listen",
    ];
    let reached =
        |called: &BTreeSet<String>| over_the_wire.iter().all(|method| called.contains(*method));
    while !reached(&called.lock().unwrap()) {
        let one = tokio::time::timeout(std::time::Duration::from_secs(10), calls.recv()).await;
        one.unwrap_or_else(|_| panic!("only {:?}", called.lock().unwrap()));
    }
    assert_eq!(*called.lock().unwrap(), methods_of_rmcp());
}

fn json_of_initialize() -> serde_json::Value {
    serde_json::json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "c", "version": "1"},
    })
}
