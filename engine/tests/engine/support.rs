//! A bench to try the engine on: a clock that is set by hand, ids that are drawn in order, and
//! submissions that are put together from parts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use sernixa_engine::{
    Answer, ApprovalId, Decision, Engine, Moment, Principal, Record, Request, Role, Settings,
    Timestamp,
};

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Who answers instead of the bench's own engine, where it does: another process on its store.
pub(crate) type Elsewhere =
    Box<dyn Fn(&Principal, Request<'_>, &Moment) -> Option<Answered> + Send + Sync>;

/// An engine with its own time.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    elsewhere: Option<Elsewhere>,
    now: AtomicU64,
    drawn: AtomicU64,
}

impl Bench {
    /// In one person's process: that person decides.
    pub(crate) fn local() -> Self {
        Self::new(Engine::in_memory())
    }

    /// As a service: the one who asks and the one who decides have different owners.
    pub(crate) fn service() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::new(Engine::builder().settings(settings).build().unwrap())
    }

    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            elsewhere: None,
            now: AtomicU64::new(1_778_000_000_000),
            drawn: AtomicU64::new(0),
        }
    }

    /// The same, with some of its requests answered elsewhere.
    #[allow(dead_code, reason = "the store's tests use it, which share this file")]
    pub(crate) fn shared_with(mut self, elsewhere: Elsewhere) -> Self {
        self.elsewhere = Some(elsewhere);
        self
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, millis: u64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }

    /// Leaves out ids: for a second bench on one store.
    pub(crate) fn skip(&self, ids: u64) {
        self.drawn.fetch_add(ids, Ordering::Relaxed);
    }

    /// This time, with randomness that was not used before.
    pub(crate) fn moment(&self) -> Moment {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&drawn.to_be_bytes());
        Moment::new(Timestamp::from_millis(self.now()), seed)
    }

    pub(crate) fn handle(&self, caller: &Principal, request: Request<'_>) -> Answered {
        let moment = self.moment();
        if let Some(elsewhere) = &self.elsewhere
            && let Some(answered) = elsewhere(caller, request, &moment)
        {
            return answered;
        }
        Answered::new(&self.engine.handle(caller, request, &moment))
    }

    pub(crate) fn submit(&self, caller: &Principal, body: &str) -> Answered {
        self.handle(caller, Request::Submit { body })
    }

    pub(crate) fn decide(&self, caller: &Principal, id: &str, decision: Decision) -> Record {
        let id = ApprovalId::parse(id).unwrap();
        self.engine
            .decide(caller, id, decision, "seen by a test", &self.moment())
            .unwrap()
    }

    pub(crate) fn approve(&self, caller: &Principal, id: &str) -> Record {
        self.decide(caller, id, Decision::Approve)
    }

    pub(crate) fn reject(&self, caller: &Principal, id: &str) -> Record {
        self.decide(caller, id, Decision::Reject)
    }

    /// The record, without a trace on it: read by someone who did not ask.
    pub(crate) fn look(&self, id: &str) -> Value {
        let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
        let answer = self.handle(&auditor, Request::Record { approval_id: id });
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(crate) fn claim(&self, caller: &Principal, waiting: &Waiting, claim_id: &str) -> Answered {
        self.handle(
            caller,
            Request::Claim {
                approval_id: &waiting.id,
                body: &waiting.claim_body(claim_id),
            },
        )
    }

    pub(crate) fn withdraw(&self, caller: &Principal, waiting: &Waiting) -> Answered {
        let body = json!({"claim_token": waiting.token}).to_string();
        self.handle(
            caller,
            Request::Withdraw {
                approval_id: &waiting.id,
                body: &body,
            },
        )
    }

    /// Reports one outcome; returns what became of it.
    #[allow(clippy::needless_pass_by_value, reason = "it reads better at the call")]
    pub(crate) fn report(&self, caller: &Principal, report: Value) -> String {
        let body = json!({"outcomes": [report]}).to_string();
        let answer = self.handle(caller, Request::Outcomes { body: &body });
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["results"][0]["status"].as_str().unwrap().into()
    }

    /// Every event's payload of the organisation `acme`.
    pub(crate) fn events(&self) -> Vec<Value> {
        let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
        let events = self.engine.audit(&auditor, 0, usize::MAX).unwrap();
        events
            .iter()
            .map(|event| serde_json::from_str(&event.payload).unwrap())
            .collect()
    }

    /// The words of every event.
    pub(crate) fn event_types(&self) -> Vec<String> {
        let words = self.events();
        words
            .iter()
            .map(|event| event["event_type"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// An answer, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answered {
    pub(crate) fn new(answer: &Answer) -> Self {
        Self {
            status: answer.status,
            body: serde_json::from_str(&answer.body).unwrap(),
        }
    }

    /// `detail.status` of a refusal.
    pub(crate) fn word(&self) -> &str {
        self.body["detail"]["status"].as_str().unwrap_or_default()
    }

    /// `detail.reason` of a refusal.
    pub(crate) fn reason(&self) -> &str {
        self.body["detail"]["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.body["approval_id"].as_str().unwrap()
    }

    /// Asserts that it is a 202, and takes what its client needs.
    #[track_caller]
    pub(crate) fn waiting(&self) -> Waiting {
        assert_eq!(self.status, 202, "{}", self.body);
        let text = |name: &str| self.body[name].as_str().unwrap().to_owned();
        Waiting {
            id: text("approval_id"),
            token: text("claim_token"),
            body_hash: text("body_hash"),
        }
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, word: &str) {
        assert_eq!((self.status, self.word()), (status, word), "{}", self.body);
    }
}

/// What a client holds while it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) body_hash: String,
}

impl Waiting {
    pub(crate) fn claim_body(&self, claim_id: &str) -> String {
        json!({"claim_token": self.token, "claim_id": claim_id, "body_hash": self.body_hash})
            .to_string()
    }
}

pub(crate) const CLAIM: &str = "000102030405060708090a0b0c0d0e0f";
pub(crate) const OTHER_CLAIM: &str = "ff0102030405060708090a0b0c0d0e0f";

/// The agent of `acme`.
pub(crate) fn agent() -> Principal {
    Principal::new("acme", "agent-key")
        .owned_by("the agents' team")
        .with(Role::Agent)
}

/// The reviewer of `acme`.
pub(crate) fn reviewer() -> Principal {
    Principal::new("acme", "reviewer-key")
        .owned_by("rita")
        .with(Role::Reviewer)
}

/// A submission being put together.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    top: Map<String, Value>,
    metadata: Map<String, Value>,
}

impl Draft {
    /// An action of that risk and class.
    pub(crate) fn new(risk: &str, class: &str) -> Self {
        let Value::Object(top) = json!({
            "intent_id": "billing", "action_id": "pay-invoice", "request_id": "a".repeat(32),
            "timestamp": 1_778_000_000,
        }) else {
            unreachable!()
        };
        let Value::Object(metadata) = json!({
            "risk_level": risk, "operation_class": class, "data_sensitivity": "internal",
            "systems_touched": ["postgres"], "function": "pay_invoice", "module": "billing",
            "policy_surface": "rust_sdk",
        }) else {
            unreachable!()
        };
        Self { top, metadata }
    }

    /// What a person must decide.
    pub(crate) fn high() -> Self {
        Self::new("high", "financial")
    }

    /// What the built-in policy sends to a person, and memory may learn.
    pub(crate) fn medium() -> Self {
        Self::new("medium", "update")
    }

    /// What runs at once.
    pub(crate) fn read() -> Self {
        Self::new("low", "read")
    }

    pub(crate) fn top(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.top.insert(name.into(), value.into());
        self
    }

    pub(crate) fn meta(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.top.remove(name);
        self.metadata.remove(name);
        self
    }

    pub(crate) fn nonce(self, seed: u8) -> Self {
        self.top("nonce", format!("{seed:02x}").repeat(16))
    }

    /// With all arguments digested, as those of call number `seed`.
    pub(crate) fn digest(self, seed: u8) -> Self {
        let digest = format!("hmac-sha256:{}", format!("{seed:02x}").repeat(32));
        self.meta("arguments_digest", digest)
    }

    pub(crate) fn resume(self, key: &str) -> Self {
        self.meta("resume_key", key)
    }

    pub(crate) fn body(&self) -> String {
        let mut top = self.top.clone();
        top.insert("metadata".into(), Value::Object(self.metadata.clone()));
        Value::Object(top).to_string()
    }
}
