//! A langchain-rust agent whose tool is governed. The model is scripted, so this needs no credentials;
//! the loop that calls the tool is langchain-rust's own.
//!
//! The model wants to look up two customers and to delete one. A reviewer, here a closure that stands
//! in for a person, decides; what the model reads of the refusal is the tool's answer to it.
//!
//! ```console
//! $ cargo run -p sernixa-agents --features langchain-rust --example langchain
//! customers was called with: show cus_ada
//! customers was called with: show cus_bob
//! the model read: The tool return the following error: rejected: a reviewer said no: customers stay…
//! the agent: two shown, none deleted
//! ```

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::Stream;
use langchain_rust::agent::{AgentExecutor, ConversationalAgentBuilder};
use langchain_rust::chain::Chain;
use langchain_rust::language_models::llm::LLM;
use langchain_rust::language_models::{GenerateResult, LLMError};
use langchain_rust::prompt_args;
use langchain_rust::schemas::{Message, StreamData};
use langchain_rust::tools::Tool;
use serde_json::{Value, json};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, RiskLevel};
use sernixa_agents::langchain::Governed;

/// A tool as any program has it: nothing in it knows of the gate.
struct Customers;

#[async_trait]
impl Tool for Customers {
    fn name(&self) -> String {
        "customers".to_owned()
    }

    fn description(&self) -> String {
        "Shows or deletes a customer.".to_owned()
    }

    async fn run(&self, input: Value) -> Result<String, Box<dyn Error>> {
        let input = input.as_str().ok_or("the input is no text")?;
        println!("customers was called with: {input}");
        Ok("done".to_owned())
    }

    // The default one logs what it reads.
    async fn parse_input(&self, input: &str) -> Value {
        input.into()
    }
}

/// Says what it was told to say, one answer after the other.
#[derive(Clone)]
struct Scripted(Arc<Mutex<VecDeque<String>>>);

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Value>) -> Self {
        let fenced = |answer: Value| format!("```json\n{answer}\n```");
        let answers = answers.into_iter().map(fenced);
        Self(Arc::new(Mutex::new(answers.collect())))
    }
}

#[async_trait]
impl LLM for Scripted {
    async fn generate(&self, messages: &[Message]) -> Result<GenerateResult, LLMError> {
        for message in messages {
            if let Some(at) = message.content.find("The tool return the following error") {
                let refusal = message.content[at..].lines().next().unwrap_or_default();
                println!("the model read: {refusal}");
            }
        }
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = answers.pop_front().unwrap_or_default();
        Ok(GenerateResult {
            generation,
            ..GenerateResult::default()
        })
    }

    async fn stream(
        &self,
        _: &[Message],
    ) -> Result<Pin<Box<dyn Stream<Item = Result<StreamData, LLMError>> + Send>>, LLMError> {
        Err(LLMError::OtherError(
            "this model does not stream".to_owned(),
        ))
    }
}

/// Stands in for a person, who is shown the input because it is captured.
fn review(asked: &Record) -> Decision {
    let metadata: Value = serde_json::from_str(asked.metadata()).unwrap_or_default();
    match metadata.pointer("/args/0").and_then(Value::as_str) {
        Some(input) if input.starts_with("show ") => Decision::approve(),
        _ => Decision::reject("customers stay"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder()
        .engine(Engine::in_memory())
        .reviewer(review)
        .capture_arguments(true)
        .build()?;

    let customers = Governed::new("manage-customers", Customers)
        .with(|guard| guard.client(&client).risk(RiskLevel::High).systems(["crm"]));
    let asks = |input: &str| json!({"action": "customers", "action_input": input});
    let model = Scripted::new([
        asks("show cus_ada"),
        asks("show cus_bob"),
        asks("delete cus_ada"),
        json!({"action": "Final Answer", "action_input": "two shown, none deleted"}),
    ]);
    let tools: [Arc<dyn Tool>; 1] = [Arc::new(customers)];
    let agent = ConversationalAgentBuilder::new()
        .tools(&tools)
        .build(model)?;
    let answer = AgentExecutor::from_agent(agent)
        .invoke(prompt_args! { "input" => "Show both, then delete Ada." })
        .await?;
    println!("the agent: {answer}");

    client.close().await;
    Ok(())
}
