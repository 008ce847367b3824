//! The waiting half of Sernixa: submits a call, waits for its decision, and lets the body run or
//! not. Users depend on the facade `sernixa`, which re-exports what is public here.

mod action;
mod ambient;
mod callsite;
mod capture;
mod client;
mod clock;
mod config;
pub mod delegation;
mod digest;
mod display;
mod error;
mod global;
pub mod logging;
mod name;
mod permit;
mod random;
mod returns;
#[doc(hidden)]
pub mod support;
mod transport;

pub use action::{Action, Submission};
pub use callsite::{Callsite, callsites};
pub use client::Client;
pub use clock::{Clock, Sleep};
pub use config::ClientBuilder;
pub use error::{Error, Refusal};
pub use permit::Permit;
pub use sernixa_protocol::{DataSensitivity, DecisionStatus, OperationClass, RiskLevel};

/// Finding and masking secrets in metadata, as it is done to every submission.
pub mod dlp {
    pub use sernixa_protocol::dlp::{
        Detectors, Finding, Mode, Protected, protect_metadata, protect_metadata_json,
    };
}

/// Canonical JSON, hashes and the signed envelope, as the service computes them.
pub mod protocol {
    pub use sernixa_protocol::{
        Envelope, action_id, body_hash, body_hash_json, canonical_json, canonicalize,
        idempotency_key, idempotency_key_json,
    };
}
