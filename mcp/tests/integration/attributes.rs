//! `#[sernixa::intercept]` and rmcp's `#[tool]` on one function: in either order, sync and async, the gate
//! is there, and a refusal is what the function returns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use rmcp::{ErrorData, ServerHandler, ServiceError, tool, tool_handler, tool_router};
use serde_json::json;
use sernixa::Client;
use sernixa::testing::TestGate;
use sernixa_mcp::{REFUSED, refused_error, refused_result};

use crate::support::{Backup, Connected, call, connect};

#[derive(Clone)]
struct Desk {
    client: Client,
    ran: Arc<AtomicUsize>,
}

impl Desk {
    fn run(&self, name: &str) -> CallToolResult {
        self.ran.fetch_add(1, Ordering::SeqCst);
        CallToolResult::success(vec![ContentBlock::text(name)])
    }
}

/// The facts that each tool's gate has here.
macro_rules! desk {
    ($($order:ident, $reversed:ident: ($($asyncness:tt)?) -> $returns:ty, $refused:path, $value:expr;)+) => {
        #[tool_router]
        impl Desk {
            $(
                #[tool]
                #[sernixa::intercept(
                    intent_id = "desk",
                    risk_level = "high",
                    operation_class = "delete",
                    data_sensitivity = "internal",
                    systems_touched = ["desk"],
                    client = &self.client,
                    refused = $refused,
                )]
                $($asyncness)? fn $order(&self, Parameters(backup): Parameters<Backup>) -> $returns {
                    let value: fn(&Self, &str) -> $returns = $value;
                    value(self, &backup.name)
                }

                #[sernixa::intercept(
                    intent_id = "desk",
                    risk_level = "high",
                    operation_class = "delete",
                    data_sensitivity = "internal",
                    systems_touched = ["desk"],
                    client = &self.client,
                    refused = $refused,
                )]
                #[tool]
                $($asyncness)? fn $reversed(&self, Parameters(backup): Parameters<Backup>) -> $returns {
                    let value: fn(&Self, &str) -> $returns = $value;
                    value(self, &backup.name)
                }
            )+
        }
    };
}

desk! {
    result_under, result_over: () -> CallToolResult, refused_result, Desk::run;
    async_result_under, async_result_over: (async) -> CallToolResult, refused_result, Desk::run;
    ok_under, ok_over: () -> Result<CallToolResult, ErrorData>, refused_result, |desk, name| Ok(desk.run(name));
    async_ok_under, async_ok_over: (async) -> Result<CallToolResult, ErrorData>, refused_result, |desk, name| Ok(desk.run(name));
    error_under, error_over: () -> Result<Json<Backup>, ErrorData>, refused_error, |desk, name| { desk.run(name); Ok(Json(Backup { name: name.to_owned() })) };
    async_error_under, async_error_over: (async) -> Result<Json<Backup>, ErrorData>, refused_error, |desk, name| { desk.run(name); Ok(Json(Backup { name: name.to_owned() })) };
    response_under, response_over: (async) -> Result<CallToolResponse, ErrorData>, refused_result, |desk, name| Ok(desk.run(name).into());
}

#[tool_handler]
impl ServerHandler for Desk {}

const TOOLS: [&str; 14] = [
    "result_under",
    "result_over",
    "async_result_under",
    "async_result_over",
    "ok_under",
    "ok_over",
    "async_ok_under",
    "async_ok_over",
    "error_under",
    "error_over",
    "async_error_under",
    "async_error_over",
    "response_under",
    "response_over",
];

fn desk(gate: &TestGate) -> Desk {
    Desk {
        client: gate.client().unwrap(),
        ran: Arc::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_order_asks_before_the_tool_runs() {
    let gate = TestGate::new().approve("desk");
    let desk = desk(&gate);
    let Connected { host, .. } = connect(desk.clone()).await;
    for tool in TOOLS {
        let result = host
            .call_tool(call(tool, &json!({"name": "b"})))
            .await
            .unwrap();
        assert_ne!(result.is_error, Some(true), "{tool}");
    }
    assert_eq!(desk.ran.load(Ordering::SeqCst), TOOLS.len());
    assert_eq!(gate.submissions().len(), TOOLS.len());
    // Bound to the tool's arguments, in either order.
    for submission in gate.submissions() {
        assert!(submission.metadata().contains_key("arguments_digest"));
        assert!(!submission.metadata().contains_key("arguments_unbound"));
    }
    let listed = host.list_all_tools().await.unwrap();
    assert_eq!(listed.len(), TOOLS.len());
    assert!(
        listed
            .iter()
            .all(|tool| tool.input_schema.contains_key("properties"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_order_refuses_in_the_tools_own_return_type() {
    let gate = TestGate::new();
    gate.refuse("desk", "not on a Friday");
    let desk = desk(&gate);
    let Connected { host, .. } = connect(desk.clone()).await;
    for tool in TOOLS {
        match host.call_tool(call(tool, &json!({"name": "b"}))).await {
            Ok(result) => {
                assert!(!tool.contains("error"), "{tool}");
                assert_eq!(result.is_error, Some(true), "{tool}");
                let decision = &result.meta.unwrap().0["sernixa/decision"];
                assert_eq!(decision["reason"], "not on a Friday");
                assert_eq!(result.structured_content, None);
            }
            Err(ServiceError::McpError(error)) => {
                assert!(tool.contains("error"), "{tool}");
                assert_eq!(error.code, REFUSED);
                assert!(error.message.contains("not on a Friday"), "{error}");
                assert_eq!(
                    error.data.unwrap()["sernixa/decision"]["status"],
                    "rejected"
                );
            }
            Err(error) => panic!("{tool}: {error}"),
        }
    }
    assert_eq!(desk.ran.load(Ordering::SeqCst), 0);
    assert_eq!(gate.submissions().len(), TOOLS.len());
}

/// A gate that an attribute above drops would be missing here.
#[test]
fn every_such_tool_is_among_the_governed_functions() {
    let mut governed: Vec<String> = sernixa::callsites()
        .filter(|site| site.intent_id() == "desk")
        .map(|site| site.function().to_owned())
        .collect();
    governed.sort();
    let mut expected: Vec<String> = TOOLS.iter().map(|tool| format!("Desk.{tool}")).collect();
    expected.sort();
    assert_eq!(governed, expected);
}
