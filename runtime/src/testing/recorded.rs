//! What a gate recorded of one submission.

use std::sync::Arc;

use serde_json::{Map, Value};
use sernixa_protocol::RiskLevel;

/// One submission, as the service would have received it: after DLP.
#[derive(Clone)]
pub struct Recorded(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) intent_id: String,
    pub(super) action_id: String,
    pub(super) risk_level: RiskLevel,
    pub(super) agent_id: Option<String>,
    pub(super) body_hash: String,
    pub(super) metadata: Map<String, Value>,
    pub(super) body: String,
}

impl Recorded {
    /// What was intended.
    pub fn intent_id(&self) -> &str {
        &self.0.intent_id
    }

    /// What would be done.
    pub fn action_id(&self) -> &str {
        &self.0.action_id
    }

    /// How grave it is.
    pub fn risk_level(&self) -> RiskLevel {
        self.0.risk_level
    }

    /// The agent of the delegation that the call was made in.
    pub fn agent_id(&self) -> Option<&str> {
        self.0.agent_id.as_deref()
    }

    /// All of the metadata: the governance fields, the user's members, captured arguments under
    /// `args`. A number that `serde_json` cannot hold leaves the map empty; it is in the
    /// [`body`](Self::body).
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.0.metadata
    }

    /// The one line for the reviewer.
    pub fn summary(&self) -> Option<&str> {
        self.0.metadata.get("summary").and_then(Value::as_str)
    }

    /// What an approval would be bound to: 64 hex digits.
    pub fn body_hash(&self) -> &str {
        &self.0.body_hash
    }

    /// The JSON text that was sent, byte for byte.
    pub fn body(&self) -> &str {
        &self.0.body
    }
}

/// Ids only: metadata may hold what the test was told to keep.
impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded")
            .field("intent_id", &self.intent_id())
            .field("action_id", &self.action_id())
            .field("risk_level", &self.risk_level())
            .finish_non_exhaustive()
    }
}
