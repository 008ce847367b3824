//! Sessions, up to 2025-11-25.

use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::json;

use super::rig::{
    Fate, Made, Proxy, Script, Stream, answer, code, initialize, initialized, request, soon, tool,
};

#[tokio::test]
async fn a_session_has_its_own_upstream_session_and_ends_with_delete() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let one = proxy.session(&mut script).await;
    let other = proxy.session(&mut script).await;
    assert_ne!(one, other);
    assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let ping = request(1, "ping", &json!({}));
    let (answered, ()) = tokio::join!(proxy.in_session(&one, &ping).send(), async {
        let asked = script.next().await;
        assert_eq!(asked.header("mcp-session-id"), "up");
        assert_eq!(asked.header("mcp-protocol-version"), "2025-11-25");
        asked.result(&json!({}));
    });
    assert_eq!(
        answer(answered.unwrap()).await,
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
    let delete = |id: &str| {
        let request = proxy.http.delete(&proxy.url).header("mcp-session-id", id);
        request.send()
    };
    let (gone, ()) = tokio::join!(delete(&one), async {
        let ended = script.next().await;
        assert_eq!(ended.method, "DELETE");
        assert_eq!(ended.header("mcp-session-id"), "up");
        ended.status(204);
    });
    assert_eq!(gone.unwrap().status(), 204);
    assert_eq!(soon(delete(&one)).await.unwrap().status(), 404);
    let late = soon(proxy.in_session(&one, &ping).send()).await.unwrap();
    assert_eq!(late.status(), 404);
    assert_eq!(answer(late).await["id"], 1);
    assert_eq!(
        soon(proxy.get(&other, None).send()).await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn no_session_an_unknown_one_and_a_wrong_version_are_told_apart() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let ping = request(1, "ping", &json!({}));
    let cases: [(&[(&str, &str)], u16); 5] = [
        (&[], 400),
        (&[("mcp-session-id", "0")], 404),
        (
            &[
                ("mcp-session-id", &id),
                ("mcp-protocol-version", "1999-01-01"),
            ],
            400,
        ),
        (&[("mcp-session-id", &id), ("mcp-session-id", &id)], 400),
        (&[("mcp-protocol-version", "2025-11-25")], 400),
    ];
    for (headers, status) in cases {
        let answer = soon(proxy.post(&ping, headers).send()).await.unwrap();
        assert_eq!(answer.status(), status, "{headers:?}");
    }
    let twice = [("mcp-session-id", &*id)];
    let twice = soon(proxy.post(&initialize(), &twice).send())
        .await
        .unwrap();
    assert_eq!(twice.status(), 400);
    let get = proxy
        .http
        .get(&proxy.url)
        .header("accept", "text/event-stream");
    assert_eq!(soon(get.send()).await.unwrap().status(), 400);
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn headers_that_a_session_does_not_need_must_say_what_the_body_says_too() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let call = tool(5, "echo");
    let note = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    let said = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    for (body, name, value) in [
        (&call, "mcp-method", "ping"),
        (&call, "mcp-method", "Tools/Call"),
        (&call, "mcp-name", "other"),
        (&note, "mcp-method", "notifications/initialized"),
        (&said, "mcp-method", "ping"),
    ] {
        let refused = proxy.in_session(&id, body).header(name, value).send();
        let refused = soon(refused).await.unwrap();
        assert_eq!(refused.status(), 400, "{name}: {value}");
        assert_eq!(code(&answer(refused).await), -32_020, "{name}: {value}");
    }
    // None begins, either.
    let begins = proxy.post(&initialize(), &[("mcp-method", "ping")]).send();
    assert_eq!(soon(begins).await.unwrap().status(), 400);
    assert!(script.saw_nothing());
    let right = proxy.in_session(&id, &call);
    let right = right
        .header("mcp-method", "tools/call")
        .header("mcp-name", "echo");
    let (fine, ()) = tokio::join!(right.send(), async {
        script.next().await.result(&json!({"content": []}));
    });
    assert_eq!(fine.unwrap().status(), 200);
}

#[tokio::test]
async fn an_initialize_that_fails_leaves_no_session() {
    let mut script = Script::new().await;
    let mut made = Made::default();
    made.options.limits.sessions = 1;
    let proxy = Proxy::made(&script.url, made).await;
    for _ in 0..3 {
        let (refused, ()) = tokio::join!(proxy.post(&initialize(), &[]).send(), async {
            let asked = script.next().await;
            let id = asked.body["id"].clone();
            let error = json!({"code": -32_602, "message": "no"});
            let error = json!({"jsonrpc": "2.0", "id": id, "error": error});
            asked.json(axum::http::StatusCode::OK, &error);
        });
        let refused = refused.unwrap();
        assert!(!refused.headers().contains_key("mcp-session-id"));
        assert_eq!(code(&answer(refused).await), -32_602);
    }
    proxy
        .fails
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let failed = soon(proxy.post(&initialize(), &[]).send()).await.unwrap();
    assert_eq!(failed.status(), 502);
    assert_eq!(code(&answer(failed).await), -32_603);
}

#[tokio::test]
async fn sessions_are_bounded_and_idle_ones_make_room() {
    let mut script = Script::new().await;
    let mut made = Made::default();
    made.options.limits.sessions = 1;
    let proxy = Proxy::made(&script.url, made).await;
    let id = proxy.session(&mut script).await;
    let full = soon(proxy.post(&initialize(), &[]).send()).await.unwrap();
    assert_eq!(full.status(), 503);
    assert!(full.headers().contains_key("retry-after"));
    drop(id);

    let mut script = Script::new().await;
    let mut made = Made::default();
    made.options.limits.sessions = 1;
    made.options.limits.idle = Duration::ZERO;
    let proxy = Proxy::made(&script.url, made).await;
    let id = proxy.session(&mut script).await;
    let (next, ()) = tokio::join!(proxy.post(&initialize(), &[]).send(), async {
        // The idle session's end, and the new one's beginning, in any order.
        for _ in 0..2 {
            let seen = script.next().await;
            if seen.method == "DELETE" {
                seen.status(204);
            } else {
                seen.result(&initialized());
            }
        }
    });
    assert_eq!(next.unwrap().status(), 200);
    let late = soon(
        proxy
            .in_session(&id, &request(1, "ping", &json!({})))
            .send(),
    )
    .await;
    assert_eq!(late.unwrap().status(), 404);
}

#[tokio::test]
async fn answers_are_streams_which_begin_with_an_id_since_2025_11_25() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    for (version, is_primed) in [("2025-11-25", true), ("2025-06-18", false)] {
        let headers = [("mcp-session-id", &*id), ("mcp-protocol-version", version)];
        let ping = request(1, "ping", &json!({}));
        let (response, ()) = tokio::join!(proxy.post(&ping, &headers).send(), async {
            script.next().await.result(&json!({}));
        });
        let response = response.unwrap();
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut stream = Stream::of(response);
        let first = stream.event().await.unwrap();
        assert!(first.id.is_some());
        assert_eq!(first.data.as_deref() == Some(""), is_primed);
        assert_eq!(first.retry.is_some(), is_primed);
        if is_primed {
            assert_eq!(stream.says().await["id"], 1);
        }
        assert!(stream.event().await.is_none(), "it ends with the answer");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_cancels_nothing_and_is_taken_up_again() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut call = tool(7, "slow");
    call["params"]["_meta"] = json!({"progressToken": "t"});
    let mut stream = Stream::of(soon(proxy.in_session(&id, &call).send()).await.unwrap());
    let events = script.next().await.events();
    let progress = |done: u32| {
        let params = json!({"progressToken": "t", "progress": done});
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
    };
    events.say(&progress(1));
    let (first, last_id) = stream.message().await.unwrap();
    assert_eq!(first, progress(1));
    drop(stream);
    events.say(&progress(2));
    events.say(&json!({"jsonrpc": "2.0", "id": 7, "result": {"content": []}}));
    assert_eq!(proxy.fate().await, Fate::Answered);
    // Twice: what was told can be told again.
    for _ in 0..2 {
        let again = proxy.get(&id, last_id.as_deref()).send();
        let mut again = Stream::of(soon(again).await.unwrap());
        assert_eq!(again.says().await, progress(2));
        assert_eq!(again.says().await["id"], 7);
        assert!(again.event().await.is_none());
    }
    for bad in ["99-1", "x", "", "1", "-", "1-x"] {
        let get = proxy.get(&id, Some(bad)).send();
        assert_eq!(soon(get).await.unwrap().status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn a_request_of_the_servers_reaches_the_host_and_its_answer_the_server() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let call = proxy.in_session(&id, &tool(1, "asks")).send();
    let mut stream = Stream::of(soon(call).await.unwrap());
    let events = script.next().await.events();
    events.say(&request(
        1,
        "sampling/createMessage",
        &json!({"messages": []}),
    ));
    let asked = stream.says().await;
    assert_eq!(asked["method"], "sampling/createMessage");
    let said = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"role": "assistant"}});
    let (taken, ()) = tokio::join!(proxy.in_session(&id, &said).send(), async {
        let answer = script.next().await;
        assert_eq!(
            answer.body,
            json!({"jsonrpc": "2.0", "id": 1, "result": {"role": "assistant"}})
        );
        answer.status(202);
    });
    assert_eq!(taken.unwrap().status(), 202);
    events.say(&json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}}));
    assert_eq!(stream.says().await["id"], 1);
}

#[tokio::test]
async fn what_belongs_to_no_request_waits_for_the_get_stream() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    // This upstream offers a GET stream of its own.
    let (begun, ()) = tokio::join!(proxy.post(&initialize(), &[]).send(), async {
        script.next().await.result(&initialized());
    });
    let id = begun.unwrap().headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let (told, events) = tokio::join!(proxy.in_session(&id, &told).send(), async {
        script.next().await.status(202);
        let get = script.any().await;
        assert_eq!(get.method, "GET");
        assert_eq!(get.header("accept"), "text/event-stream");
        get.events()
    });
    assert_eq!(told.unwrap().status(), 202);
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    events.raw(&format!("id: e1\nretry: 1\ndata: {changed}\n\n"));
    let mut stream = Stream::of(soon(proxy.get(&id, None).send()).await.unwrap());
    assert_eq!(stream.says().await, changed);
    // The upstream's stream is taken up where it was.
    drop(events);
    let again = script.any().await;
    assert_eq!(
        (again.method.as_str(), again.header("last-event-id")),
        ("GET", "e1")
    );
    let events = again.events();
    events.say(&changed);
    assert_eq!(stream.says().await, changed);
    // Another reader takes the stream over; nothing is told twice.
    let mut other = Stream::of(soon(proxy.get(&id, None).send()).await.unwrap());
    assert!(stream.message().await.is_none());
    events.say(&changed);
    assert_eq!(other.says().await, changed);
}

#[tokio::test]
async fn a_cancelled_call_is_cancelled_and_a_held_one_detaches() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let held = soon(proxy.in_session(&id, &tool(1, "held")).send())
        .await
        .unwrap();
    assert_eq!(proxy.fate().await, Fate::Held);
    drop(held);
    let cancel = |id: u32| {
        let params = json!({"requestId": id});
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
    };
    let taken = soon(proxy.in_session(&id, &cancel(1)).send())
        .await
        .unwrap();
    assert_eq!(taken.status(), 202);
    assert_eq!(proxy.fate().await, Fate::Detached);
    let _running = soon(proxy.in_session(&id, &tool(2, "slow")).send())
        .await
        .unwrap();
    let _events = script.next().await.events();
    let (taken, ()) = tokio::join!(proxy.in_session(&id, &cancel(2)).send(), async {
        let told = script.next().await;
        assert_eq!(told.body, cancel(2));
        told.status(202);
    });
    assert_eq!(taken.unwrap().status(), 202);
}

#[tokio::test]
async fn delete_detaches_what_is_held_and_ends_every_stream() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut held = Stream::of(
        soon(proxy.in_session(&id, &tool(1, "held")).send())
            .await
            .unwrap(),
    );
    let mut standing = Stream::of(soon(proxy.get(&id, None).send()).await.unwrap());
    assert_eq!(proxy.fate().await, Fate::Held);
    let delete = proxy.http.delete(&proxy.url).header("mcp-session-id", &id);
    assert_eq!(soon(delete.send()).await.unwrap().status(), 204);
    assert_eq!(proxy.fate().await, Fate::Detached);
    while held.event().await.is_some() {}
    while standing.event().await.is_some() {}
}

#[tokio::test]
async fn at_the_end_every_session_ends() {
    let mut script = Script::new().await;
    let mut proxy = Proxy::to(&script.url).await;
    let id = proxy.session(&mut script).await;
    let mut standing = Stream::of(soon(proxy.get(&id, None).send()).await.unwrap());
    proxy.stop.take().unwrap().send(()).unwrap();
    while standing.event().await.is_some() {}
    soon(&mut proxy.done).await.unwrap().unwrap();
    let ended = script.next().await;
    assert_eq!(ended.method, "DELETE");
    // Whoever ends the process waits until the upstream knows.
    let all_said = proxy.farewells.all_said();
    let mut all_said = std::pin::pin!(all_said);
    assert!(all_said.as_mut().now_or_never().is_none());
    ended.status(204);
    soon(all_said).await;
}
