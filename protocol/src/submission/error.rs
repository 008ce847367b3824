//! Why a submission cannot be built or is not taken.

use std::fmt;

use crate::dlp::Finding;
use crate::json::{JsonError, JsonErrorKind};
use crate::rules::Fault;
use crate::secrets::SecretKind;

/// Why a submission cannot be built. It holds no value, only which field is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A governance field breaks its rule.
    Field {
        /// Its name on the wire.
        field: &'static str,
        /// Which rule.
        fault: Fault,
    },
    /// A field that is never masked holds a secret.
    Secret {
        /// Its name on the wire.
        field: &'static str,
        /// What it holds.
        kind: SecretKind,
    },
    /// A text that must be JSON is not.
    Json {
        /// Its name on the wire.
        field: &'static str,
        /// What is wrong with it.
        error: JsonError,
    },
    /// The metadata has more than [`MAX_LEVELS`](super::MAX_LEVELS) levels.
    TooDeep,
    /// The metadata is longer than [`MAX_BYTES`](super::MAX_BYTES).
    TooLarge,
    /// DLP is in block mode and found something: nothing may be sent.
    Blocked(Vec<Finding>),
}

impl BuildError {
    pub(super) fn json(field: &'static str, error: JsonError) -> Self {
        match error.kind() {
            JsonErrorKind::TooDeep => Self::TooDeep,
            JsonErrorKind::TooLarge => Self::TooLarge,
            _ => Self::Json { field, error },
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { field, fault } => write!(f, "{field}: {fault}"),
            Self::Secret { field, kind } => {
                write!(
                    f,
                    "{field} holds {} and is never masked: remove it",
                    kind.describe()
                )
            }
            Self::Json { field, error } => write!(f, "{field}: {error}"),
            Self::TooDeep => f.write_str("metadata is nested more than 64 levels deep"),
            Self::TooLarge => f.write_str("metadata is longer than 256 KiB"),
            Self::Blocked(findings) => {
                write!(
                    f,
                    "sdk_dlp_blocked: {} finding(s) in the metadata",
                    findings.len()
                )
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// Why a body is no submission (PROTOCOL 17). It holds no value, only which field is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The body is not strict JSON.
    Json(JsonError),
    /// A field that must be there is not.
    Missing(&'static str),
    /// A field holds another kind of value than it must.
    WrongKind(&'static str),
    /// A field breaks its rule.
    Field {
        /// Its name on the wire.
        field: &'static str,
        /// Which rule.
        fault: Fault,
    },
    /// The metadata has more than [`MAX_LEVELS`](super::MAX_LEVELS) levels.
    TooDeep,
    /// The metadata is longer than [`MAX_BYTES`](super::MAX_BYTES).
    TooLarge,
}

impl From<JsonError> for ReceiveError {
    fn from(error: JsonError) -> Self {
        match error.kind() {
            JsonErrorKind::TooDeep => Self::TooDeep,
            JsonErrorKind::TooLarge => Self::TooLarge,
            _ => Self::Json(error),
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::WrongKind(field) => write!(f, "{field} is of the wrong kind"),
            Self::Field { field, fault } => write!(f, "{field}: {fault}"),
            Self::TooDeep => f.write_str("metadata is nested more than 64 levels deep"),
            Self::TooLarge => f.write_str("metadata is longer than 256 KiB"),
        }
    }
}

impl std::error::Error for ReceiveError {}
