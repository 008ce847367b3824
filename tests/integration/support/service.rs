//! A service that behaves (DESIGN 6 and 7) on the scripted server: it allows at once, or lets a
//! test decide; it takes claims, outcomes and withdrawals, and remembers them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use sernixa::{Action, Client, ClientBuilder, DataSensitivity, OperationClass, RiskLevel};

use super::latch::Latch;
use super::reply::Reply;
use super::server::{Request, Server};

/// What every submission is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Allowed,
    Pending,
    Refused,
}

/// The service; dropping it closes everything.
pub struct Service {
    pub server: Server,
    state: Arc<Mutex<State>>,
    held: Arc<Mutex<Option<(&'static str, Latch)>>>,
}

struct State {
    says: Says,
    capabilities: Vec<&'static str>,
    /// By approval id: the body hash.
    submitted: HashMap<String, String>,
    /// What every approval is, or will be.
    decision: &'static str,
    /// What every outcome becomes.
    taken_as: &'static str,
}

pub const SUBMIT: &str = "/api/actions/execute";
pub const EVENTS: &str = "/api/approvals/events";
pub const OUTCOMES: &str = "/api/approvals/outcomes";

/// The audit event that recorded every submission.
pub const SEQ: u64 = 5;

/// All that DESIGN 7 has, but events.
pub const EVERYTHING: [&str; 4] = ["claim", "outcome", "withdraw", "resume"];

impl Service {
    /// A service that claims, takes outcomes and withdrawals.
    pub fn full(says: Says) -> Self {
        Self::with(says, &EVERYTHING)
    }

    pub fn with(says: Says, capabilities: &[&'static str]) -> Self {
        Self::answering(says, capabilities, |_| {
            Reply::json(404, r#"{"detail":{"status":"not_found"}}"#)
        })
    }

    /// A service that can do everything, and answers the request for its events so.
    pub fn streaming(
        says: Says,
        stream: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let capabilities: Vec<_> = EVERYTHING.into_iter().chain(["events"]).collect();
        Self::answering(says, &capabilities, stream)
    }

    fn answering(
        says: Says,
        capabilities: &[&'static str],
        stream: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(State {
            says,
            capabilities: capabilities.to_vec(),
            submitted: HashMap::new(),
            decision: "pending_review",
            taken_as: "recorded",
        }));
        let held = Arc::new(Mutex::new(None::<(&'static str, Latch)>));
        let server = Server::start({
            let (state, held) = (Arc::clone(&state), Arc::clone(&held));
            move |request| {
                if request.path() == EVENTS {
                    return stream(request);
                }
                let held = lock(&held).clone();
                match held {
                    Some((end, latch)) if request.path().ends_with(end) => latch.wait(),
                    _ => {}
                }
                lock(&state).answer(request)
            }
        });
        Self {
            server,
            state,
            held,
        }
    }

    /// Decides every approval, those to come included.
    pub fn decide(&self, status: &'static str) {
        lock(&self.state).decision = status;
    }

    /// Says this of every outcome from now on.
    pub fn take_outcomes_as(&self, status: &'static str) {
        lock(&self.state).taken_as = status;
    }

    /// Offers these capabilities from now on.
    pub fn offer(&self, capabilities: &[&'static str]) {
        lock(&self.state).capabilities = capabilities.to_vec();
    }

    /// Answers the submissions to come in another way.
    pub fn say(&self, says: Says) {
        lock(&self.state).says = says;
    }

    /// Holds back the answers to paths that end so, until the latch is opened.
    pub fn hold(&self, end: &'static str) -> Latch {
        let latch = Latch::new();
        *lock(&self.held) = Some((end, latch.clone()));
        latch
    }

    /// A quick client of this service.
    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> ClientBuilder {
        Client::builder()
            .environment(|_| None)
            .base_url(self.server.url())
            .poll_interval(Duration::from_millis(50))
            .poll_timeout(Duration::from_secs(15))
    }

    /// The first approval's path, as far as `end` (`""`, `"/claim"`, `"/withdraw"`).
    pub fn path(end: &str) -> String {
        format!("/api/approvals/apr-1{end}")
    }

    /// Waits until `n` outcomes were reported, and returns their words.
    pub fn outcomes(&self, n: usize) -> Vec<String> {
        let mut words = Vec::new();
        self.server
            .wait_until(&format!("{n} outcomes"), |requests| {
                words = requests
                    .iter()
                    .filter(|r| r.path() == OUTCOMES)
                    .flat_map(words_of)
                    .collect();
                words.len() >= n
            });
        words
    }
}

fn words_of(request: &Request) -> Vec<String> {
    let body = request.json();
    let entries = body["outcomes"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["outcome"].as_str().unwrap().to_owned())
        .collect()
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        let parts: Vec<_> = request.path().split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["api", "actions", "execute"]) => self.submission(&request.json()),
            ("POST", ["api", "approvals", id, "claim"]) => self.claim(id, &request.json()),
            ("GET", ["api", "approvals", id]) | ("POST", ["api", "approvals", id, "withdraw"]) => {
                self.record(id)
            }
            ("POST", ["api", "approvals", "outcomes"]) => self.outcomes(&request.json()),
            _ => Reply::json(404, r#"{"detail":{"status":"not_found"}}"#),
        }
    }

    fn submission(&mut self, body: &Value) -> Reply {
        let id = format!("apr-{}", self.submitted.len() + 1);
        let text = |key: &str| body[key].as_str().unwrap();
        let metadata = body["metadata"].as_object().unwrap();
        let hash = sernixa::protocol::body_hash(text("intent_id"), text("action_id"), metadata);
        self.submitted.insert(id.clone(), hash.clone());
        let common = json!({
            "approval_id": id,
            "body_hash": hash,
            "request_id": text("request_id"),
            "capabilities": self.capabilities,
        });
        let mut common = common;
        if self.capabilities.contains(&"events") {
            // Where the stream of a client begins that waits for this.
            common["receipt"] = json!({"seq": SEQ, "hash": "0".repeat(64)});
        }
        let with = |status: u16, more: Value| {
            let mut answer = common.clone();
            answer
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            Reply::json(status, answer.to_string())
        };
        match self.says {
            Says::Allowed => with(
                200,
                json!({"status": "accepted", "decision": "auto_approved"}),
            ),
            Says::Pending => with(
                202,
                json!({
                    "status": "pending_review",
                    "claim_token": format!("token-{id}"),
                    "expires_at": "2999-01-01T00:00:00Z",
                }),
            ),
            Says::Refused => {
                let detail = json!({"status": "blocked", "reason": "not today", "evidence": {}});
                Reply::json(403, json!({"detail": detail}).to_string())
            }
        }
    }

    fn outcomes(&self, body: &Value) -> Reply {
        let entries = body["outcomes"].as_array().unwrap().iter();
        let results: Vec<_> = entries
            .map(|entry| json!({"approval_id": entry["approval_id"], "status": self.taken_as}))
            .collect();
        Reply::json(200, json!({ "results": results }).to_string())
    }

    fn record(&self, id: &str) -> Reply {
        let Some(hash) = self.submitted.get(id) else {
            return Reply::json(404, r#"{"detail":{"status":"not_found"}}"#);
        };
        let record = json!({
            "approval_id": id,
            "body_hash": hash,
            "status": self.decision,
            "decision_reason": "as the test says",
        });
        Reply::json(200, record.to_string())
    }

    fn claim(&self, id: &str, body: &Value) -> Reply {
        assert_eq!(body["claim_token"], format!("token-{id}"));
        if self.decision != "approved" {
            let detail = json!({"status": self.decision, "reason": "not approved"});
            return Reply::json(409, json!({"detail": detail}).to_string());
        }
        let answer = json!({
            "status": "claimed",
            "approval_id": id,
            "claim_id": body["claim_id"],
            "body_hash": self.submitted[id],
        });
        Reply::json(200, answer.to_string())
    }
}

/// An action of this risk.
pub fn action(risk: RiskLevel) -> Action {
    Action::new("integration")
        .risk(risk)
        .class(OperationClass::Read)
        .sensitivity(DataSensitivity::Internal)
        .systems(["db"])
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
