//! Why a text is not JSON as we read it.

use std::fmt;

/// What is wrong with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The text ends inside a value.
    UnexpectedEnd,
    /// A character that cannot stand here.
    UnexpectedCharacter,
    /// More text after the value.
    TrailingData,
    /// A control character inside a string, unescaped.
    ControlCharacter,
    /// A `\` escape that JSON does not have.
    BadEscape,
    /// Half of a surrogate pair: no character.
    LoneSurrogate,
    /// The same member twice in one object.
    DuplicateMember,
    /// More levels than the caller allows.
    TooDeep,
    /// 4 GiB or more.
    TooLarge,
    /// A number outside what the target can hold.
    NumberRange,
    /// Another kind of value than the caller asked for.
    WrongKind,
}

/// A text that is not strict JSON: what is wrong, and at which byte. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    kind: JsonErrorKind,
    at: usize,
}

impl JsonError {
    pub(crate) const fn new(kind: JsonErrorKind, at: usize) -> Self {
        Self { kind, at }
    }

    /// What is wrong.
    pub const fn kind(&self) -> JsonErrorKind {
        self.kind
    }

    /// The byte at which it was noticed.
    pub const fn offset(&self) -> usize {
        self.at
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.kind {
            JsonErrorKind::UnexpectedEnd => "JSON ends inside a value",
            JsonErrorKind::UnexpectedCharacter => "unexpected character in JSON",
            JsonErrorKind::TrailingData => "text after the JSON value",
            JsonErrorKind::ControlCharacter => "unescaped control character in a JSON string",
            JsonErrorKind::BadEscape => "unknown escape in a JSON string",
            JsonErrorKind::LoneSurrogate => "lone surrogate escape in a JSON string",
            JsonErrorKind::DuplicateMember => "duplicate member in a JSON object",
            JsonErrorKind::TooDeep => "JSON nested too deeply",
            JsonErrorKind::TooLarge => "JSON of 4 GiB or more",
            JsonErrorKind::NumberRange => "JSON number out of range",
            JsonErrorKind::WrongKind => "JSON value of the wrong kind",
        };
        write!(f, "{fault} at byte {}", self.at)
    }
}

impl std::error::Error for JsonError {}
