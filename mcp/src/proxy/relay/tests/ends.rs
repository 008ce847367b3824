//! When a side goes.

use std::sync::atomic::Ordering;

use super::rig::{Order, Rig, call};
use crate::message::Id;
use crate::proxy::relay::Sharing;
use crate::proxy::seam::Relay as _;

#[tokio::test]
async fn when_the_server_goes_every_request_is_answered_and_running_calls_are_lost() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    rig.to_server.next().await;
    rig.host_says(&call(2)).await;
    let held = rig.call().await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#)
        .await;
    rig.relay.server_gone("it ended (exit status: 3)");
    let mut answered = Vec::new();
    for _ in 0..3 {
        let answer = rig.to_host.next().await;
        assert_eq!(answer["error"]["code"], -32603);
        let message = answer["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("exit status: 3"), "{message}");
        answered.push(answer["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
    assert_eq!(rig.end().await, "lost");
    held.dropped().await;
    assert!(rig.relay.has_ended() && rig.is_idle());
    assert!(rig.host.is_closed.load(Ordering::Relaxed));
    // And whoever comes later.
    rig.host_says(r#"{"jsonrpc":"2.0","id":4,"method":"ping"}"#)
        .await;
    assert_eq!(rig.to_host.next().await["id"], 4);
    rig.host_says(&call(5)).await;
    assert_eq!(rig.to_host.next().await["id"], 5);
}

#[tokio::test]
async fn when_the_host_goes_held_calls_are_let_go_and_running_ones_still_tell_how_they_ended() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    rig.to_server.next().await;
    rig.host_says(&call(2)).await;
    let held = rig.call().await;
    rig.host.is_gone.store(true, Ordering::Relaxed);
    rig.relay.host_gone();
    held.dropped().await;
    assert!(rig.server.is_closed.load(Ordering::Relaxed));
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#)
        .await;
    assert_eq!(rig.end().await, "answered");
    rig.to_server.nothing();
    rig.host_says(&call(3)).await;
    rig.to_server.nothing();
    assert!(rig.is_idle());
}

#[tokio::test]
async fn a_call_that_cannot_be_handed_over_did_not_start() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    let held = rig.call().await;
    rig.server.is_gone.store(true, Ordering::Relaxed);
    held.order(Order::Forward);
    assert_eq!(rig.to_host.next().await["error"]["code"], -32603);
    assert_eq!(rig.end().await, "not started");
    rig.host_says(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        .await;
    assert_eq!(rig.to_host.next().await["id"], 2);
}

#[tokio::test]
async fn a_refused_answer_is_an_answer_to_the_host() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    rig.to_server.next().await;
    rig.relay
        .lost(&Id::Number("1".into()), "it says a\nmember twice");
    let answer = rig.to_host.next().await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        !message.contains('\n') && message.contains("twice"),
        "{message}"
    );
    assert_eq!(rig.end().await, "lost");
    rig.relay.lost(&Id::Number("1".into()), "again");
    rig.to_host.nothing();
}

#[tokio::test]
async fn an_answer_that_came_before_the_server_went_is_still_told() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(1)).await;
    rig.call().await.order(Order::Forward);
    rig.to_server.next().await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#)
        .await;
    rig.relay.server_gone("it ended");
    // Its last words are under way, so the stream is still open.
    assert!(!rig.host.is_closed.load(Ordering::Relaxed));
    assert!(rig.to_host.next().await.get("result").is_some());
    assert_eq!(rig.end().await, "answered");
}
