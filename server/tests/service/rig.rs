//! A service of its own for each test, and a client that sends whatever it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sernixa_engine::{Agents, Engine, Moment, NewKey, Principal, Role, Timestamp};
use sernixa_server::{Config, Server, StoreAt};
use sernixa_store::SqliteStore;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The key of the demonstration.
pub const DEMO: &str = "e2e-admin";

/// A running service. Dropped, it ends.
pub struct Service {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl Service {
    /// A demonstration on a file of its own.
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// The same, with other settings.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::local_demo();
        config.listen.set_port(0);
        config.store = StoreAt::File(folder.path().join("sernixa.db"));
        change(&mut config);
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let server = Server::bind(config).await.unwrap();
                tell.send(server.local_addr()).unwrap();
                server
                    .run(async {
                        let _ = stopped.await;
                    })
                    .await;
            });
        });
        Self {
            address: told.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
            folder,
        }
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("sernixa.db")
    }

    /// Tells it to end, without waiting.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends bytes, and reads one answer.
    pub fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        Reply::read(&mut stream)
    }

    pub fn get(&self, path: &str, key: &str) -> Reply {
        self.call("GET", path, key, None)
    }

    pub fn post(&self, path: &str, key: &str, body: &str) -> Reply {
        self.call("POST", path, key, Some(body))
    }

    pub fn call(&self, method: &str, path: &str, key: &str, body: Option<&str>) -> Reply {
        self.raw(request(method, path, key, body).as_bytes())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The text of a request.
pub fn request(method: &str, path: &str, key: &str, body: Option<&str>) -> String {
    let key = if key.is_empty() {
        String::new()
    } else {
        format!("authorization: Bearer {key}\r\n")
    };
    let rest = body.map_or_else(
        || "\r\n".to_owned(),
        |body| {
            let length = body.len();
            format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        },
    );
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{key}{rest}")
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn read(stream: &mut TcpStream) -> Self {
        Self::try_read(stream).expect("an answer")
    }

    /// `None` when the connection ends without an answer.
    pub fn try_read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => bytes.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(bytes).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        Some(Self { status, head, body })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    /// The word of a "no", once its shape is that of every "no".
    #[track_caller]
    pub fn word(&self) -> String {
        assert!(self.status >= 400, "{self:?}");
        let json = self.json();
        let detail = &json["detail"];
        assert!(detail["reason"].is_string(), "{json}");
        assert!(detail["evidence"].is_object(), "{json}");
        detail["status"].as_str().unwrap().to_owned()
    }
}

/// A submission.
pub fn action(risk: &str, action: &str) -> String {
    format!(
        r#"{{"intent_id":"i","action_id":"{action}","metadata":{{"risk_level":"{risk}",
        "operation_class":"read","data_sensitivity":"internal","systems_touched":["s"]}}}}"#
    )
}

pub fn moment() -> Moment {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let millis = u64::try_from(now.as_millis()).unwrap();
    let seed: [u8; 32] = std::array::from_fn(|_| rand());
    Moment::new(Timestamp::from_millis(millis), seed)
}

fn rand() -> u8 {
    use std::hash::{BuildHasher, Hasher};
    let state = std::collections::hash_map::RandomState::new();
    state.build_hasher().finish().to_le_bytes()[0]
}

/// A key, made as the operator makes one: on the file, beside the service.
pub fn make_key(
    service: &Service,
    organisation: &str,
    owner: &str,
    roles: &[Role],
) -> (String, String) {
    let engine = Engine::builder()
        .store(SqliteStore::open(service.store()).unwrap())
        .build()
        .unwrap();
    let operator = Principal::new(organisation, "operator").with(Role::Admin);
    let asked = NewKey {
        owner: owner.into(),
        roles: roles.to_vec(),
        agents: Agents::Only(std::sync::Arc::default()),
        delegated_only: false,
    };
    let (key, secret) = engine.create_key(&operator, &asked, &moment()).unwrap();
    (key.id.to_string(), secret.expose().to_owned())
}

/// Takes a key back, on the file.
pub fn revoke_key(service: &Service, organisation: &str, id: &str) {
    let engine = Engine::builder()
        .store(SqliteStore::open(service.store()).unwrap())
        .build()
        .unwrap();
    let operator = Principal::new(organisation, "operator").with(Role::Admin);
    engine.revoke_key(&operator, id, &moment()).unwrap();
}
