//! Canonical JSON: one text for one value, so that equal things have equal hashes.
//!
//! The rules are those of Python's `json.dumps` with sorted keys (PROTOCOL 23): members by code
//! point at every level, integers as digits of any size, floats with the shortest digits that read
//! back the same and always with `.0` or an exponent. Two dialects are in use: compact UTF-8 for
//! body hashes and signatures, spaced ASCII for the idempotency key.
//!
//! Texts and `Value`s of any depth are written without recursion.

mod number;
mod serialize;
mod string;
mod walk;

use serde_json::Value;

use crate::json::{Document, JsonError};

pub use serialize::{CanonicalError, append, to_string, to_writer};
pub(crate) use string::write_string;
pub(crate) use walk::{Dialect, write_map, write_node, write_value};

/// The canonical text of a value: compact, UTF-8, members sorted by code point.
///
/// A float outside `f64`, which only `serde_json`'s feature `arbitrary_precision` lets into a
/// `Value`, becomes `Infinity` as in Python: no JSON, so nothing will accept it.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, Dialect::Compact, &mut out);
    out
}

/// The canonical text of the value that `json` holds. Unlike a `Value` it keeps integers of any
/// size and tells `1` from `1.0`.
///
/// # Errors
/// When `json` is not [strict JSON](crate::json), duplicate members included, or holds a float
/// outside `f64`.
pub fn canonicalize(json: &str) -> Result<String, JsonError> {
    let document = Document::parse(json)?;
    let mut out = String::with_capacity(json.len());
    write_node(document.root(), Dialect::Compact, &mut out)?;
    Ok(out)
}
