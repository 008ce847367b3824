//! Tool calls at the gate.

use std::time::Duration;

use tokio::sync::oneshot;

use super::rig::{Order, Rig, call, soon};
use crate::message::Generation;
use crate::proxy::relay::Sharing;
use crate::proxy::seam::Gone;

const CANCEL: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
const DONE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

#[tokio::test]
async fn nothing_of_a_call_reaches_the_server_before_its_verdict() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    rig.to_server.nothing();
    held.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, call(1));
    rig.server_says(DONE).await;
    assert_eq!(rig.to_host.raw().await, DONE);
    assert_eq!(rig.end().await, "answered");
    assert!(rig.is_idle());
}

#[tokio::test]
async fn a_cancelled_held_call_is_let_go_and_the_server_hears_nothing_of_it() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    rig.host_says(CANCEL).await;
    held.dropped().await;
    rig.to_server.nothing();
    rig.to_host.nothing();
    assert!(rig.is_idle());
    // And the id may be used again.
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, call(1));
}

#[tokio::test]
async fn a_verdict_that_comes_with_the_cancellation_starts_nothing() {
    let mut rig = Rig::new(Sharing::One);
    // The server's pipe is busy, so that the verdict is there and the call is not handed over.
    let order = rig.relay.core.order.lock().await;
    rig.host_says(&call(1)).await;
    let held = soon(rig.calls.recv()).await.unwrap();
    held.order(Order::Forward);
    held.dropped().await;
    rig.host_says(CANCEL).await;
    drop(order);
    assert_eq!(soon(rig.ends.recv()).await, Some("not started"));
    rig.to_server.nothing();
}

#[tokio::test]
async fn a_cancelled_call_does_not_run_under_the_id_of_the_next_one() {
    for verdict in [
        Order::Forward,
        Order::Answer(r#"{"jsonrpc":"2.0","id":1,"result":{"of":"the first"}}"#),
        Order::Panic,
    ] {
        let mut rig = Rig::new(Sharing::One);
        rig.host_says(&call(1)).await;
        let first = rig.call().await;
        // All before the first call's task is looked at again.
        first.order(verdict);
        rig.host_says(CANCEL).await;
        let other = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"other"}}"#;
        rig.host_says(other).await;
        let second = rig.call().await;
        rig.to_server.nothing();
        rig.to_host.nothing();
        second.order(Order::Forward);
        assert_eq!(rig.to_server.raw().await, other);
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"of":"the second"}}"#;
        rig.server_says(answer).await;
        assert_eq!(rig.to_host.raw().await, answer);
    }
}

#[tokio::test]
async fn a_cancellation_follows_its_running_call_and_a_late_answer_still_counts() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, call(1));
    rig.host_says(CANCEL).await;
    assert_eq!(rig.to_server.raw().await, CANCEL);
    // Once is enough.
    rig.host_says(CANCEL).await;
    rig.to_server.nothing();
    rig.server_says(DONE).await;
    assert_eq!(rig.to_host.raw().await, DONE);
    assert_eq!(rig.end().await, "answered");
}

#[tokio::test]
async fn a_cancelled_call_that_is_never_answered_is_reported_as_lost() {
    let mut rig = Rig::with(Sharing::One, |settings| {
        settings.linger = Duration::from_millis(1);
    });
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, call(1));
    rig.host_says(CANCEL).await;
    assert_eq!(rig.end().await, "lost");
    assert!(rig.is_idle());
}

#[tokio::test]
async fn cancellations_of_nothing_are_not_forwarded() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(CANCEL).await;
    rig.host_says(
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}"#,
    )
    .await;
    rig.to_server.nothing();
}

#[tokio::test]
async fn progress_while_held_increases_and_stays_below_whatever_the_server_will_say() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    let mut last = f64::NEG_INFINITY;
    for _ in 0..5 {
        held.order(Order::Progress("a person is asked"));
        let told = rig.to_host.next().await;
        assert_eq!(told["method"], "notifications/progress");
        assert_eq!(told["params"]["progressToken"], "p1");
        let progress = told["params"]["progress"].as_f64().unwrap();
        assert!(last < progress && progress < 0.0, "{last} then {progress}");
        last = progress;
    }
    held.order(Order::Forward);
    rig.to_server.next().await;
    let own = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p1","progress":0}}"#;
    rig.server_says(own).await;
    assert_eq!(rig.to_host.raw().await, own);
    // Without a token there is none.
    rig.host_says(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}"#)
        .await;
    let held = rig.call().await;
    held.order(Order::Progress("nobody asked"));
    held.order(Order::Answer(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#));
    assert_eq!(rig.to_host.next().await["id"], 2);
}

#[tokio::test]
async fn the_gate_asks_under_an_id_that_no_host_has() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}},"io.modelcontextprotocol/clientInfo":{"name":"a host","version":"1"},"x":1}}}"#,
    )
    .await;
    let held = rig.call().await;
    assert_eq!(held.call.generation, Generation::Stateless);
    assert_eq!(held.call.host_name.as_deref(), Some("a host"));
    assert!(held.call.elicits_url);
    let (answer, answered) = oneshot::channel();
    held.order(Order::Ask(answer));
    let asked = rig.to_server.next().await;
    assert_eq!(asked["method"], "tools/list");
    let meta = asked["params"]["_meta"].as_object().unwrap();
    assert_eq!(
        meta["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    assert_eq!(meta.len(), 3);
    let id = asked["id"].as_str().unwrap();
    assert!(id.starts_with("sernixa-"));
    // Whoever takes that id is refused.
    rig.host_says(&format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","method":"ping"}}"#
    ))
    .await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32600);
    rig.server_says(&format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","result":{{"tools":[]}}}}"#
    ))
    .await;
    assert!(soon(answered).await.unwrap().is_ok());
    rig.to_host.nothing();
}

#[tokio::test]
async fn a_question_that_is_not_answered_ends_in_time() {
    let mut rig = Rig::with(Sharing::One, |settings| {
        settings.ask_timeout = Duration::from_millis(1);
    });
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    let (answer, answered) = oneshot::channel();
    held.order(Order::Ask(answer));
    assert!(matches!(soon(answered).await.unwrap(), Err(Gone)));
    held.order(Order::Answer(DONE));
    rig.to_host.next().await;
    assert!(rig.is_idle());
}

#[tokio::test]
async fn a_bug_in_the_gate_refuses_one_call_and_ends_nothing_else() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.host_says(&call(2)).await;
    let (first, second) = (rig.call().await, rig.call().await);
    first.order(Order::Panic);
    let refused = rig.to_host.next().await;
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&1.into(), &(-32603).into())
    );
    rig.to_server.nothing();
    second.order(Order::Forward);
    assert_eq!(rig.to_server.next().await["id"], 2);
}

#[tokio::test]
async fn what_initialize_said_holds_for_calls_that_say_nothing_themselves() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"old"},"capabilities":{}}}"#,
    )
    .await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"9999-01-01"}}"#)
        .await;
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    assert_eq!(held.call.generation, Generation::Sessions);
    assert_eq!(held.call.host_name.as_deref(), Some("old"));
}
