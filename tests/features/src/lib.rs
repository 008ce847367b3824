//! Runs the vectors of `sernixa-protocol` with `serde_json`'s `preserve_order` and
//! `arbitrary_precision` on: a user's build may have them, and no hash may change by it.

#![cfg(test)]

#[path = "../../../protocol/tests/vectors/suite/mod.rs"]
mod suite;

#[test]
fn the_features_are_really_on() {
    let value: serde_json::Value = serde_json::from_str(r#"{"b":1e400,"a":1}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"b":1e+400,"a":1}"#);
}
