//! Names that are, or are not, what they look like; and a server that says none.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sernixa::RiskLevel;

use super::super::*;
use super::rig::*;
use crate::proxy::seam::Gone;

/// What a call of this tool is submitted as, and what of its definition is told.
async fn asked(rig: &Rig, gate: &ToolGate, name: &str) -> (RiskLevel, Value) {
    let call = old(&json!({"name": name}));
    let answer = decision(gate.call(call, &*rig.server).await);
    assert_eq!(answer["status"], "pending_review", "{name}: {answer}");
    let record = rig.waiting();
    let pin = rig.metadata(record.approval_id())["mcp_pin"].clone();
    let found = (record.risk_level(), pin);
    rig.approve();
    found
}

#[tokio::test]
async fn a_tool_whose_action_id_is_another_tools_is_reviewed() {
    let rig = Rig::new()
        .hold(Duration::ZERO)
        .tools(json!([
            tool("write"),
            tool("write!"),
            tool("a b"),
            tool("Écrire")
        ]))
        .config("[mcp.servers.files.tools.wipe]\nhidden = true");
    let gate = rig.gate();
    for (name, risk, pin) in [
        ("write", RiskLevel::Medium, "accepted"),
        // No other tool has this id, or is called so.
        ("a b", RiskLevel::Medium, "accepted"),
        ("Écrire", RiskLevel::Medium, "accepted"),
        ("unheard-of", RiskLevel::Medium, "unlisted"),
        ("write!", RiskLevel::High, "alike"),
        ("write ", RiskLevel::High, "alike"),
        ("write\u{301}", RiskLevel::High, "alike"),
        ("wipe ", RiskLevel::High, "alike"),
        ("Wipe", RiskLevel::High, "alike"),
    ] {
        assert_eq!(asked(&rig, &gate, name).await, (risk, json!(pin)), "{name}");
    }
}

#[tokio::test]
async fn what_the_operator_wrote_of_a_tool_is_about_that_one_whatever_its_id() {
    let rig = Rig::new()
        .hold(Duration::ZERO)
        .tools(json!([tool("write"), tool("write!")]))
        .config("[mcp.servers.files.tools.\"write!\"]\nrisk_level = \"medium\"");
    let gate = rig.gate();
    let found = asked(&rig, &gate, "write!").await;
    assert_eq!(found, (RiskLevel::Medium, json!("accepted")));
}

#[tokio::test]
async fn the_order_of_arguments_makes_no_other_call() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    let with = |arguments: &str| {
        let request = format!(
            r#"{{"jsonrpc":"2.0","id":"c-1","method":"tools/call","params":{{"name":"write","arguments":{arguments}}}}}"#
        );
        let mut call = old(&json!({"name": "write"}));
        call.request = Message::read(request.into(), crate::message::Direction::ToServer).unwrap();
        call
    };
    let first = decision(
        gate.call(with(r#"{"b":1,"a":{"d":2,"c":3}}"#), &*rig.server)
            .await,
    );
    let again = decision(
        gate.call(with(r#"{"a":{"c":3,"d":2},"b":1}"#), &*rig.server)
            .await,
    );
    assert_eq!(first["approval_id"], again["approval_id"]);
}

/// A server that takes its time, and says nothing.
#[derive(Default)]
struct Silent(AtomicUsize);

impl Line for Silent {
    fn progress(&self, _: &str) {}

    fn ask<'a>(&'a self, _: &'a str, _: String) -> Later<'a, Result<Message, Gone>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            tokio::task::yield_now().await;
            Err(Gone)
        })
    }
}

#[tokio::test]
async fn calls_that_waited_while_the_server_said_nothing_do_not_wait_for_that_again() {
    let rig = Rig::new().hold(Duration::ZERO);
    let gate = rig.gate();
    let silent = Silent::default();
    let calls = (0..5).map(|nth| {
        let call = old(&json!({"name": "write", "arguments": {"nth": nth}}));
        gate.call(call, &silent)
    });
    for verdict in futures_util::future::join_all(calls).await {
        assert_eq!(status(verdict), "pending_review");
    }
    assert_eq!(silent.0.load(Ordering::Relaxed), 1);
    assert!(
        rig.pending()
            .iter()
            .all(|asked| asked.risk_level() == RiskLevel::High)
    );
    // The next one asks again.
    let call = old(&json!({"name": "write"}));
    assert_eq!(status(gate.call(call, &silent).await), "pending_review");
    assert_eq!(silent.0.load(Ordering::Relaxed), 2);
}
