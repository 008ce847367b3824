//! 2026-07-28: every request stands for itself.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::rig::{
    Fate, Made, Proxy, Script, Stream, answer, code, modern, modern_tool, request, soon,
};

const HEADER_MISMATCH: i64 = -32_020;

#[tokio::test]
async fn headers_that_do_not_say_what_the_body_says_are_refused() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let call = modern_tool(5, "echo");
    let right = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "echo"),
    ];
    let mut cases: Vec<Vec<(&str, &str)>> = Vec::new();
    for at in 0..right.len() {
        let mut missing = right.to_vec();
        missing.remove(at);
        cases.push(missing);
        let mut wrong = right.to_vec();
        wrong[at].1 = ["2026-07-29", "Tools/Call", "ech0"][at];
        cases.push(wrong);
    }
    let mut bad = right.to_vec();
    bad[2].1 = "=?base64?!?=";
    cases.push(bad);
    for headers in cases {
        let refused = soon(proxy.post(&call, &headers).send()).await.unwrap();
        assert_eq!(refused.status(), 400, "{headers:?}");
        let refused = answer(refused).await;
        assert_eq!(
            (code(&refused), &refused["id"]),
            (HEADER_MISMATCH, &json!(5))
        );
    }
    assert!(script.saw_nothing());
    let mut encoded = right.to_vec();
    encoded[2].1 = "=?base64?ZWNobw==?=";
    let (fine, ()) = tokio::join!(proxy.post(&call, &encoded).send(), async {
        script.next().await.result(&json!({"content": []}));
    });
    assert_eq!(fine.unwrap().status(), 200);
}

#[tokio::test]
async fn a_notifications_headers_must_say_what_its_body_says() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let version = ("mcp-protocol-version", "2026-07-28");
    let bare = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}});
    let mut named = bare.clone();
    named["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    let other = ("mcp-protocol-version", "2026-07-29");
    for (body, headers) in [
        (&bare, &[version, ("mcp-method", "tools/call")][..]),
        (&named, &[version, ("mcp-method", "tools/call")]),
        (&named, &[other]),
        (&named, &[version, version]),
    ] {
        let refused = soon(proxy.post(body, headers).send()).await.unwrap();
        assert_eq!(refused.status(), 400, "{headers:?}");
        assert_eq!(code(&answer(refused).await), HEADER_MISMATCH, "{headers:?}");
    }
    assert!(script.saw_nothing());
    for headers in [
        &[version][..],
        &[version, ("mcp-method", "notifications/cancelled")],
    ] {
        let taken = soon(proxy.post(&named, headers).send()).await.unwrap();
        assert_eq!(taken.status(), 202);
    }
}

#[tokio::test]
async fn a_request_without_its_metadata_is_refused() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let full = modern(1, "tools/list", &json!({}));
    for without in [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ] {
        let mut body = full.clone();
        body["params"]["_meta"]
            .as_object_mut()
            .unwrap()
            .remove(without);
        let refused = soon(proxy.modern(&body).send()).await.unwrap();
        assert_eq!(refused.status(), 400);
        assert_eq!(code(&answer(refused).await), -32_602);
    }
    let bare = request(1, "tools/list", &json!({}));
    let refused = soon(proxy.modern(&bare).send()).await.unwrap();
    assert_eq!(
        (refused.status(), code(&answer(refused).await)),
        (StatusCode::BAD_REQUEST, -32_602)
    );
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn errors_of_the_protocol_have_their_status() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    for (error, status, its) in [
        (-32_601, StatusCode::NOT_FOUND, 404),
        (-32_022, StatusCode::BAD_REQUEST, 400),
        (-32_021, StatusCode::OK, 400),
        (-32_602, StatusCode::OK, 200),
    ] {
        let list = modern(9, "tools/list", &json!({}));
        let (refused, ()) = tokio::join!(proxy.modern(&list).send(), async {
            let asked = script.next().await;
            let id = asked.body["id"].clone();
            let error = json!({"code": error, "message": "no", "data": {"a": 1}});
            asked.json(status, &json!({"jsonrpc": "2.0", "id": id, "error": error}));
        });
        let refused = refused.unwrap();
        assert_eq!(refused.status(), its, "{error}");
        let refused = answer(refused).await;
        assert_eq!((code(&refused), &refused["id"]), (error, &json!(9)));
    }
    let unknown = modern(9, "no/such", &json!({}));
    let refused = soon(proxy.modern(&unknown).send()).await.unwrap();
    assert_eq!(refused.status(), 404);
    assert_eq!(code(&answer(refused).await), -32_601);
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn there_are_no_sessions() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    for method in ["GET", "DELETE"] {
        let method = method.parse().unwrap();
        let request = proxy.http.request(method, &proxy.url);
        let request = request
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2026-07-28");
        let refused = soon(request.send()).await.unwrap();
        assert_eq!(refused.status(), 405);
        assert!(refused.headers().contains_key("allow"));
    }
    let said = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let said = proxy.post(&said, &[("mcp-protocol-version", "2026-07-28")]);
    assert_eq!(soon(said.send()).await.unwrap().status(), 400);
    // An id of a session says nothing here.
    let list = modern(1, "tools/list", &json!({}));
    let list = proxy.modern(&list).header("mcp-session-id", "0").send();
    let (fine, ()) = tokio::join!(list, async {
        let asked = script.next().await;
        assert!(!asked.headers.contains_key("mcp-session-id"));
        asked.result(&json!({"tools": []}));
    });
    let fine = fine.unwrap();
    assert_eq!(fine.status(), 200);
    assert!(!fine.headers().contains_key("mcp-session-id"));
}

#[tokio::test]
async fn hosts_with_equal_ids_and_tokens_do_not_mix() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let call = |who: &str| {
        let params = json!({"name": who, "arguments": {}, "_meta": {"progressToken": 1}});
        modern(1, "tools/call", &params)
    };
    let one = proxy.modern(&call("one")).send();
    let other = proxy.modern(&call("other")).send();
    let upstream = async {
        let mut asked = Vec::new();
        for _ in 0..2 {
            asked.push(script.next().await);
        }
        let facts = |of: &Value| {
            let params = &of["params"];
            (
                of["id"].clone(),
                params["_meta"]["progressToken"].clone(),
                params["name"].clone(),
            )
        };
        let facts: Vec<_> = asked.iter().map(|asked| facts(&asked.body)).collect();
        assert_ne!(facts[0].0, facts[1].0, "ids");
        assert_ne!(facts[0].1, facts[1].1, "tokens");
        let streams: Vec<_> = asked.into_iter().map(super::rig::Seen::events).collect();
        for (stream, (id, token, name)) in streams.iter().zip(&facts).rev() {
            let params = json!({"progressToken": token, "progress": 1, "message": name});
            stream.say(
                &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}),
            );
            stream
                .say(&json!({"jsonrpc": "2.0", "id": id, "result": {"content": [], "who": name}}));
        }
        streams
    };
    let (one, other, _streams) = tokio::join!(one, other, upstream);
    for (response, who) in [(one, "one"), (other, "other")] {
        let mut stream = Stream::of(response.unwrap());
        let progress = stream.says().await;
        assert_eq!(progress["params"]["message"], who);
        assert_eq!(progress["params"]["progressToken"], 1);
        let answer = stream.says().await;
        assert_eq!(
            (&answer["id"], &answer["result"]["who"]),
            (&json!(1), &json!(who))
        );
        assert!(stream.message().await.is_none());
    }
}

#[tokio::test]
async fn subscriptions_of_two_hosts_do_not_mix() {
    const ID: &str = "io.modelcontextprotocol/subscriptionId";
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let mut hosts = Vec::new();
    let mut upstreams = Vec::new();
    for _ in 0..2 {
        let listen = modern(1, "subscriptions/listen", &json!({"notifications": {}}));
        let (response, upstream) = tokio::join!(proxy.modern(&listen).send(), async {
            let asked = script.next().await;
            let id = asked.body["id"].clone();
            let events = asked.events();
            let meta = json!({"_meta": {ID: id}, "notifications": {}});
            let method = "notifications/subscriptions/acknowledged";
            events.say(&json!({"jsonrpc": "2.0", "method": method, "params": meta}));
            (events, id)
        });
        let mut stream = Stream::of(response.unwrap());
        assert_eq!(stream.says().await["params"]["_meta"][ID], 1);
        hosts.push(stream);
        upstreams.push(upstream);
    }
    for ((events, id), uri) in upstreams.iter().zip(["a:", "b:"]) {
        let params = json!({"_meta": {ID: id}, "uri": uri});
        let method = "notifications/resources/updated";
        events.say(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }
    for (stream, uri) in hosts.iter_mut().zip(["a:", "b:"]) {
        let told = stream.says().await;
        assert_eq!(told["params"], json!({"_meta": {ID: 1}, "uri": uri}));
    }
    // A host that closes its stream ends its subscription, and no other.
    hosts.remove(0);
    upstreams[0].0.closed().await;
    let (events, id) = &upstreams[1];
    events.say(&json!({"jsonrpc": "2.0", "id": id, "result": {"_meta": {ID: id}}}));
    let end = hosts[0].says().await;
    assert_eq!(
        (&end["id"], &end["result"]["_meta"][ID]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_closed_stream_cancels_what_runs_and_detaches_what_is_held() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    // Held: before the answer began, and the server sees nothing of it.
    let held = tokio::spawn(proxy.modern(&modern_tool(1, "held")).send());
    assert_eq!(proxy.fate().await, Fate::Held);
    held.abort();
    assert_eq!(proxy.fate().await, Fate::Detached);
    assert!(script.saw_nothing());
    // Running, before the answer began.
    let running = tokio::spawn(proxy.modern(&modern_tool(1, "slow")).send());
    let events = script.next().await.events();
    running.abort();
    events.closed().await;
    // Running, with a stream that began.
    let mut call = modern_tool(1, "slow");
    call["params"]["_meta"]["progressToken"] = json!(1);
    let (response, events) = tokio::join!(proxy.modern(&call).send(), async {
        let asked = script.next().await;
        let token = asked.body["params"]["_meta"]["progressToken"].clone();
        let events = asked.events();
        let params = json!({"progressToken": token, "progress": 1});
        events
            .say(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}));
        events
    });
    let mut stream = Stream::of(response.unwrap());
    assert_eq!(stream.says().await["method"], "notifications/progress");
    drop(stream);
    events.closed().await;
    // No message says so: in this version a closed stream does.
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn a_message_cancels_nothing_of_another_hosts() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let running = tokio::spawn(proxy.modern(&modern_tool(1, "slow")).send());
    let asked = script.next().await;
    for id in [json!(1), asked.body["id"].clone()] {
        let params = json!({"requestId": id});
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        let cancel = proxy.post(&cancel, &[("mcp-protocol-version", "2026-07-28")]);
        assert_eq!(soon(cancel.send()).await.unwrap().status(), 202);
    }
    asked.result(&json!({"content": []}));
    let fine = soon(running).await.unwrap().unwrap();
    assert_eq!(answer(fine).await["id"], 1);
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn arguments_in_headers_must_say_what_the_body_says() {
    let mut script = Script::new().await;
    let tool = json!({"name": "query", "inputSchema": {"properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
    }}});
    let made = Made {
        tool: Some(tool),
        ..Made::default()
    };
    let proxy = Proxy::made(&script.url, made).await;
    let params = json!({"name": "query", "arguments": {"region": "Zürich"}});
    let call = modern(1, "tools/call", &params);
    for given in [None, Some("Bern"), Some("=?base64?!?=")] {
        let mut request = proxy.modern(&call);
        if let Some(given) = given {
            request = request.header("mcp-param-region", given);
        }
        let refused = soon(request.send()).await.unwrap();
        assert_eq!(refused.status(), 400, "{given:?}");
        assert_eq!(code(&answer(refused).await), HEADER_MISMATCH);
    }
    assert!(script.saw_nothing());
    let right = proxy
        .modern(&call)
        .header("mcp-param-region", "=?base64?WsO8cmljaA==?=");
    let (fine, ()) = tokio::join!(right.send(), async {
        script.next().await.result(&json!({"content": []}));
    });
    assert_eq!(fine.unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_that_ended_starts_again_with_the_next_request() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    proxy
        .fails
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let list = modern(1, "tools/list", &json!({}));
    let failed = soon(proxy.modern(&list).send()).await.unwrap();
    assert_eq!(failed.status(), 502);
    assert_eq!(answer(failed).await["id"], 1);
    proxy
        .fails
        .store(false, std::sync::atomic::Ordering::Relaxed);
    let (fine, ()) = tokio::join!(proxy.modern(&list).send(), async {
        script.next().await.result(&json!({"tools": []}));
    });
    assert_eq!(fine.unwrap().status(), 200);
}
