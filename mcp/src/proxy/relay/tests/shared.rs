//! Hosts that share a server (2026-07-28 over HTTP).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::rig::{Order, Rig, Side, call};
use crate::proxy::relay::Sharing;
use crate::proxy::seam::{Host, Relay as _};

#[tokio::test]
async fn equal_ids_and_tokens_of_two_hosts_do_not_meet() {
    let mut rig = Rig::new(Sharing::Many);
    let ((first, mut to_first), (second, mut to_second)) = (Side::new(), Side::new());
    let ask = r#"{"jsonrpc":"2.0","id":"a\u0062","method":"resources/list","params":{"_meta":{"progressToken":1,"x":1.0}}}"#;
    rig.says_to(ask, &first).await;
    rig.says_to(ask, &second).await;
    let (one, two) = (rig.to_server.next().await, rig.to_server.next().await);
    assert_ne!(one["id"], two["id"]);
    assert_ne!(
        one["params"]["_meta"]["progressToken"],
        two["params"]["_meta"]["progressToken"]
    );
    let token = &two["params"]["_meta"]["progressToken"];
    rig.server_says(&format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":0.50}}}}"#
    ))
    .await;
    assert_eq!(
        to_second.raw().await,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.50}}"#
    );
    rig.server_says(&format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"resources":[],"v":1.0}}}}"#,
        one["id"]
    ))
    .await;
    assert_eq!(
        to_first.raw().await,
        r#"{"jsonrpc":"2.0","id":"ab","result":{"resources":[],"v":1.0}}"#
    );
    to_first.nothing();
    to_second.nothing();
}

#[tokio::test]
async fn tool_calls_are_rewritten_after_the_gate_and_answers_back() {
    let mut rig = Rig::new(Sharing::Many);
    let (reply, mut told) = Side::new();
    rig.says_to(&call(5), &reply).await;
    let held = rig.call().await;
    held.order(Order::Progress("a person is asked"));
    assert_eq!(told.next().await["params"]["progressToken"], "p5");
    held.order(Order::Forward);
    let sent = rig.to_server.next().await;
    assert_eq!(sent["params"]["_meta"]["progressToken"], sent["id"]);
    rig.server_says(&format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#,
        sent["id"]
    ))
    .await;
    assert_eq!(told.next().await["id"], 5);
    assert_eq!(rig.end().await, "answered");
    assert!(rig.is_idle());
}

#[tokio::test]
async fn a_subscription_gets_its_own_id_back_and_nobody_elses_notifications() {
    let mut rig = Rig::new(Sharing::Many);
    let ((first, mut to_first), (second, mut to_second)) = (Side::new(), Side::new());
    let listen = r#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}"#;
    rig.says_to(listen, &first).await;
    rig.says_to(listen, &second).await;
    let (one, two) = (rig.to_server.next().await, rig.to_server.next().await);
    let notify = |id: &serde_json::Value| {
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed",
            "params": {"_meta": {"io.modelcontextprotocol/subscriptionId": id}}})
        .to_string()
    };
    rig.server_says(&notify(&two["id"])).await;
    let told = to_second.next().await;
    assert_eq!(
        told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        1
    );
    to_first.nothing();
    // What belongs to nobody goes to nobody.
    rig.server_says(&notify(&json!(999))).await;
    rig.server_says(
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"secret of one"}}"#,
    )
    .await;
    // The server ends one by an answer, and one by a cancellation.
    rig.server_says(
        &json!({"jsonrpc": "2.0", "id": one["id"], "result": {"resultType": "complete",
            "_meta": {"io.modelcontextprotocol/subscriptionId": one["id"]}}})
        .to_string(),
    )
    .await;
    let ended = to_first.next().await;
    assert_eq!(ended["id"], 1);
    assert_eq!(
        ended["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        1
    );
    rig.server_says(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": two["id"]}})
        .to_string(),
    )
    .await;
    assert_eq!(to_second.next().await["params"]["requestId"], 1);
    assert!(second.is_closed.load(Ordering::Relaxed));
    rig.to_host.nothing();
    assert!(rig.is_idle());
}

#[tokio::test]
async fn logs_go_to_the_only_request_that_wants_them() {
    let mut rig = Rig::new(Sharing::Many);
    let ((first, mut to_first), (second, mut to_second)) = (Side::new(), Side::new());
    let logged =
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
    let wants = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"_meta":{"io.modelcontextprotocol/logLevel":"info"}}}"#;
    rig.says_to(
        r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#,
        &first,
    )
    .await;
    rig.says_to(wants, &second).await;
    rig.server_says(logged).await;
    assert_eq!(to_second.raw().await, logged);
    // Of two it cannot be told whose it is.
    rig.says_to(wants, &first).await;
    rig.server_says(logged).await;
    to_first.nothing();
    to_second.nothing();
    rig.to_host.nothing();
}

#[tokio::test]
async fn a_closed_stream_lets_go_of_a_held_call_and_cancels_a_running_one() {
    let mut rig = Rig::new(Sharing::Many);
    let ((first, _to_first), (second, _to_second)) = (Side::new(), Side::new());
    rig.says_to(&call(1), &first).await;
    let held = rig.call().await;
    rig.says_to(&call(1), &second).await;
    rig.call().await.order(Order::Forward);
    let sent = rig.to_server.next().await;
    let gone: Arc<dyn Host> = first;
    rig.relay.hung_up(&gone);
    held.dropped().await;
    rig.to_server.nothing();
    let gone: Arc<dyn Host> = second;
    rig.relay.hung_up(&gone);
    let cancelled = rig.to_server.next().await;
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], sent["id"]);
    // A message cannot cancel: whose request it means is not known.
    rig.host_says(&format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{}}}}}"#,
        sent["id"]
    ))
    .await;
    rig.to_server.nothing();
}
