//! Tools of langchain-rust behind the gate.

#![cfg(feature = "langchain-rust")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::error::Error;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use langchain_rust::tools::Tool;
use serde_json::{Value, json};
use sernixa::Client;
use sernixa::RiskLevel;
use sernixa::testing::TestGate;
use sernixa_agents::langchain::Governed;

/// Keeps what it was run with; fails for `fail`.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Tool for Notes {
    fn name(&self) -> String {
        "take notes".to_owned()
    }

    fn description(&self) -> String {
        "takes notes".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({"of": "its own"})
    }

    async fn run(&self, input: Value) -> Result<String, Box<dyn Error>> {
        self.0.lock().unwrap().push(input.to_string());
        match input.as_str() {
            Some("fail") => Err("no paper".into()),
            _ => Ok("noted".to_owned()),
        }
    }

    async fn parse_input(&self, input: &str) -> Value {
        json!(input.trim_end_matches('!'))
    }
}

impl Notes {
    fn taken(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A refusal among errors of any kind.
fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a sernixa::Error> {
    error.downcast_ref()
}

#[tokio::test]
async fn an_approved_tool_runs_once_whichever_way_it_is_called() {
    let notes = Notes::default();
    let gate = TestGate::configured(|| Client::builder().capture_arguments(true)).approve("i");
    let tool = Governed::new("i", notes.clone()).with(|guard| guard.risk(RiskLevel::High));
    assert_eq!(gate.run(tool.call("hello!")).await.unwrap(), "noted");
    assert_eq!(notes.taken(), ["\"hello\""]);
    assert_eq!(gate.run(tool.run(json!({"a": 1}))).await.unwrap(), "noted");
    assert_eq!(notes.taken(), ["\"hello\"", r#"{"a":1}"#]);
    let asked = gate.submissions();
    assert_eq!(asked.len(), 2, "each way asks once");
    assert_eq!(asked[0].action_id(), "langchain.take-notes");
    assert_eq!(asked[0].risk_level(), RiskLevel::High);
    assert_eq!(asked[0].metadata()["framework"], "langchain");
    assert_eq!(asked[0].metadata()["tool_name"], "take notes");
    // As the model wrote it, and as it was read.
    assert_eq!(asked[0].metadata()["args"], json!(["hello!"]));
    assert_eq!(asked[1].metadata()["args"], json!([1]));
}

#[tokio::test]
async fn a_refused_tool_does_not_run_whichever_way_it_is_called() {
    let notes = Notes::default();
    let gate = TestGate::new().refuse("i", "not today");
    let tool = Governed::shared("i", Arc::new(notes.clone()));
    for error in [
        gate.run(tool.call("hello")).await.unwrap_err(),
        gate.run(tool.run(json!("hello"))).await.unwrap_err(),
    ] {
        let refusal = refusal(&*error).unwrap();
        assert!(matches!(refusal, sernixa::Error::Rejected(_)), "{refusal}");
        assert_eq!(refusal.reason(), Some("not today"));
    }
    assert!(notes.taken().is_empty());
}

#[tokio::test]
async fn a_tool_whose_call_is_dropped_while_it_waits_never_runs() {
    let notes = Notes::default();
    let gate = TestGate::new();
    let held = gate.hold("i");
    let tool = Governed::new("i", notes.clone());
    // The framework's errors cannot cross a task.
    let call = async move { tool.call("hello").await.is_ok() };
    let waiting = tokio::spawn(gate.carry(call));
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    while held.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    held.approve();
    assert!(notes.taken().is_empty());
}

#[tokio::test]
async fn the_tools_own_faults_stay_its_own() {
    let notes = Notes::default();
    let gate = TestGate::new().approve("i");
    let tool = Governed::new("i", notes.clone());
    for error in [
        gate.run(tool.call("fail")).await.unwrap_err(),
        gate.run(tool.run(json!("fail"))).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "no paper");
        assert!(refusal(&*error).is_none());
    }
    assert_eq!(notes.taken().len(), 2);
}

#[tokio::test]
async fn all_else_is_the_tools_own() {
    let (tool, notes) = (Governed::new("i", Notes::default()), Notes::default());
    assert_eq!(tool.name(), notes.name());
    assert_eq!(tool.description(), notes.description());
    assert_eq!(tool.parameters(), notes.parameters());
    // Not the framework's default, which would log the input.
    assert_eq!(tool.parse_input("a!").await, json!("a"));
}
