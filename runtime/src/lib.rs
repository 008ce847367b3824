//! The waiting half of Sernixa: submits a call, waits for its decision, and lets the body run or
//! not. Users depend on the facade `sernixa`, which re-exports what is public here.

mod action;
mod ambient;
pub mod boundary;
mod callsite;
mod capture;
mod client;
mod clock;
mod company;
mod config;
mod continuation;
mod core;
pub mod delegation;
mod digest;
mod door;
mod driver;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod events;
pub mod gateway;
mod global;
mod grant;
mod http;
mod judge;
pub mod logging;
mod name;
mod outcome;
mod pending;
mod permit;
mod principal;
mod random;
mod rejection;
mod requests;
mod retry;
mod returns;
mod steps;
#[doc(hidden)]
pub mod support;
#[cfg(feature = "testing")]
pub mod testing;
mod tools;
mod transport;
mod wait;

pub use action::{Action, Submission};
pub use callsite::{Callsite, callsites};
pub use client::Client;
pub use clock::{Clock, Sleep};
pub use config::ClientBuilder;
pub use continuation::Continuation;
pub use error::{Error, Refusal};
pub use global::{client, close, close_blocking, install};
pub use pending::{Pending, Submitted};
pub use permit::Permit;
pub use sernixa_protocol::{DataSensitivity, DecisionStatus, OperationClass, RiskLevel};

use sernixa_protocol::display;

/// Finding and masking secrets in metadata, as it is done to every submission.
pub mod dlp {
    pub use sernixa_protocol::dlp::{
        Detector, DetectorError, Detectors, Finding, Mode, Protected, ProtectedJson, UnknownMode,
        protect_metadata, protect_metadata_json,
    };
}

/// Canonical JSON, hashes and the signed envelope, as the service computes them.
pub mod protocol {
    pub use sernixa_protocol::json::{JsonError, JsonErrorKind};
    pub use sernixa_protocol::{
        Envelope, InvalidSignature, action_id, body_hash, body_hash_json, canonical_json,
        canonicalize, idempotency_key, idempotency_key_json,
    };
}
