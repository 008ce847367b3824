//! The gates of this SDK where agents call tools, at a real service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sernixa::boundary::{Guard, McpInvocation, McpToolBoundary, mcp_call_gate};
use sernixa::gateway::Gateway;
use sernixa::{Error, OperationClass, RiskLevel};

use crate::rig::{Service, config};

fn refund(cents: u64) -> McpInvocation {
    McpInvocation::new("shop", "refund")
        .toolset_id("set")
        .arguments([("cents".to_owned(), json!(cents))])
}

/// How the execution of an approval stands, once it is this.
async fn until_execution(service: &Service, id: &str, execution: &str) -> Value {
    loop {
        let record = service.get(&format!("/api/approvals/{id}")).await;
        let record: Value = serde_json::from_str(&record).unwrap();
        if record["execution"] == execution {
            return record;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_call_of_the_mcp_gate_waits_is_claimed_runs_once_and_is_reported() {
    let service = Service::start(config()).await;
    let client = service.client().build().unwrap();
    let gate = mcp_call_gate(&client, "refund-order");
    let ran = Arc::new(AtomicUsize::new(0));

    let read = gate
        .clone()
        .risk(RiskLevel::Low)
        .class(OperationClass::Read);
    read.invoke_async(&refund(1), async || Ok::<_, Error>(()))
        .await
        .unwrap();

    let waiting = tokio::spawn({
        let (gate, ran) = (gate.clone().risk(RiskLevel::High), Arc::clone(&ran));
        async move {
            let body = async || {
                ran.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Error>(())
            };
            gate.invoke_async(&refund(700), body).await
        }
    });
    let id = service.until_pending(1).await.remove(0);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    service.approve(&id).await;
    waiting.await.unwrap().unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    let record = until_execution(&service, &id, "succeeded").await;
    assert_eq!(record["metadata"]["mcp_arguments"], json!({"cents": 700}));
    assert_eq!(record["metadata"]["policy_surface"], "mcp_call_gate");

    let refused = tokio::spawn(async move {
        gate.invoke_async(&refund(9), async || -> Result<(), Error> {
            panic!("it was rejected")
        })
        .await
    });
    let id = service.until_pending(1).await.remove(0);
    let no = json!({"decision": "rejected", "reason": "seen by a test"});
    service
        .post(&format!("/api/approvals/{id}/decision"), &no)
        .await;
    let error = refused.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    client.close().await;
    service.stop().await;
}

#[tokio::test]
async fn boundary_guard_and_gateway_ask_a_demonstration() {
    let service = Service::start(config()).await;
    let client = service.client().build().unwrap();
    let body = async || Ok::<_, Error>(());
    let boundary = McpToolBoundary::new(&client, "i").class(OperationClass::Read);
    boundary.invoke_async(&refund(1), body).await.unwrap();
    let guard = Guard::new("i", "crewai", "refund").class(OperationClass::Read);
    let guard = guard.client(&client);
    guard
        .run_async(json!({"cents": 1}), async |_| Ok::<_, Error>(()))
        .await
        .unwrap();
    // It has no Flight Recorder, and is no production.
    let gateway = Gateway::new(&client)
        .risk(RiskLevel::Low)
        .class(OperationClass::Read)
        .enforce_ebpf(true);
    gateway.run_async(body).await.unwrap();
    client.close().await;
    service.stop().await;
}
