//! From a decision to the body that waited for it, against the service as a process of its own.
//!
//! `cargo bench -p sernixa-server --bench decision` starts the service on an SQLite file and on
//! memory, over loopback, and prints how long after a decision was *sent* the body began, what 200
//! calls take that each wait for half a second, and how 10,000 waiters wake; exits with 1 when a
//! number of DESIGN 13 is missed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a benchmark"
)]

#[path = "http/measure.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod measure;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use measure::Times;
use serde_json::{Value, json};
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};
use sernixa_server::{Config, Server, StoreAt};

/// Tells the child that it is the service, and where it keeps its state.
const SERVE: &str = "SERNIXA_BENCH_SERVE";
const MEMORY: &str = "memory";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(store) = std::env::var(SERVE) {
        runtime.block_on(serve(&store));
        return ExitCode::SUCCESS;
    }
    let mut missed = false;
    println!(
        "{:<62} {:>9} {:>9}",
        "decision to body", "measured", "to reach"
    );
    let mut judge = |what: &str, value: f64, limit: Option<f64>| {
        let bad = limit.is_some_and(|limit| value > limit);
        missed |= bad;
        let limit = limit.map_or(String::new(), |limit| format!("{limit:.1}"));
        let mark = if bad { "  MISSED" } else { "" };
        println!("{what:<62} {value:>6.2} ms {limit:>9}{mark}");
    };
    for store in ["file", MEMORY] {
        let service = Service::start(store);
        let mut alone = runtime.block_on(one_by_one(&service, 500, 0));
        judge(
            &format!("{store}: one call waits, p50"),
            alone.percentile(0.5) / 1e3,
            None,
        );
        judge(
            &format!("{store}: one call waits, p99"),
            alone.percentile(0.99) / 1e3,
            Some(10.0),
        );
        let mut beside = runtime.block_on(one_by_one(&service, 500, 1_000));
        judge(
            &format!("{store}: beside 1,000 that wait, p50"),
            beside.percentile(0.5) / 1e3,
            None,
        );
        judge(
            &format!("{store}: beside 1,000 that wait, p99"),
            beside.percentile(0.99) / 1e3,
            Some(10.0),
        );
        let rounds = (0..3).map(|_| runtime.block_on(half_a_second(&service)));
        let best = rounds.min().unwrap().as_secs_f64() * 1e3;
        judge(
            &format!("{store}: 200 calls pending for 500 ms, cap 20"),
            best,
            Some(600.0),
        );
    }
    let service = Service::start(MEMORY);
    let (asked, woke) = runtime.block_on(ten_thousand(&service));
    judge(
        "memory: 10,000 calls asked, and all wait",
        asked.as_secs_f64() * 1e3,
        None,
    );
    judge(
        "memory: 10,000 decided one by one, claimed, begun",
        woke.as_secs_f64() * 1e3,
        None,
    );
    if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The service, until its parent ends it.
async fn serve(store: &str) {
    let mut config = Config::local_demo();
    config.listen.set_port(0);
    if store != MEMORY {
        config.store = StoreAt::File(PathBuf::from(store));
    }
    config.limits.requests_per_second = 1_000_000;
    config.limits.reads_per_second = 1_000_000;
    let server = Server::bind(config).await.unwrap();
    println!("at {}", server.local_addr());
    server.run(std::future::pending()).await;
}

/// The service as a process, and ways to it. Dropping it ends it.
struct Service {
    process: Child,
    url: String,
    http: reqwest::Client,
    folder: PathBuf,
}

impl Service {
    fn start(store: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sernixa-decision-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("sernixa.db");
        let store = if store == MEMORY {
            MEMORY
        } else {
            file.to_str().unwrap()
        };
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, store)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut addresses =
            lines.filter_map(|line| line.unwrap().strip_prefix("at ").map(str::to_owned));
        let url = format!("http://{}", addresses.next().expect("it starts"));
        Self {
            process,
            url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder,
        }
    }

    fn client(&self) -> Client {
        let builder = Client::builder().environment(|_| None);
        builder
            .base_url(self.url.clone())
            .access_token("e2e-admin")
            .build()
            .unwrap()
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.bearer_auth("e2e-admin")
    }

    async fn approve(&self, id: &str) {
        let path = format!("/api/approvals/{id}/decision");
        let body = json!({"decision": "approved", "reason": "for the benchmark"}).to_string();
        let request = self.request(reqwest::Method::POST, &path).body(body);
        let request = request.header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// The events of the service, as a reviewer hears them.
    async fn events(&self) -> Events {
        let request = self.request(reqwest::Method::GET, "/api/approvals/events");
        Events {
            response: request.send().await.unwrap(),
            text: String::new(),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    /// The id of the next request that waits for review.
    async fn asked(&mut self) -> String {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let block = std::mem::replace(&mut self.text, rest);
                let data = block.lines().find_map(|line| line.strip_prefix("data: "));
                let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
                if let Some(data) = data.filter(|data| data["change"] == "asked") {
                    return data["approval_id"].as_str().unwrap().to_owned();
                }
            }
            let chunk = self.response.chunk().await.unwrap().expect("it goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

fn action(number: usize) -> Action {
    Action::new("billing-adjustment")
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .sensitivity(DataSensitivity::Financial)
        .systems(["stripe"])
        .metadata([("number", number)])
}

type Call = tokio::task::JoinHandle<Instant>;

/// A governed call, which gives the time at which its body began.
fn call(client: &Client, number: usize) -> Call {
    let client = client.clone();
    tokio::spawn(async move {
        let body = || async { Ok::<_, Error>(Instant::now()) };
        client.run_async(&action(number), body).await.unwrap()
    })
}

/// One call after another, beside others that wait: from sending its decision to its body.
async fn one_by_one(service: &Service, calls: usize, beside: usize) -> Times {
    let client = service.client();
    let mut events = service.events().await;
    let mut others = Vec::new();
    for number in 0..beside {
        let waits = call(&client, calls + number);
        others.push((events.asked().await, waits));
    }
    let mut times = Vec::with_capacity(calls);
    for number in 0..calls {
        let waits = call(&client, number);
        let id = events.asked().await;
        // It has looked once, and waits.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let sent = Instant::now();
        service.approve(&id).await;
        times.push(waits.await.unwrap() - sent);
    }
    for (id, waits) in others {
        service.approve(&id).await;
        waits.await.unwrap();
    }
    client.close().await;
    Times::from(times)
}

/// 200 calls, each approved half a second after it was asked: from the first call to the last body.
async fn half_a_second(service: &Service) -> Duration {
    const CALLS: usize = 200;
    let client = service.client();
    let events = service.events().await;
    let begun = Instant::now();
    let calls: Vec<Call> = (0..CALLS).map(|number| call(&client, number)).collect();
    let asked = stream::unfold(events, |mut events| async {
        Some((events.asked().await, events))
    });
    let deciding = asked
        .take(CALLS)
        .for_each_concurrent(None, |id| async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            service.approve(&id).await;
        });
    deciding.await;
    let mut last = begun;
    for call in calls {
        last = last.max(call.await.unwrap());
    }
    client.close().await;
    last - begun
}

/// 10,000 calls wait on one stream; then they are decided as fast as the service takes it.
async fn ten_thousand(service: &Service) -> (Duration, Duration) {
    const CALLS: usize = 10_000;
    let client = service.client();
    let mut events = service.events().await;
    let begun = Instant::now();
    let calls: Vec<Call> = (0..CALLS).map(|number| call(&client, number)).collect();
    let mut ids = Vec::with_capacity(CALLS);
    while ids.len() < CALLS {
        ids.push(events.asked().await);
    }
    let asked = begun.elapsed();
    let begun = Instant::now();
    let service = Arc::new(service);
    stream::iter(ids)
        .for_each_concurrent(32, |id| {
            let service = Arc::clone(&service);
            async move { service.approve(&id).await }
        })
        .await;
    let mut last = begun;
    for call in calls {
        last = last.max(call.await.unwrap());
    }
    client.close().await;
    (asked, last - begun)
}
