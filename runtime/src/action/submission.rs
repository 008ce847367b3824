//! What is submitted for one call, and what travels with it to the door.

use std::fmt;
use std::time::Duration;

use sernixa_protocol::RiskLevel;

use crate::client::Client;
use crate::delegation::Signer;
use crate::transport::Endpoint;

/// What is sent for one call, byte for byte.
#[derive(Clone)]
pub struct Submission {
    pub(crate) body: String,
    pub(crate) body_hash: String,
    pub(crate) request_id: String,
    pub(crate) intent_id: String,
    pub(crate) action_id: String,
    pub(crate) risk_level: RiskLevel,
    /// It carries a resume key: never withdrawn, so that a later call can take it up.
    pub(crate) resumable: bool,
}

impl Submission {
    /// The JSON text of the request.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// What an approval is bound to: 64 hex digits (PROTOCOL 22).
    pub fn body_hash(&self) -> &str {
        &self.body_hash
    }

    /// This request's own id: 32 hex digits, the same on retries.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What is intended.
    pub fn intent_id(&self) -> &str {
        &self.intent_id
    }

    /// What is done.
    pub fn action_id(&self) -> &str {
        &self.action_id
    }

    /// How grave it is.
    pub fn risk_level(&self) -> RiskLevel {
        self.risk_level
    }
}

/// Never the body: it may hold captured arguments and metadata.
impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("intent_id", &self.intent_id)
            .field("action_id", &self.action_id)
            .field("risk_level", &self.risk_level)
            .field("request_id", &self.request_id)
            .field("body_hash", &self.body_hash)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A submission on its way to the door. It owns all that it needs: no borrow of the arguments.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) submission: Submission,
    /// What its body is sent to.
    pub(crate) endpoint: Endpoint,
    /// Who asks: the `TestGate` in scope, the client given, the global one.
    pub(crate) client: Client,
    /// Signs the steps after a delegated submission.
    pub(crate) signer: Option<Signer>,
    /// Argument values were sent, so an error's text may be.
    pub(crate) captures: bool,
    /// How long it waits for a decision at most, where it says so itself.
    pub(crate) patience: Option<Duration>,
}
