//! Upstreams that do not behave.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::rig::{
    Events, Fate, Made, Pipe, Proxy, Script, Seen, Stream, answer, code, modern, modern_tool, read,
    relay, request, soon, tool,
};
use crate::message::LONGEST;

/// Calls a tool of 2026-07-28 and gives the request that the upstream got.
async fn call(proxy: &Proxy, script: &mut Script, act: impl FnOnce(Seen)) -> Value {
    let (response, ()) = tokio::join!(proxy.modern(&modern_tool(3, "echo")).send(), async {
        act(script.next().await);
    });
    let answer = answer(response.unwrap()).await;
    assert_eq!(answer["id"], 3);
    answer
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_the_call_counts_as_lost() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let json = [("content-type", "application/json")];
    let fine = r#"{"jsonrpc":"2.0","id":"x","result":{}}"#;
    let acts: Vec<Box<dyn FnOnce(Seen)>> = vec![
        Box::new(|seen| seen.raw(200, &[("content-type", "text/html")], "<html>")),
        Box::new(|seen| seen.raw(302, &[("location", "http://localhost/")], "")),
        Box::new(|seen| seen.status(500)),
        Box::new(|seen| seen.status(202)),
        Box::new(move |seen| seen.raw(200, &json, "<html>")),
        Box::new(move |seen| seen.raw(200, &json, "[]")),
        Box::new(move |seen| seen.raw(200, &json, fine)),
        Box::new(move |seen| seen.raw(200, &json, " ".repeat(LONGEST + 1))),
        Box::new(move |seen| seen.raw(200, &[json[0], ("content-encoding", "gzip")], fine)),
        Box::new(move |seen| {
            let id = &seen.body["id"];
            let twice = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"result":{{}}}}"#);
            seen.raw(200, &json, twice);
        }),
        Box::new(|seen| {
            let id = &seen.body["id"];
            let result = json!({"jsonrpc": "2.0", "id": id, "result": {}});
            seen.json(StatusCode::INTERNAL_SERVER_ERROR, &result);
        }),
        // A stream that ends before its answer.
        Box::new(|seen| drop(seen.events())),
        Box::new(|seen| seen.events().raw("id: 1\ndata: \n\ndata: {\"jsonrpc\"")),
        Box::new(|seen| {
            let id = &seen.body["id"];
            let twice = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"result":{{}}}}"#);
            seen.events().raw(&format!("data: {twice}\n\n"));
        }),
        // Another event type is no message.
        Box::new(|seen| {
            let id = &seen.body["id"];
            let data = json!({"jsonrpc": "2.0", "id": id, "result": {}});
            seen.events()
                .raw(&format!("event: other\ndata: {data}\n\n"));
        }),
    ];
    for (at, act) in acts.into_iter().enumerate() {
        let answer = call(&proxy, &mut script, act).await;
        assert_eq!(code(&answer), -32_603, "{at}: {answer}");
        assert_eq!(proxy.fate().await, Fate::Lost, "{at}");
    }
    assert!(script.saw_nothing(), "nothing was sent twice");
}

#[tokio::test]
async fn an_event_without_end_is_cut() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let answer = call(&proxy, &mut script, |seen| {
        let events = seen.events();
        let line = "x".repeat(1 << 20);
        events.raw("data: ");
        for _ in 0..=(LONGEST >> 20) + 1 {
            events.raw(&line);
        }
        tokio::spawn(async move { events.closed().await });
    })
    .await;
    assert_eq!(code(&answer), -32_603);
    assert_eq!(proxy.fate().await, Fate::Lost);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_never_started_the_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let mut proxy = Proxy::to(&url).await;
    let failed = soon(proxy.modern(&modern_tool(3, "echo")).send())
        .await
        .unwrap();
    assert_eq!(code(&answer(failed).await), -32_603);
    assert_eq!(proxy.fate().await, Fate::NotStarted);
}

#[tokio::test]
async fn an_error_that_names_no_request_answers_the_one_it_came_for() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    for id in [json!({}), json!({"id": null})] {
        let answer = call(&proxy, &mut script, |seen| {
            let mut error = id;
            error["jsonrpc"] = "2.0".into();
            error["error"] = json!({"code": -32_000, "message": "no", "data": 1.0});
            seen.json(StatusCode::BAD_REQUEST, &error);
        })
        .await;
        assert_eq!(
            answer["error"],
            json!({"code": -32_000, "message": "no", "data": 1.0})
        );
        assert_eq!(proxy.fate().await, Fate::Answered);
    }
}

#[tokio::test]
async fn headers_are_made_from_the_body_and_the_tools_schema() {
    let mut script = Script::new().await;
    let made = Made {
        token: Some("upstream-secret"),
        ..Made::default()
    };
    let proxy = Proxy::made(&script.url, made).await;
    let list = modern(1, "tools/list", &json!({}));
    let (listed, ()) = tokio::join!(proxy.modern(&list).send(), async {
        let asked = script.next().await;
        assert_eq!(asked.header("authorization"), "Bearer upstream-secret");
        assert_eq!(asked.header("mcp-protocol-version"), "2026-07-28");
        assert_eq!(asked.header("mcp-method"), "tools/list");
        assert!(!asked.headers.contains_key("mcp-name"));
        let schema =
            json!({"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}});
        let bad = json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}});
        asked.result(&json!({"tools": [
            {"name": "für", "inputSchema": schema}, {"name": "bad", "inputSchema": bad},
        ]}));
    });
    let listed = answer(listed.unwrap()).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 1);
    let params = json!({"name": "für", "arguments": {"region": "eu"}});
    let call = modern(1, "tools/call", &params);
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "=?base64?ZsO8cg==?="),
    ];
    let (called, ()) = tokio::join!(proxy.post(&call, &headers).send(), async {
        let asked = script.next().await;
        assert_eq!(asked.header("mcp-name"), "=?base64?ZsO8cg==?=");
        assert_eq!(asked.header("mcp-param-region"), "eu");
        asked.result(&json!({"content": []}));
    });
    assert_eq!(called.unwrap().status(), 200);
    let refused = soon(proxy.modern(&modern_tool(1, "bad")).send())
        .await
        .unwrap();
    // Its argument is absent, but nobody can tell which header it would want.
    assert_eq!(code(&answer(refused).await), -32_603);
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_taken_up_again_and_nothing_is_called_twice() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut stream = Stream::of(
        soon(proxy.in_session(&id, &tool(1, "slow")).send())
            .await
            .unwrap(),
    );
    script
        .next()
        .await
        .events()
        .raw("id: e1\nretry: 1\ndata: \n\n");
    let again = script.any().await;
    assert_eq!(
        (again.method.as_str(), again.header("last-event-id")),
        ("GET", "e1")
    );
    assert_eq!(again.header("mcp-session-id"), "up");
    again.status(503);
    let again = script.any().await;
    assert_eq!(again.header("last-event-id"), "e1");
    again.events().raw("id: e2\ndata: \n\n");
    let again = script.any().await;
    assert_eq!(again.header("last-event-id"), "e2");
    again
        .events()
        .say(&json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}}));
    assert_eq!(stream.says().await["result"], json!({"content": []}));
    assert_eq!(proxy.fate().await, Fate::Answered);
}

#[tokio::test]
async fn a_session_that_the_upstream_lost_answers_everything_and_ends() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut slow = Stream::of(
        soon(proxy.in_session(&id, &tool(1, "slow")).send())
            .await
            .unwrap(),
    );
    let _events: Events = script.next().await.events();
    let ping = request(2, "ping", &json!({}));
    let mut lost = Stream::of(soon(proxy.in_session(&id, &ping).send()).await.unwrap());
    script.next().await.status(404);
    assert_eq!(code(&slow.says().await), -32_603);
    assert_eq!(code(&lost.says().await), -32_603);
    assert_eq!(proxy.fate().await, Fate::Lost);
    let late = soon(proxy.in_session(&id, &ping).send()).await.unwrap();
    assert_eq!(late.status(), 404);
}

#[tokio::test]
async fn a_slow_request_delays_no_other() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut slow = Stream::of(
        soon(proxy.in_session(&id, &tool(1, "slow")).send())
            .await
            .unwrap(),
    );
    let never_answered = script.next().await;
    for nth in 2..20 {
        let ping = request(nth, "ping", &json!({}));
        let (answered, ()) = tokio::join!(proxy.in_session(&id, &ping).send(), async {
            script.next().await.result(&json!({}));
        });
        assert_eq!(answer(answered.unwrap()).await["id"], nth);
    }
    never_answered.result(&json!({"content": []}));
    assert_eq!(slow.says().await["id"], 1);
}

#[tokio::test]
async fn one_that_never_answers_is_left_when_its_host_goes() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let _slow = soon(proxy.in_session(&id, &tool(1, "slow")).send())
        .await
        .unwrap();
    let events = script.next().await.events();
    let delete = proxy.http.delete(&proxy.url).header("mcp-session-id", &id);
    assert_eq!(soon(delete.send()).await.unwrap().status(), 204);
    events.closed().await;
    assert_eq!(proxy.fate().await, Fate::Lost);
}

#[tokio::test]
async fn answers_of_another_request_are_not_taken() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let one = proxy.modern(&modern_tool(1, "one")).send();
    let other = proxy.modern(&modern_tool(2, "other")).send();
    let upstream = async {
        let first = script.next().await;
        let second = script.next().await;
        let named = |seen: &Seen| (seen.body["id"].clone(), seen.body["params"]["name"].clone());
        let (first_named, second_named) = (named(&first), named(&second));
        let (first, second) = (first.events(), second.events());
        // On the wrong streams, then on the right ones.
        let said = |(id, who): &(Value, Value), is_right: bool| json!({"jsonrpc": "2.0", "id": id, "result": {"who": who, "right": is_right}});
        first.say(&said(&second_named, false));
        second.say(&said(&first_named, false));
        first.say(&said(&first_named, true));
        second.say(&said(&second_named, true));
        (first, second)
    };
    let (one, other, _streams) = tokio::join!(one, other, upstream);
    for (response, who) in [(one, "one"), (other, "other")] {
        let answer = answer(response.unwrap()).await;
        assert_eq!(answer["result"], json!({"who": who, "right": true}));
    }
}

#[tokio::test]
async fn a_host_on_stdio_is_given_headers_and_cancels_by_closing_the_stream() {
    let mut script = Script::new().await;
    let (host, mut told) = Pipe::open();
    let relay = relay(&script.url, &host).await;
    let call = read(&modern_tool(7, "slow"));
    relay.from_host(call, Arc::clone(&host)).await;
    let asked = script.next().await;
    assert_eq!(asked.header("mcp-protocol-version"), "2026-07-28");
    assert_eq!(asked.header("mcp-method"), "tools/call");
    assert_eq!(asked.header("mcp-name"), "slow");
    assert_eq!(asked.body, modern_tool(7, "slow"), "as it came");
    let events = asked.events();
    let params = json!({"requestId": 7});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    relay.from_host(read(&cancel), Arc::clone(&host)).await;
    events.closed().await;
    // Other requests are not touched, and no message says what a closed stream says.
    relay
        .from_host(read(&modern(8, "tools/list", &json!({}))), host)
        .await;
    script.next().await.result(&json!({"tools": []}));
    assert_eq!(soon(told.recv()).await.unwrap()["id"], 8);
    assert!(script.saw_nothing());
}
