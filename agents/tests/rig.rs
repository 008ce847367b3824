//! Tools of rig behind the gate.

#![cfg(feature = "rig")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rig_agent::AgentBuilder;
use rig_core::test_utils::{MockCompletionModel, MockTurn};
use rig_core::tool::{ErasedTool, Tool, ToolContext, ToolErrorKind, ToolExecutionError};
use serde::Deserialize;
use serde_json::{Value, json};
use sernixa::testing::TestGate;
use sernixa::{Error, RiskLevel};
use sernixa_agents::rig::Governed;

/// Counts its calls; fails for order 13.
#[derive(Clone, Default)]
struct Refund(Arc<AtomicUsize>);

#[derive(Deserialize)]
struct Arguments {
    order: Option<u32>,
}

#[derive(Debug)]
struct Unlucky;

impl fmt::Display for Unlucky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("order 13")
    }
}

impl std::error::Error for Unlucky {}

impl Tool for Refund {
    const NAME: &'static str = "refund order";
    type Args = Arguments;
    type Output = String;
    type Error = Unlucky;

    fn description(&self) -> String {
        "refunds".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({"type": "object"})
    }

    fn map_error(&self, error: Unlucky) -> ToolExecutionError {
        ToolExecutionError::provider("the bank said no").with_source(error)
    }

    async fn call(&self, _: &mut ToolContext, arguments: Arguments) -> Result<String, Unlucky> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match arguments.order {
            Some(13) => Err(Unlucky),
            order => Ok(format!("{order:?}")),
        }
    }
}

impl Refund {
    fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

async fn call(
    gate: &TestGate,
    tool: &Governed<Refund>,
    arguments: Value,
) -> Result<String, ToolExecutionError> {
    gate.run(tool.call(&mut ToolContext::new(), arguments))
        .await
}

#[tokio::test]
async fn an_approved_tool_runs_once_with_what_was_asked_for() {
    let refund = Refund::default();
    let gate = TestGate::new().approve("i");
    let tool = Governed::new("i", refund.clone()).with(|guard| guard.risk(RiskLevel::High));
    let result = call(&gate, &tool, json!({"order": 7})).await.unwrap();
    assert_eq!(result, "Some(7)");
    assert_eq!(refund.calls(), 1);
    let asked = gate.submissions();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].action_id(), "rig.refund-order");
    assert_eq!(asked[0].risk_level(), RiskLevel::High);
    let metadata = asked[0].metadata();
    assert_eq!(metadata["framework"], "rig");
    assert_eq!(metadata["tool_name"], "refund order");
    assert_eq!(metadata["args_count"], 1);
    assert!(!metadata.contains_key("args"));
}

#[tokio::test]
async fn a_refused_tool_does_not_run_and_the_model_is_told() {
    let refund = Refund::default();
    let gate = TestGate::new().refuse("i", "not today");
    let tool = Governed::new("i", refund.clone());
    let error = call(&gate, &tool, json!({"order": 7})).await.unwrap_err();
    assert!(error.is_refusal());
    assert_eq!(error.kind(), ToolErrorKind::PermissionDenied);
    assert!(error.model_feedback().unwrap().contains("not today"));
    let refusal = error.downcast_ref::<Error>().unwrap();
    assert!(matches!(refusal, Error::Rejected(_)), "{refusal}");
    // Nobody was told what to do with this intent.
    let unknown = Governed::new("other", refund.clone());
    assert!(
        call(&gate, &unknown, json!({}))
            .await
            .unwrap_err()
            .is_refusal()
    );
    // As rig's own dispatch calls it.
    let result = gate
        .run(async {
            let tool: &dyn ErasedTool = &tool;
            tool.execute("{}".to_owned(), &mut ToolContext::new()).await
        })
        .await;
    assert!(result.is_refused());
    assert_eq!(refund.calls(), 0);
}

#[tokio::test]
async fn a_tool_that_is_held_runs_only_after_the_decision() {
    let refund = Refund::default();
    let gate = TestGate::new();
    let held = gate.hold("i");
    let tool = Governed::new("i", refund.clone());
    let waiting = tokio::spawn(
        gate.carry(async move { tool.call(&mut ToolContext::new(), json!({})).await }),
    );
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(refund.calls(), 0);
    held.approve();
    waiting.await.unwrap().unwrap();
    assert_eq!(refund.calls(), 1);
}

#[tokio::test]
async fn a_tool_whose_call_is_dropped_while_it_waits_never_runs() {
    let refund = Refund::default();
    let gate = TestGate::new();
    let held = gate.hold("i");
    let tool = Governed::new("i", refund.clone());
    let waiting = tokio::spawn(
        gate.carry(async move { tool.call(&mut ToolContext::new(), json!({})).await }),
    );
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    while held.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    held.approve();
    assert_eq!(refund.calls(), 0);
}

#[tokio::test]
async fn the_tools_own_faults_stay_its_own() {
    let refund = Refund::default();
    let gate = TestGate::new().approve("i");
    let tool = Governed::new("i", refund.clone());
    let error = call(&gate, &tool, json!({"order": 13})).await.unwrap_err();
    assert!(!error.is_refusal());
    assert_eq!(error.kind(), ToolErrorKind::Provider);
    assert!(error.downcast_ref::<Unlucky>().is_some());
    assert_eq!(refund.calls(), 1);
    // Arguments that are not the tool's.
    for odd in [json!({"order": "seven"}), json!(7), json!([1, 2])] {
        let error = call(&gate, &tool, odd).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArgs);
    }
    assert_eq!(refund.calls(), 1);
    // Rig sends `null` where a model sent nothing.
    assert_eq!(call(&gate, &tool, Value::Null).await.unwrap(), "None");
}

#[test]
fn the_model_is_offered_the_tool_as_it_is() {
    let tool = Governed::new("i", Refund::default());
    let definition = rig_core::tool::tool_definition(&tool);
    assert_eq!(
        definition,
        rig_core::tool::tool_definition(&Refund::default())
    );
}

#[tokio::test]
async fn an_agent_goes_on_after_a_refusal() {
    let refund = Refund::default();
    let gate = TestGate::new();
    // Rig may run tools in tasks of its own, which have no scope: the client is given.
    let client = gate.client().unwrap();
    let tool = Governed::new("i", refund.clone()).with(|guard| guard.client(&client));
    gate.refuse("i", "not today");
    let model = MockCompletionModel::from_turns([
        MockTurn::tool_call("one", "refund order", json!({"order": 7})),
        MockTurn::text("it was refused"),
    ]);
    let agent = AgentBuilder::new(model.clone()).tool(tool).build();
    let answer = agent.prompt("refund").max_turns(4).await.unwrap();
    assert_eq!(answer.to_string(), "it was refused");
    assert_eq!(refund.calls(), 0);
    assert!(format!("{:?}", model.requests()[1]).contains("not today"));
}
