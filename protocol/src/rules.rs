//! The rules a governed call's values must keep, as `const fn`s: the macro checks literals with
//! them, `const` evaluation checks paths, the client and the service check everything else.
//!
//! Each rule returns a [`Fault`]; its [`message`](Fault::message) says what is wrong and what is
//! allowed. The `must_*` twins panic with that message and are for `const` items only.

use crate::words::{DataSensitivity, OperationClass, RiskLevel};

/// The longest intent id, in characters (code points).
pub const INTENT_ID_MAX: usize = 128;

/// Why a value breaks its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Empty, or nothing but whitespace.
    Blank,
    /// More than [`INTENT_ID_MAX`] characters.
    TooLong,
    /// No risk level of this name.
    UnknownRisk,
    /// No operation class of this name.
    UnknownClass,
    /// No data sensitivity of this name.
    UnknownSensitivity,
    /// `systems_touched` is empty.
    NoSystem,
    /// An item of `systems_touched` is blank.
    BlankSystem,
    /// The name of a metadata member that is ours to write.
    CoreKey,
}

impl Fault {
    /// What is wrong and what is allowed, in one lower-case line without the value.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Blank => "this value is blank: write at least one visible character",
            Self::TooLong => "this value is too long: at most 128 characters are allowed",
            Self::UnknownRisk => "unknown risk level: allowed are low, medium, high, critical",
            Self::UnknownClass => {
                "unknown operation class: allowed are read, create, update, delete, execute, \
                 financial, identity, communication, deploy, tool_call, agent_run, or a custom one"
            }
            Self::UnknownSensitivity => {
                "unknown data sensitivity: allowed are public, internal, confidential, restricted, \
                 regulated, financial, PII, PHI, or a custom one"
            }
            Self::NoSystem => "systems_touched is empty: name at least one system",
            Self::BlankSystem => {
                "an item of systems_touched is blank: each must have a visible character"
            }
            Self::CoreKey => "this metadata key is written by Sernixa itself: choose another name",
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Fault {}

/// `intent_id`: not blank, at most [`INTENT_ID_MAX`] characters; not trimmed (PROTOCOL 17).
///
/// # Errors
/// [`Fault::Blank`] or [`Fault::TooLong`].
pub const fn intent_id(text: &str) -> Result<(), Fault> {
    if is_blank(text) {
        return Err(Fault::Blank);
    }
    if count_chars(text) > INTENT_ID_MAX {
        return Err(Fault::TooLong);
    }
    Ok(())
}

/// `action_id`: not blank. It has no upper limit on the wire (PROTOCOL 2).
///
/// # Errors
/// [`Fault::Blank`].
pub const fn action_id(text: &str) -> Result<(), Fault> {
    not_blank(text)
}

/// `risk_level`: one of the four words, in any case.
///
/// # Errors
/// [`Fault::UnknownRisk`].
pub const fn risk_level(text: &str) -> Result<(), Fault> {
    if RiskLevel::parse(text).is_some() {
        Ok(())
    } else {
        Err(Fault::UnknownRisk)
    }
}

/// `operation_class` on the wire: any word that is not blank.
///
/// # Errors
/// [`Fault::Blank`].
pub const fn operation_class(text: &str) -> Result<(), Fault> {
    not_blank(text)
}

/// `operation_class` in source code outside `custom(…)`: a known word, in any case.
///
/// # Errors
/// [`Fault::Blank`] or [`Fault::UnknownClass`].
pub const fn known_operation_class(text: &str) -> Result<(), Fault> {
    if is_blank(text) {
        return Err(Fault::Blank);
    }
    // The value has a destructor that `const` evaluation cannot run on all paths: look, do not keep.
    let mut rest = OperationClass::KNOWN;
    while let [word, tail @ ..] = rest {
        if word.eq_ignore_ascii_case(text) {
            return Ok(());
        }
        rest = tail;
    }
    Err(Fault::UnknownClass)
}

/// `data_sensitivity` on the wire: any word that is not blank.
///
/// # Errors
/// [`Fault::Blank`].
pub const fn data_sensitivity(text: &str) -> Result<(), Fault> {
    not_blank(text)
}

/// `data_sensitivity` in source code outside `custom(…)`: a known word, in any case.
///
/// # Errors
/// [`Fault::Blank`] or [`Fault::UnknownSensitivity`].
pub const fn known_data_sensitivity(text: &str) -> Result<(), Fault> {
    if is_blank(text) {
        return Err(Fault::Blank);
    }
    let mut rest = DataSensitivity::KNOWN;
    while let [word, tail @ ..] = rest {
        if word.eq_ignore_ascii_case(text) {
            return Ok(());
        }
        rest = tail;
    }
    Err(Fault::UnknownSensitivity)
}

/// One item of `systems_touched`: not blank.
///
/// # Errors
/// [`Fault::BlankSystem`].
pub const fn system(text: &str) -> Result<(), Fault> {
    if is_blank(text) {
        Err(Fault::BlankSystem)
    } else {
        Ok(())
    }
}

/// `systems_touched`: at least one item, none of them blank.
///
/// # Errors
/// [`Fault::NoSystem`] or [`Fault::BlankSystem`].
pub const fn systems_touched(items: &[&str]) -> Result<(), Fault> {
    if items.is_empty() {
        return Err(Fault::NoSystem);
    }
    let mut rest = items;
    while let [item, tail @ ..] = rest {
        if is_blank(item) {
            return Err(Fault::BlankSystem);
        }
        rest = tail;
    }
    Ok(())
}

/// The key of a member of user metadata: any text but a [core key](is_core_key).
///
/// # Errors
/// [`Fault::CoreKey`].
pub const fn metadata_key(key: &str) -> Result<(), Fault> {
    if is_core_key(key) {
        Err(Fault::CoreKey)
    } else {
        Ok(())
    }
}

/// The metadata members that we may ever write (PROTOCOL 18, DESIGN 5): user metadata under one
/// of these names is a compile error in the attribute and ignored at run time.
pub const CORE_KEYS: &[&str] = &[
    "risk_level",
    "operation_class",
    "data_sensitivity",
    "systems_touched",
    "function",
    "module",
    "arguments_captured",
    "args_count",
    "kwargs_keys",
    "idempotency_key",
    "args",
    "kwargs",
    "dlp_status",
    "dlp_findings",
    "sernixa_defaults",
    "policy_surface",
    "summary",
    "resume_key",
    "arguments_digest",
    "arguments_unbound",
];

/// Whether `key` is one of [`CORE_KEYS`], exactly.
pub const fn is_core_key(key: &str) -> bool {
    let mut rest = CORE_KEYS;
    while let [core, tail @ ..] = rest {
        // `eq` of strings is not const; equal length and equal bytes is.
        if same(core.as_bytes(), key.as_bytes()) {
            return true;
        }
        rest = tail;
    }
    false
}

/// Whether `text` is empty or nothing but what Python's `str.strip` removes: Unicode white space
/// and U+001C to U+001F.
pub const fn is_blank(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        // One alternative per encoded form; the later bytes say which character it is: ASCII,
        // U+0085 and U+00A0, U+1680, U+2000 to U+200A and U+2028, U+2029, U+202F, U+205F, U+3000.
        rest = match rest {
            [] => return true,
            [b'\t'..=b'\r' | 0x1C..=0x1F | b' ', tail @ ..]
            | [0xC2, 0x85 | 0xA0, tail @ ..]
            | [0xE1, 0x9A, 0x80, tail @ ..]
            | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, tail @ ..]
            | [0xE2, 0x81, 0x9F, tail @ ..]
            | [0xE3, 0x80, 0x80, tail @ ..] => tail,
            _ => return false,
        };
    }
}

/// Panics with the fault's message: for `const` evaluation, where it becomes the compile error.
///
/// # Panics
/// On a fault.
#[allow(
    clippy::panic,
    reason = "a `const` check fails by panicking; never called at run time"
)]
pub const fn must(checked: Result<(), Fault>) {
    if let Err(fault) = checked {
        panic!("{}", fault.message())
    }
}

/// [`intent_id`] for a `const` path.
///
/// # Panics
/// On a fault.
pub const fn must_intent_id(text: &str) {
    must(intent_id(text));
}

/// [`action_id`] for a `const` path.
///
/// # Panics
/// On a fault.
pub const fn must_action_id(text: &str) {
    must(action_id(text));
}

/// [`operation_class`] for a `const` path inside `custom(…)`.
///
/// # Panics
/// On a fault.
pub const fn must_operation_class(text: &str) {
    must(operation_class(text));
}

/// [`data_sensitivity`] for a `const` path inside `custom(…)`.
///
/// # Panics
/// On a fault.
pub const fn must_data_sensitivity(text: &str) {
    must(data_sensitivity(text));
}

/// [`systems_touched`] for a `const` path.
///
/// # Panics
/// On a fault.
pub const fn must_systems_touched(items: &[&str]) {
    must(systems_touched(items));
}

/// The text of a `const` path of type [`OperationClass`]: a known class.
///
/// # Panics
/// On a custom one, which is written `custom(PATH)`.
#[allow(
    clippy::panic,
    reason = "a `const` check fails by panicking; never called at run time"
)]
pub const fn must_known_operation_class(class: &OperationClass) -> &'static str {
    match class.known() {
        Some(word) => word,
        None => {
            panic!("this const is a custom operation class: write custom(PATH) over a const &str")
        }
    }
}

/// The text of a `const` path of type [`DataSensitivity`]: a known word.
///
/// # Panics
/// On a custom one, which is written `custom(PATH)`.
#[allow(
    clippy::panic,
    reason = "a `const` check fails by panicking; never called at run time"
)]
pub const fn must_known_data_sensitivity(sensitivity: &DataSensitivity) -> &'static str {
    match sensitivity.known() {
        Some(word) => word,
        None => {
            panic!("this const is a custom data sensitivity: write custom(PATH) over a const &str")
        }
    }
}

const fn not_blank(text: &str) -> Result<(), Fault> {
    if is_blank(text) {
        Err(Fault::Blank)
    } else {
        Ok(())
    }
}

/// Code points of `text`: every byte that does not continue a character.
const fn count_chars(text: &str) -> usize {
    let mut rest = text.as_bytes();
    let mut count = 0;
    while let [byte, tail @ ..] = rest {
        if *byte & 0xC0 != 0x80 {
            count += 1;
        }
        rest = tail;
    }
    count
}

const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
    loop {
        (a, b) = match (a, b) {
            ([], []) => return true,
            ([x, a @ ..], [y, b @ ..]) if *x == *y => (a, b),
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `str.isspace` of Python 3.11 says yes to.
    const PYTHON_SPACES: [char; 29] = [
        '\t', '\n', '\u{b}', '\u{c}', '\r', '\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}', ' ', '\u{85}',
        '\u{a0}', '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}',
        '\u{2005}', '\u{2006}', '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{2028}',
        '\u{2029}', '\u{202f}', '\u{205f}', '\u{3000}',
    ];

    #[test]
    fn blank_is_what_python_strips_for_every_character_there_is() {
        let mut buffer = [0; 4];
        for character in '\0'..=char::MAX {
            let blank = is_blank(character.encode_utf8(&mut buffer));
            assert_eq!(blank, PYTHON_SPACES.contains(&character), "{character:?}");
        }
        assert!(is_blank(""));
        assert!(is_blank(&String::from_iter(PYTHON_SPACES)));
        assert!(!is_blank(" \u{2003}x "));
    }

    #[test]
    fn an_intent_id_has_1_to_128_characters_whatever_their_bytes() {
        assert_eq!(intent_id(&"é".repeat(128)), Ok(()));
        assert_eq!(intent_id(&"𐀀".repeat(129)), Err(Fault::TooLong));
        assert_eq!(intent_id(" \n"), Err(Fault::Blank));
        assert_eq!(intent_id(" x "), Ok(()));
    }

    #[test]
    fn a_known_word_is_wanted_in_source_and_any_word_on_the_wire() {
        assert_eq!(known_operation_class("Tool_Call"), Ok(()));
        assert_eq!(known_operation_class("finance"), Err(Fault::UnknownClass));
        assert_eq!(known_data_sensitivity("pii"), Ok(()));
        assert_eq!(
            known_data_sensitivity("secret"),
            Err(Fault::UnknownSensitivity)
        );
        assert_eq!(known_data_sensitivity(""), Err(Fault::Blank));
        assert_eq!(operation_class("finance"), Ok(()));
        assert_eq!(data_sensitivity("\u{3000}"), Err(Fault::Blank));
        assert_eq!(risk_level("CRITICAL"), Ok(()));
        assert_eq!(risk_level("low "), Err(Fault::UnknownRisk));
        assert_eq!(action_id(""), Err(Fault::Blank));
    }

    #[test]
    fn systems_are_named() {
        assert_eq!(systems_touched(&["stripe", "postgres"]), Ok(()));
        assert_eq!(systems_touched(&[]), Err(Fault::NoSystem));
        assert_eq!(systems_touched(&["stripe", "\t"]), Err(Fault::BlankSystem));
    }

    #[test]
    fn core_keys_are_exact_names() {
        for key in CORE_KEYS {
            assert_eq!(metadata_key(key), Err(Fault::CoreKey));
        }
        assert_eq!(metadata_key("Risk_Level"), Ok(()));
        assert_eq!(metadata_key("argsx"), Ok(()));
        assert_eq!(metadata_key(""), Ok(()));
    }

    #[test]
    fn rules_run_in_const_items() {
        const _: () = must_intent_id("billing-adjustment");
        const _: () = must_systems_touched(&["stripe"]);
        const _: &str = must_known_operation_class(&OperationClass::Financial);
        const _: &str = must_known_data_sensitivity(&DataSensitivity::Pii);
        let caught = std::panic::catch_unwind(|| must_action_id(" "));
        let text = *caught.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(text, Fault::Blank.message());
    }
}
