//! What is turned away before it is looked at.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::host::{Access, Limits, Options, serve};
use super::rig::{Made, Proxy, Script, code, initialize, modern_tool, soon};
use crate::message::{Generation, LONGEST};
use crate::proxy::seam::{Connect, Host, Later, Relay};

/// Connects nobody.
struct Nowhere;

impl Connect for Nowhere {
    fn connect(
        &self,
        _: Generation,
        _: Arc<dyn Host>,
    ) -> Later<'_, Result<Arc<dyn Relay>, String>> {
        Box::pin(async { Err("there is no server".to_owned()) })
    }
}

#[tokio::test]
async fn another_host_or_origin_is_forbidden_and_the_server_sees_nothing() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        for body in [initialize(), modern_tool(1, "echo")] {
            let request = proxy.post(&body, &[(name, value)]).send();
            assert_eq!(
                soon(request).await.unwrap().status(),
                403,
                "{name}: {value}"
            );
        }
        let request = proxy.get("0", None).header(name, value).send();
        assert_eq!(soon(request).await.unwrap().status(), 403);
    }
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn a_token_is_asked_for_before_anything_else() {
    let mut script = Script::new().await;
    let access = Access {
        token: Some("0123456789abcdef".into()),
        ..Access::default()
    };
    let made = Made {
        options: Options {
            access,
            limits: Limits::default(),
        },
        ..Made::default()
    };
    let proxy = Proxy::made(&script.url, made).await;
    let without = soon(proxy.post(&initialize(), &[]).send()).await.unwrap();
    assert_eq!(without.status(), 401);
    assert_eq!(without.headers()["www-authenticate"], "Bearer");
    assert!(script.saw_nothing());
    let with = [("authorization", "Bearer 0123456789abcdef")];
    let (with, ()) = tokio::join!(proxy.post(&initialize(), &with).send(), async {
        let asked = script.next().await;
        // What a host shows the proxy is not the upstream's business.
        assert!(!asked.headers.contains_key("authorization"));
        asked.result(&json!({"protocolVersion": "2025-11-25"}));
    });
    assert_eq!(with.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_not_one_message_of_json_is_refused() {
    let mut script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let both = "application/json, text/event-stream";
    let fine = initialize().to_string();
    let long = format!("[{}]", " ".repeat(LONGEST));
    for (kind, accept, body, status) in [
        ("text/plain", both, &*fine, 415),
        ("application/jsonp", both, &fine, 415),
        ("application/json", "application/json", &fine, 406),
        ("application/json", "text/event-stream", &fine, 406),
        ("application/json", "text/html", &fine, 406),
        ("application/json", both, "[]", 400),
        ("application/json", both, "{", 400),
        ("application/json", both, "", 400),
        (
            "application/json",
            both,
            r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#,
            400,
        ),
        ("application/json", both, &long, 413),
    ] {
        let request = proxy
            .http
            .post(&proxy.url)
            .header("content-type", kind)
            .header("accept", accept)
            .body(body.to_owned());
        let answer = soon(request.send()).await.unwrap();
        assert_eq!(answer.status(), status, "{kind} {accept}");
        let error = soon(answer.bytes()).await.unwrap();
        let error: serde_json::Value = serde_json::from_slice(&error).unwrap();
        assert!(code(&error) < 0 && error["jsonrpc"] == "2.0", "{error}");
    }
    let encoded = proxy.post(&initialize(), &[("content-encoding", "gzip")]);
    assert_eq!(soon(encoded.send()).await.unwrap().status(), 415);
    assert!(script.saw_nothing());
}

#[tokio::test]
async fn other_paths_and_methods_are_not_there() {
    let script = Script::new().await;
    let proxy = Proxy::to(&script.url).await;
    let elsewhere = proxy.url.replace("/mcp", "/");
    let elsewhere = proxy.http.post(elsewhere).body("{}").send();
    assert_eq!(soon(elsewhere).await.unwrap().status(), 404);
    let put = proxy.http.put(&proxy.url).body("{}").send();
    assert_eq!(soon(put).await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_slow_body_is_cut() {
    let script = Script::new().await;
    let mut made = Made::default();
    made.options.limits.patience = Duration::from_millis(50);
    let proxy = Proxy::made(&script.url, made).await;
    let address = proxy
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/mcp");
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
          Accept: */*\r\nContent-Length: 100\r\n\r\n{",
    )
    .await
    .unwrap();
    let mut answer = vec![0; 64];
    let read = soon(slow.read(&mut answer)).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 408"));
}

#[tokio::test]
async fn nobody_listens_beyond_loopback_without_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let served = serve(
        listener,
        Options::default(),
        Arc::new(Nowhere),
        std::future::pending(),
    );
    let error = soon(served).await.unwrap_err().to_string();
    assert!(error.contains("token"), "{error}");
}
