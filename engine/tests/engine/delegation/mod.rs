//! Delegation (DESIGN 9): who may act for whom, how far, and what shows it.

mod chain;
mod envelope;
mod failing;
#[cfg(feature = "cedar")]
mod policies;
mod refusals;
mod replay;
mod scope;
mod steps;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sernixa_engine::{
    Agents, DelegationToken, Engine, Keyring, MemoryStore, Principal, Request, Role, SecretKey,
    SecretRule, Settings, SigningKey, Store, TokenId,
};
use sernixa_protocol::ApprovalStep;
use sernixa_protocol::submission::Received;

use crate::support::{Answered, Bench, Draft, Waiting};

pub(crate) const SECRET: &str = "a signing secret of the tests";
pub(crate) const OTHER_SECRET: &str = "another secret of the tests";
pub(crate) const CLAIM_KEY: [u8; 32] = [9; 32];

/// Who is there, in `acme`.
pub(crate) fn admin() -> Principal {
    Principal::new("acme", "admin-key")
        .owned_by("ada")
        .with(Role::Admin)
}

/// The key that `agent` acts through, owned by someone of the same name.
pub(crate) fn key_of(agent: &str) -> Principal {
    Principal::new("acme", format!("{agent}-key"))
        .owned_by(format!("{agent}'s owner"))
        .with(Role::Agent)
        .acting_as(only(&[agent]))
}

pub(crate) fn only(agents: &[&str]) -> Agents {
    Agents::Only(agents.iter().map(|agent| Box::from(*agent)).collect())
}

/// An engine with its store at hand, and two signing keys: `k1` for every agent but `stranger`,
/// `k2` for `worker` alone.
pub(crate) struct House {
    pub(crate) bench: Bench,
    pub(crate) store: Arc<dyn Store>,
    nonces: AtomicU64,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let store = MemoryStore::new().with_claim_key(SecretKey::new(CLAIM_KEY));
        Self::on(Arc::new(store), settings)
    }

    pub(crate) fn on(store: Arc<dyn Store>, settings: Settings) -> Self {
        let agents = [
            "orchestrator",
            "worker",
            "helper",
            "a1",
            "a2",
            "a3",
            "a4",
            "a5",
            "a6",
            "a7",
            "a8",
            "a9",
        ];
        let key = |id, secret: &str, owner, agents| {
            SigningKey::new(id, secret.as_bytes(), owner, agents, SecretRule::Strong).unwrap()
        };
        let keyring = Keyring::new()
            .with(key("k1", SECRET, "sigrid", only(&agents)))
            .unwrap()
            .with(key("k2", OTHER_SECRET, "sigrid", only(&["worker"])))
            .unwrap();
        let engine = Engine::builder()
            .settings(settings)
            .shared_store(Arc::clone(&store))
            .keyring(keyring)
            .build()
            .unwrap();
        Self {
            bench: Bench::new(engine),
            store,
            nonces: AtomicU64::new(1),
        }
    }

    /// A nonce that was not used before.
    pub(crate) fn nonce(&self) -> String {
        format!("{:032x}", self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    /// Asks for a token.
    pub(crate) fn ask(&self, caller: &Principal, ask: &Value) -> Answered {
        self.bench.handle(
            caller,
            Request::Delegate {
                body: &ask.to_string(),
            },
        )
    }

    /// A token that was made.
    #[track_caller]
    pub(crate) fn issue(&self, caller: &Principal, ask: &Value) -> Given {
        let answer = self.ask(caller, ask);
        assert_eq!(answer.status, 201, "{}", answer.body);
        Given {
            agent: ask["delegatee_agent_id"].as_str().unwrap().to_owned(),
            id: answer.body["token_id"].as_str().unwrap().to_owned(),
            answer: answer.body,
        }
    }

    /// A root from the admin to `agent` that covers everything of the drafts used here.
    pub(crate) fn root(&self, agent: &str) -> Given {
        self.issue(&admin(), &wide("admin", agent))
    }

    /// A child of `parent`, for `agent`, with its scope.
    pub(crate) fn child(&self, parent: &Given, agent: &str) -> Given {
        let mut ask = wide(&parent.agent, agent);
        ask["parent_token_id"] = json!(parent.id);
        self.issue(&key_of(&parent.agent), &ask)
    }

    pub(crate) fn revoke(&self, caller: &Principal, token: &Given) -> Answered {
        self.bench.handle(
            caller,
            Request::RevokeDelegation {
                token_id: &token.id,
            },
        )
    }

    pub(crate) fn list(&self, caller: &Principal) -> Vec<Value> {
        let answer = self
            .bench
            .handle(caller, Request::Delegations { limit: 100 });
        assert_eq!(answer.status, 200);
        answer.body.as_array().unwrap().clone()
    }

    /// What is signed by the delegatee of `token`, for `draft`.
    pub(crate) fn sign(&self, token: &Given, draft: &Draft) -> Signing {
        Signing {
            body: serde_json::from_str(&draft.body()).unwrap(),
            agent: token.agent.clone(),
            token: token.id.clone(),
            chain: None,
            key_id: "k1".into(),
            secret: SECRET.into(),
            timestamp: i64::try_from(self.bench.now() / 1_000).unwrap(),
            nonce: self.nonce(),
        }
    }

    /// Submits through the delegatee's own key.
    pub(crate) fn submit(&self, token: &Given, draft: &Draft) -> Answered {
        let body = self.sign(token, draft).body();
        self.bench.submit(&key_of(&token.agent), &body)
    }

    /// Something that waits, asked by the delegatee of `token`.
    #[track_caller]
    pub(crate) fn waiting(&self, token: &Given, draft: &Draft) -> Waiting {
        self.submit(token, draft).waiting()
    }

    /// A step's signature by key `k1`, now.
    pub(crate) fn step(
        &self,
        name: &'static str,
        waiting: &Waiting,
        claim: Option<&str>,
    ) -> Stepped {
        Stepped {
            step: name,
            approval_id: waiting.id.clone(),
            body_hash: waiting.body_hash.clone(),
            claim_id: claim.map(Into::into),
            timestamp: i64::try_from(self.bench.now() / 1_000).unwrap(),
            nonce: self.nonce(),
            key_id: "k1".into(),
            secret: SECRET.into(),
        }
    }

    /// A signed claim by `caller`.
    pub(crate) fn claim(&self, caller: &Principal, waiting: &Waiting, claim: &str) -> Answered {
        let signature = self.step(ApprovalStep::CLAIM, waiting, Some(claim));
        self.claim_with(caller, waiting, claim, &signature.members())
    }

    pub(crate) fn claim_with(
        &self,
        caller: &Principal,
        waiting: &Waiting,
        claim: &str,
        signature: &Value,
    ) -> Answered {
        let body = serde_json::from_str(&waiting.claim_body(claim)).unwrap();
        let body = merged(body, signature).to_string();
        self.bench.handle(
            caller,
            Request::Claim {
                approval_id: &waiting.id,
                body: &body,
            },
        )
    }

    /// A stored token as it is.
    pub(crate) fn stored(&self, id: &str) -> DelegationToken {
        let mut found = None;
        self.store
            .transact(&mut |state| {
                found = state.token(TokenId::parse(id).unwrap())?;
                Ok(())
            })
            .unwrap();
        found.unwrap()
    }

    /// What someone does who may write the database.
    pub(crate) fn overwrite(&self, token: &DelegationToken) {
        self.store
            .transact(&mut |state| state.put_token(token))
            .unwrap();
    }
}

/// A token as its delegatee holds it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) agent: String,
    pub(crate) id: String,
    pub(crate) answer: Value,
}

impl Given {
    pub(crate) fn chain(&self) -> &str {
        self.answer["chain_id"].as_str().unwrap()
    }
}

/// A request for a token that covers all that the drafts of these tests ask.
pub(crate) fn wide(delegator: &str, delegatee: &str) -> Value {
    json!({
        "parent_token_id": null, "delegator_agent_id": delegator, "delegatee_agent_id": delegatee,
        "scope": {
            "max_risk_level": "critical",
            "allowed_operation_classes": ["read", "update", "financial"],
            "allowed_data_sensitivities": ["internal", "PII"],
            "resources": {},
        },
        "tool_subset": null, "root_human_session_id": null, "expires_in_seconds": 3600,
        "reason": null,
    })
}

/// A delegated submission being signed.
#[derive(Clone, Debug)]
pub(crate) struct Signing {
    pub(crate) body: Value,
    pub(crate) agent: String,
    pub(crate) token: String,
    pub(crate) chain: Option<String>,
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) timestamp: i64,
    pub(crate) nonce: String,
}

impl Signing {
    /// The signed body.
    pub(crate) fn body(&self) -> String {
        self.value().to_string()
    }

    pub(crate) fn value(&self) -> Value {
        let mut body = merged(
            self.body.clone(),
            &json!({
                "timestamp": self.timestamp, "nonce": self.nonce, "agent_id": self.agent,
                "delegation_token_id": self.token, "delegation_chain_id": self.chain,
                "runtime_id": null, "runtime_identity": null, "service_identity": "spiffe://a/b",
                "workload_identity": null, "key_id": self.key_id, "algorithm": "HMAC-SHA256",
                "body_hash": "", "signature": "",
            }),
        );
        let read = Received::parse(&body.to_string()).unwrap();
        body["body_hash"] = json!(read.body_hash);
        body["signature"] = json!(read.envelope().unwrap().sign(&self.secret));
        body
    }
}

/// A step being signed.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    pub(crate) step: &'static str,
    pub(crate) approval_id: String,
    pub(crate) body_hash: String,
    pub(crate) claim_id: Option<String>,
    pub(crate) timestamp: i64,
    pub(crate) nonce: String,
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

impl Stepped {
    pub(crate) fn members(&self) -> Value {
        let step = ApprovalStep {
            step: self.step,
            approval_id: &self.approval_id,
            body_hash: &self.body_hash,
            claim_id: self.claim_id.as_deref(),
            timestamp: self.timestamp,
            nonce: &self.nonce,
            key_id: &self.key_id,
            algorithm: ApprovalStep::ALGORITHM,
        };
        json!({
            "timestamp": self.timestamp, "nonce": self.nonce, "key_id": self.key_id,
            "algorithm": "HMAC-SHA256", "signature": step.sign(&self.secret),
        })
    }
}

pub(crate) fn merged(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}
