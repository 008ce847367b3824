//! The words both sides of the Sernixa protocol speak.
//!
//! Without features the crate has no dependencies and holds what the attribute macro shares with
//! client and service: the governance words ([`words`]), the rules their values must keep
//! ([`rules`]), the scanners for text that is unmistakably a secret ([`secrets`]) and what was
//! probably meant by a word that is not known ([`suggest`]). The feature `full` adds everything that reads, hashes, signs or rewrites a submission.
//!
//! Nothing here does I/O, reads a clock or draws randomness: time, nonces and keys are arguments.

pub mod rules;
pub mod secrets;
pub mod suggest;
pub mod words;

#[cfg(feature = "full")]
pub mod canonical;
#[cfg(feature = "full")]
pub mod display;
#[cfg(feature = "full")]
pub mod dlp;
#[cfg(feature = "full")]
pub mod duration;
#[cfg(feature = "full")]
pub mod envelope;
#[cfg(feature = "full")]
pub mod hash;
#[cfg(feature = "full")]
pub mod json;
#[cfg(feature = "full")]
pub mod mcp;
#[cfg(feature = "full")]
pub mod paths;
#[cfg(feature = "full")]
pub mod step;
#[cfg(feature = "full")]
pub mod submission;
#[cfg(feature = "full")]
mod text;

#[cfg(feature = "full")]
pub use canonical::{canonical_json, canonicalize};
#[cfg(feature = "full")]
pub use envelope::{Envelope, InvalidSignature};
#[cfg(feature = "full")]
pub use hash::{action_id, body_hash, body_hash_json, idempotency_key, idempotency_key_json};
#[cfg(feature = "full")]
pub use step::ApprovalStep;
pub use words::{DataSensitivity, DecisionStatus, OperationClass, RiskLevel};
