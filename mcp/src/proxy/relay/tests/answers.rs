//! What the server answers.

use std::sync::atomic::Ordering;

use super::rig::{Order, Rig, call};
use crate::proxy::relay::Sharing;

#[tokio::test]
async fn answers_to_nothing_and_second_answers_are_dropped() {
    let mut rig = Rig::new(Sharing::One);
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"n":1}}"#;
    rig.server_says(answer).await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        .await;
    rig.server_says(answer).await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"n":2}}"#)
        .await;
    assert_eq!(rig.to_host.raw().await, answer);
    rig.to_host.nothing();
    assert!(rig.is_idle());
}

#[tokio::test]
async fn an_answer_to_a_held_call_is_dropped_and_the_call_still_waits() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#)
        .await;
    rig.to_host.nothing();
    held.order(Order::Answer(
        r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true}}"#,
    ));
    assert_eq!(rig.to_host.next().await["result"]["isError"], true);
    rig.to_server.nothing();
}

#[tokio::test]
async fn lists_of_tools_go_through_the_gate_and_errors_do_not() {
    let mut rig = Rig::new(Sharing::One);
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    rig.host_says(list).await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":["hidden"]}}"#)
        .await;
    assert_eq!(rig.to_host.next().await["result"]["tools"][0], "shown");
    rig.host_says(list).await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"hidden"}}"#)
        .await;
    assert_eq!(rig.to_host.next().await["error"]["message"], "hidden");
    // A list that the gate fails on is not shown as it came.
    rig.gate.lists_panic.store(true, Ordering::Relaxed);
    rig.host_says(list).await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":["hidden"]}}"#)
        .await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32603);
    rig.server_says(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
        .await;
    assert!(rig.gate.changes.load(Ordering::Relaxed));
    assert_eq!(
        rig.to_host.next().await["method"],
        "notifications/tools/list_changed"
    );
}
