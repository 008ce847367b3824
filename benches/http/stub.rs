//! The other side: hyper, one thread, no work. The path prefix says how it answers.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// How long an approval stays pending.
pub const PENDING_MS: u64 = 500;

/// A stub in a process of its own.
pub struct Stub {
    child: Child,
    pub url: String,
}

impl Stub {
    pub fn start(core: usize) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(own)
            .arg("--stub")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            url: line.trim().to_owned(),
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let service = service_fn(answer);
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let grave = body
        .windows(19)
        .any(|window| window == b"\"risk_level\":\"high\"");
    let (status, text): (u16, Bytes) = match path.as_str() {
        // No capabilities: the least that lets a call run.
        "/plain/api/actions/execute" => (200, Bytes::from_static(br#"{"status":"accepted"}"#)),
        "/outcomes/api/actions/execute" => (
            200,
            Bytes::from_static(
                br#"{"status":"accepted","approval_id":"a","capabilities":["outcome"]}"#,
            ),
        ),
        // High risk waits for 500 ms, or for ever; the rest is allowed.
        "/review/api/actions/execute" if grave => {
            (202, format!(r#"{{"approval_id":"t-{}"}}"#, now()).into())
        }
        "/never/api/actions/execute" if grave => (
            202,
            format!(r#"{{"approval_id":"t-{}"}}"#, u64::MAX - PENDING_MS).into(),
        ),
        "/review/api/actions/execute" | "/never/api/actions/execute" => {
            (200, Bytes::from_static(br#"{"status":"accepted"}"#))
        }
        other => match other.rsplit_once("/t-") {
            Some((_, since)) => {
                let decided = now() >= since.parse::<u64>().unwrap() + PENDING_MS;
                let status = if decided {
                    "approved"
                } else {
                    "pending_review"
                };
                (
                    200,
                    format!(r#"{{"approval_id":"t-{since}","status":"{status}"}}"#).into(),
                )
            }
            None => (200, Bytes::from_static(b"{}")),
        },
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(text))
        .unwrap();
    Ok(response)
}
