//! Why a value has no canonical text.

use std::fmt;

/// Why a value has no canonical text. It holds nothing of the value but what its own `Serialize`
/// said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A float that is NaN or infinite.
    NotFinite,
    /// A map key that is no string, character, integer or truth value.
    KeyKind,
    /// The same key twice, once both are text.
    DuplicateKey,
    /// More than 128 levels.
    TooDeep,
    /// More bytes than the budget.
    TooLarge,
    /// A raw JSON value that is not strict JSON.
    RawJson,
    /// `Some` of what reads `null`, as `None` does: only where values must be told apart.
    Ambiguous,
    /// The value's own `Serialize` failed.
    Custom(String),
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "NaN and infinities have no JSON",
            Self::KeyKind => "a map key must be a string, character, integer or bool",
            Self::DuplicateKey => "two map keys have the same text",
            Self::TooDeep => "nested more than 128 levels deep",
            Self::TooLarge => "more bytes than allowed",
            Self::RawJson => "a raw value is not strict JSON",
            Self::Ambiguous => "`Some` of a null reads like `None`",
            Self::Custom(message) => message,
        })
    }
}

impl std::error::Error for CanonicalError {}

impl serde_core::ser::Error for CanonicalError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}
