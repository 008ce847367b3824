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

pub use serialize::{CanonicalError, append, append_distinct, to_string, to_writer};
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of PROTOCOL 23.
    const OBJECT: &str = concat!(
        r#"{"s": "\u00e9\ud83d\ude00\u2028\u007f\u0000\u001f\t\n\r\b\f\"\\\/", "#,
        r#""operation_class": "read", "data_sensitivity": "internal", "f": [1.0, 1e16, 1e15, "#,
        r#"123456789012345680.0, 1e-4, 1e-5, 1e-7, -0.0, 0.1, 1e22, 1.5e300, 5e-324, "#,
        r#"9223372036854775808, -9223372036854775809, 100.0, 1e100]}"#,
    );

    #[test]
    fn both_dialects_have_the_references_hash() {
        assert_eq!(
            crate::hash::sha256_hex(&canonicalize(OBJECT).unwrap()),
            "ec56f946a25adc113dfbd8702b6477fae03f518ea86c99d82ebd4db8e78b17cf"
        );
        let document = Document::parse(OBJECT).unwrap();
        let mut ascii = String::new();
        write_node(document.root(), Dialect::SpacedAscii, &mut ascii).unwrap();
        assert_eq!(
            crate::hash::sha256_hex(&ascii),
            "4b263148952d7f8d3c0e31a89f5b9bb357e0e845c1d6634243bc42f4d24063bb"
        );
    }

    #[test]
    fn what_is_no_one_value_has_no_canonical_text() {
        for text in [
            "",
            "NaN",
            "[1e400]",
            r#"{"a":1,"\u0061":1}"#,
            "1 1",
            r#""\ud800""#,
        ] {
            assert!(canonicalize(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_that_is_nearly_canonical_is_not_taken_for_it() {
        for (text, canonical) in [
            (r#"{"a":1, "b":2}"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":1,"b":2 }"#, r#"{"a":1,"b":2}"#),
            ("[1 ,2]", "[1,2]"),
            ("[ ]", "[]"),
            (r#"[{"b":[1.50],"a":{}}]"#, r#"[{"a":{},"b":[1.5]}]"#),
            (r#"{"a!":1,"a":2}"#, r#"{"a":2,"a!":1}"#),
            (r#"{"a":"\u0062"}"#, r#"{"a":"b"}"#),
            (r#"{"\u0061":[-0]}"#, r#"{"a":[0]}"#),
            ("[[[1e2]]]", "[[[100.0]]]"),
            ("[0.00001,10000000000000000.0]", "[1e-05,1e+16]"),
        ] {
            assert_eq!(canonicalize(text).unwrap(), canonical);
            assert_eq!(canonicalize(canonical).unwrap(), canonical);
        }
    }
}
