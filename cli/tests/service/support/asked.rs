//! Submissions put together from parts, and what a 202 said.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::http::Answer;

/// What is asked for: by default something that a person has to see.
#[derive(Clone, Debug)]
pub struct Asked {
    pub intent: String,
    pub action: String,
    pub risk: &'static str,
    pub class: &'static str,
    pub metadata: Map<String, Value>,
    pub more: Map<String, Value>,
}

impl Asked {
    pub fn new(intent: &str) -> Self {
        Self {
            intent: intent.into(),
            action: "pay-invoice".into(),
            risk: "high",
            class: "financial",
            metadata: Map::new(),
            more: Map::new(),
        }
    }

    /// What the default policy lets run at once.
    pub fn harmless(intent: &str) -> Self {
        Self {
            risk: "low",
            class: "read",
            ..Self::new(intent)
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// A member beside the metadata.
    pub fn top(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.into(), value.into());
        self
    }

    /// The body: another nonce and request id each time.
    pub fn body(&self) -> Value {
        let mut metadata = json!({
            "risk_level": self.risk,
            "operation_class": self.class,
            "data_sensitivity": "internal",
            "systems_touched": ["billing"],
        });
        let mut body = json!({
            "intent_id": self.intent,
            "action_id": self.action,
            "request_id": unique(),
            "timestamp": now(),
            "nonce": unique(),
        });
        extend(&mut metadata, &self.metadata);
        extend(&mut body, &self.more);
        body["metadata"] = metadata;
        body
    }
}

fn extend(object: &mut Value, members: &Map<String, Value>) {
    for (name, value) in members {
        object[name] = value.clone();
    }
}

/// 32 hex digits that no other call returns.
pub fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 10_000;
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let process = u128::from(std::process::id());
    format!(
        "{:032x}",
        (nanos.as_nanos() * 10_000 + u128::from(count)) << 32 | process
    )
}

/// Unix seconds.
pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

/// What the 202 of a submission said.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: String,
    pub token: String,
    pub body_hash: String,
    /// `SEQ:HASH`, as `sernixa audit verify --expect` takes it.
    pub receipt: String,
}

impl Waiting {
    pub fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |name: &str| {
            body[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: {body}"))
                .to_owned()
        };
        let receipt = &body["receipt"];
        Self {
            id: text("approval_id"),
            token: text("claim_token"),
            body_hash: text("body_hash"),
            receipt: format!("{}:{}", receipt["seq"], receipt["hash"].as_str().unwrap()),
        }
    }

    /// The body of a claim.
    pub fn claim(&self, claim_id: &str) -> Value {
        json!({"claim_token": self.token, "claim_id": claim_id, "body_hash": self.body_hash})
    }
}
