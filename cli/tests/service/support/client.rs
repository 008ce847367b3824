//! A caller with a key: the requests that most tests make.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::asked::{Asked, Waiting};
use super::http::{self, Answer};

/// Somebody who has a key for a service.
#[derive(Clone, Debug)]
pub struct Caller {
    pub address: SocketAddr,
    pub key: String,
}

impl Caller {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap()
    }

    pub fn try_get(&self, path: &str) -> std::io::Result<Answer> {
        http::send(self.address, "GET", path, Some(&self.key), None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap()
    }

    pub fn try_post(&self, path: &str, body: &Value) -> std::io::Result<Answer> {
        let body = body.to_string();
        http::send(self.address, "POST", path, Some(&self.key), Some(&body))
    }

    pub fn submit(&self, asked: &Asked) -> Answer {
        self.post("/api/actions/execute", &asked.body())
    }

    /// Submits what has to wait.
    #[track_caller]
    pub fn ask(&self, asked: &Asked) -> Waiting {
        Waiting::of(&self.submit(asked).expect(202))
    }

    /// Decides, as far as the service lets it.
    pub fn decide(&self, id: &str, decision: &str) -> Answer {
        let body = json!({"decision": decision, "reason": "seen by a test"});
        self.post(&format!("/api/approvals/{id}/decision"), &body)
    }

    #[track_caller]
    pub fn approve(&self, id: &str) {
        self.decide(id, "approved").expect(200);
    }

    #[track_caller]
    pub fn record(&self, id: &str) -> Value {
        self.get(&format!("/api/approvals/{id}")).expect(200).json()
    }

    pub fn claim(&self, waiting: &Waiting, claim_id: &str) -> Answer {
        let path = format!("/api/approvals/{}/claim", waiting.id);
        self.post(&path, &waiting.claim(claim_id))
    }
}
