//! A rig agent whose tool is governed. The model is scripted, so this needs no credentials; the loop
//! that calls the tool is rig's own.
//!
//! The model asks for three refunds. A reviewer, here a closure that stands in for a person, lets
//! those under 50 pass; what the model reads of the refusal is the tool's answer to it.
//!
//! ```console
//! $ cargo run -p sernixa-agents --features rig --example rig
//! refunded 700 cents of order 7
//! refunded 4999 cents of order 9
//! the agent: two refunded, order 8 was refused
//! the model read: rejected: a reviewer said no: too much for one refund…
//! ```

use rig_agent::AgentBuilder;
use rig_core::test_utils::{MockCompletionModel, MockTurn};
use rig_core::tool::{Tool, ToolContext};
use serde::Deserialize;
use serde_json::{Value, json};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, OperationClass, RiskLevel};
use sernixa_agents::rig::Governed;

/// A tool as any program has it: nothing in it knows of the gate.
struct Refund;

#[derive(Deserialize)]
struct Arguments {
    order: u32,
    cents: u32,
}

impl Tool for Refund {
    const NAME: &'static str = "refund";
    type Args = Arguments;
    type Output = String;
    type Error = std::convert::Infallible;

    fn description(&self) -> String {
        "Refunds an order.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({"type": "object", "required": ["order", "cents"],
               "properties": {"order": {"type": "integer"}, "cents": {"type": "integer"}}})
    }

    async fn call(
        &self,
        _: &mut ToolContext,
        Arguments { order, cents }: Arguments,
    ) -> Result<String, Self::Error> {
        let done = format!("refunded {cents} cents of order {order}");
        println!("{done}");
        Ok(done)
    }
}

/// Stands in for a person, who is shown the arguments because they are captured.
fn review(asked: &Record) -> Decision {
    let metadata: Value = serde_json::from_str(asked.metadata()).unwrap_or_default();
    // In the order of their names: cents, order.
    match metadata.pointer("/args/0").and_then(Value::as_u64) {
        Some(cents) if cents < 5_000 => Decision::approve(),
        _ => Decision::reject("too much for one refund"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder()
        .engine(Engine::in_memory())
        .reviewer(review)
        .capture_arguments(true)
        .build()?;

    let refund = Governed::new("refund-order", Refund).with(|guard| {
        guard
            .client(&client)
            .risk(RiskLevel::High)
            .class(OperationClass::Financial)
            .systems(["shop"])
    });
    let asks = |id: &str, order: u32, cents: u32| {
        MockTurn::tool_call(id, "refund", json!({"order": order, "cents": cents}))
    };
    let model = MockCompletionModel::from_turns([
        asks("call-1", 7, 700),
        asks("call-2", 8, 80_000),
        asks("call-3", 9, 4_999),
        MockTurn::text("two refunded, order 8 was refused"),
    ]);
    let agent = AgentBuilder::new(model.clone()).tool(refund).build();
    let answer = agent.prompt("Refund what is due.").max_turns(8).await?;
    println!("the agent: {answer}");

    // What the model was shown when it was asked for its third turn.
    let shown = format!("{:?}", model.requests().get(2));
    let refusal = shown
        .find("rejected: ")
        .map_or("nothing", |at| &shown[at..]);
    let refusal: String = refusal.chars().take_while(|c| *c != '(').collect();
    println!("the model read: {refusal}");

    client.close().await;
    Ok(())
}
