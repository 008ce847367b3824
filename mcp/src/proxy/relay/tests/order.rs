//! Forwarding in order, and what is not forwarded.

use super::rig::{Order, Rig, call};
use crate::proxy::relay::Sharing;

const PING: &str = r#"{"jsonrpc": "2.0", "id": 1,  "method":"ping", "future": {"a": 1.0}}"#;

#[tokio::test]
async fn messages_pass_in_order_and_as_the_bytes_that_came_while_a_tool_call_waits() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(&call(7)).await;
    let held = rig.call().await;
    let sent: Vec<String> = (10..40)
        .map(|id| match id % 3 {
            0 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#),
            1 => format!(r#"{{"id":{id}, "jsonrpc":"2.0","method":"resources/list","x":1e2}}"#),
            _ => r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#.to_owned(),
        })
        .collect();
    for text in &sent {
        rig.host_says(text).await;
    }
    for text in &sent {
        assert_eq!(rig.to_server.raw().await, *text);
    }
    held.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, call(7));
}

#[tokio::test]
async fn an_id_in_flight_is_refused_and_free_again_after_the_answer() {
    let mut rig = Rig::new(Sharing::One);
    rig.host_says(PING).await;
    assert_eq!(rig.to_server.raw().await, PING);
    rig.host_says(PING).await;
    let refused = rig.to_host.next().await;
    assert_eq!(refused["error"]["code"], -32600);
    assert_eq!(refused["id"], 1);
    // A held call's id is in flight, too; a string is another id.
    rig.host_says(&call(2)).await;
    let _held = rig.call().await;
    rig.host_says(&call(2)).await;
    assert_eq!(rig.to_host.next().await["id"], 2);
    rig.host_says(r#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#)
        .await;
    assert_eq!(rig.to_server.next().await["id"], "1");
    rig.server_says(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        .await;
    assert_eq!(
        rig.to_host.raw().await,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#
    );
    rig.host_says(PING).await;
    assert_eq!(rig.to_server.raw().await, PING);
    rig.to_server.nothing();
}

#[tokio::test]
async fn too_many_requests_in_flight_are_refused() {
    let mut rig = Rig::with(Sharing::One, |settings| settings.most_in_flight = 2);
    for id in 1..=3 {
        rig.host_says(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
            .await;
    }
    let refused = rig.to_host.next().await;
    assert_eq!(refused["id"], 3);
    assert_eq!(refused["error"]["code"], -32603);
    rig.server_says(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#)
        .await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#)
        .await;
    for id in 1..=3 {
        assert_eq!(rig.to_server.next().await["id"], id);
    }
}

#[tokio::test]
async fn calls_that_wait_fill_no_memory() {
    let long = |id: u32| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","arguments":{{"a":"{}"}}}}}}"#,
            "x".repeat(400)
        )
    };
    let mut rig = Rig::with(Sharing::One, |settings| settings.most_held = 1_000);
    rig.host_says(&long(1)).await;
    let first = rig.call().await;
    rig.host_says(&long(2)).await;
    let second = rig.call().await;
    rig.host_says(&long(3)).await;
    let refused = rig.to_host.next().await;
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&3.into(), &(-32603).into())
    );
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    // Others pass, and whatever leaves makes room: by its verdict, or taken back.
    rig.host_says(ping).await;
    assert_eq!(rig.to_server.raw().await, ping);
    rig.server_says(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#)
        .await;
    first.order(Order::Forward);
    assert_eq!(rig.to_server.raw().await, long(1));
    rig.host_says(
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#,
    )
    .await;
    second.dropped().await;
    for id in [3, 4] {
        rig.host_says(&long(id)).await;
        let call = rig.call().await;
        call.order(Order::Forward);
        assert_eq!(rig.to_server.raw().await, long(id));
    }
    for id in [1, 3, 4] {
        rig.server_says(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#))
            .await;
        rig.end().await;
    }
    assert!(rig.is_idle());
}

#[tokio::test]
async fn methods_outside_the_specification_pass_only_where_they_are_allowed() {
    let mut rig = Rig::with(Sharing::One, |settings| {
        settings.allow_methods = vec!["vendor/known".to_owned()].into();
    });
    rig.host_says(r#"{"jsonrpc":"2.0","id":1,"method":"vendor/other"}"#)
        .await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32601);
    rig.host_says(r#"{"jsonrpc":"2.0","method":"notifications/vendor"}"#)
        .await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":2,"method":"vendor/known"}"#)
        .await;
    assert_eq!(rig.to_server.next().await["id"], 2);
    // The other way: a server must not make a host call tools.
    rig.server_says(r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"t"}}"#)
        .await;
    let refused = rig.to_server.next().await;
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&9.into(), &(-32601).into())
    );
    rig.to_host.nothing();
    // Once `initialize` agreed, the other generation's methods are unknown.
    rig.host_says(r#"{"jsonrpc":"2.0","id":3,"method":"server/discover"}"#)
        .await;
    assert_eq!(rig.to_server.next().await["id"], 3);
    rig.host_says(r#"{"jsonrpc":"2.0","id":4,"method":"initialize","params":{}}"#)
        .await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":4,"result":{"protocolVersion":"2025-11-25"}}"#)
        .await;
    assert_eq!(rig.to_host.next().await["id"], 4);
    rig.host_says(r#"{"jsonrpc":"2.0","id":5,"method":"server/discover"}"#)
        .await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32601);
}

#[tokio::test]
async fn tasks_which_are_an_extension_since_2026_07_28_pass_only_where_they_are_allowed() {
    let update = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/update","params":{"taskId":"t"}}"#;
    let status = r#"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t"}}"#;
    let mut rig = Rig::new(Sharing::Many);
    rig.host_says(update).await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32601);
    for method in ["tasks/get", "tasks/cancel", "tasks/list", "tasks/result"] {
        let asks = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"{method}","params":{{}}}}"#);
        rig.host_says(&asks).await;
        assert_eq!(rig.to_host.next().await["error"]["code"], -32601);
    }
    rig.to_server.nothing();
    let mut rig = Rig::with(Sharing::Many, |settings| {
        settings.allow_methods = vec!["tasks/update".to_owned()].into();
    });
    rig.host_says(update).await;
    assert_eq!(rig.to_server.next().await["method"], "tasks/update");
    // A connection of one host that names the version is no other.
    let mut rig = Rig::new(Sharing::One);
    let named = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    rig.host_says(named).await;
    assert_eq!(rig.to_host.next().await["error"]["code"], -32601);
    // Of a session they are the specification's; what only the extension has is not.
    rig.host_says(r#"{"jsonrpc":"2.0","id":4,"method":"initialize","params":{}}"#)
        .await;
    rig.server_says(r#"{"jsonrpc":"2.0","id":4,"result":{"protocolVersion":"2025-11-25"}}"#)
        .await;
    assert_eq!(rig.to_host.next().await["id"], 4);
    rig.server_says(status).await;
    rig.to_host.nothing();
    assert_eq!(rig.to_server.next().await["method"], "initialize");
    rig.host_says(r#"{"jsonrpc":"2.0","id":5,"method":"tasks/get","params":{"taskId":"t"}}"#)
        .await;
    assert_eq!(rig.to_server.next().await["method"], "tasks/get");
}

#[tokio::test]
async fn requests_of_the_servers_are_matched_and_doubled_ones_refused() {
    let mut rig = Rig::new(Sharing::One);
    let asks = r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#;
    // Ids of the two directions do not meet.
    rig.host_says(PING).await;
    assert_eq!(rig.to_server.raw().await, PING);
    rig.server_says(asks).await;
    assert_eq!(rig.to_host.raw().await, asks);
    rig.server_says(asks).await;
    assert_eq!(rig.to_server.next().await["error"]["code"], -32600);
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"role":"assistant"}}"#;
    rig.host_says(answer).await;
    assert_eq!(rig.to_server.raw().await, answer);
    // The second answer answers nothing, and neither does one to nothing.
    rig.host_says(answer).await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":77,"result":{}}"#)
        .await;
    rig.host_says(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        .await;
    assert_eq!(rig.to_server.next().await["id"], 2);
    rig.to_host.nothing();
}
