//! A service on a port of this machine, and ways to it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sernixa::{Action, Client, ClientBuilder, DataSensitivity, OperationClass, RiskLevel};
use sernixa_server::{Config, Limits, Server, StoreAt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// The key of the local demonstration, which may do everything.
pub const KEY: &str = "e2e-admin";

/// A running service; [`Service::stop`] ends it in order.
pub struct Service {
    pub address: SocketAddr,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// In memory, on any free port, without limits of rate.
pub fn config() -> Config {
    let mut config = Config::local_demo();
    config.listen.set_port(0);
    config.limits = Limits {
        requests_per_second: 1_000_000,
        reads_per_second: 1_000_000,
        ..Limits::default()
    };
    config
}

/// The same on a file.
pub fn on_file(path: &std::path::Path) -> Config {
    let mut config = config();
    config.store = StoreAt::File(path.into());
    config
}

impl Service {
    pub async fn start(config: Config) -> Self {
        let server = Server::bind(config).await.unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            address,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop,
            running,
        }
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client of this SDK that would look only every ten minutes: what wakes it is an event.
    pub fn client(&self) -> ClientBuilder {
        Client::builder()
            .environment(|_| None)
            .base_url(self.url(""))
            .access_token(KEY)
            .poll_interval(Duration::from_mins(10))
            .poll_timeout(Duration::from_mins(20))
    }

    pub async fn get(&self, path: &str) -> String {
        let request = self.http.get(self.url(path)).bearer_auth(KEY);
        request.send().await.unwrap().text().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(self.url(path)).bearer_auth(KEY);
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Asks as a client without a waiter does; `systems` go into the record.
    pub async fn ask(&self, systems: &[&str]) -> String {
        let body = json!({
            "intent_id": "intent",
            "action_id": "action",
            "metadata": {
                "risk_level": "high",
                "operation_class": "update",
                "data_sensitivity": "internal",
                "systems_touched": systems,
            },
        });
        let answer = self.post("/api/actions/execute", &body).await;
        answer["approval_id"].as_str().expect("it waits").to_owned()
    }

    pub async fn approve(&self, id: &str) {
        let path = format!("/api/approvals/{id}/decision");
        let body = json!({"decision": "approved", "reason": "seen by a test"});
        let answer = self.post(&path, &body).await;
        assert_eq!(answer["status"], "approved", "{answer}");
    }

    /// The ids of what waits, at most 100.
    pub async fn pending(&self) -> Vec<String> {
        let list = self.get("/api/approvals/pending?limit=100").await;
        let list: Vec<Value> = serde_json::from_str(&list).unwrap();
        let ids = list.iter().map(|one| one["approval_id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    /// Waits until `enough` of them wait for review.
    pub async fn until_pending(&self, enough: usize) -> Vec<String> {
        loop {
            let pending = self.pending().await;
            if pending.len() >= enough {
                return pending;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many streams are open.
    pub async fn streams(&self) -> usize {
        let metrics = self.get("/metrics").await;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("sernixa_event_streams "));
        line.expect("a gauge").parse().unwrap()
    }

    /// Waits until exactly so many streams are open.
    pub async fn until_streams(&self, open: usize) {
        let until = async {
            while self.streams().await != open {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, until).await;
        waited.unwrap_or_else(|_| panic!("there are never {open} streams"));
    }

    /// Opens a stream with a key, after an event if one is given.
    pub async fn stream(&self, key: &str, after: Option<&str>) -> reqwest::Response {
        let request = self.http.get(self.url("/api/approvals/events"));
        let request = request
            .bearer_auth(key)
            .header("accept", "text/event-stream");
        let request = match after {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        request.send().await.unwrap()
    }
}

/// A stream as the reference's client reads it (PROTOCOL 3.5): lines that begin with `data:`.
pub struct Reader {
    response: reqwest::Response,
    text: String,
}

impl Reader {
    pub fn new(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next block; `None` at the end of the stream.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                return Some(std::mem::replace(&mut self.text, rest));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            // A connection that is cut ends the stream, too.
            let chunk = chunk.await.expect("something in time").ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Option<Value> {
        loop {
            let block = self.block().await?;
            let data = block.lines().find_map(|line| line.strip_prefix("data:"));
            if let Some(data) = data {
                return Some(serde_json::from_str(data.trim_start()).unwrap());
            }
        }
    }
}

/// Something that a person decides.
pub fn action() -> Action {
    Action::new("integration")
        .risk(RiskLevel::High)
        .class(OperationClass::Update)
        .sensitivity(DataSensitivity::Internal)
        .systems(["db"])
}
