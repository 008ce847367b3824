//! `canonical_json.json`: canonical text of values.

use sernixa_protocol::{canonical, canonical_json, canonicalize};

use super::{cases, member, text, value};

#[test]
fn every_canonical_text_is_the_references() {
    let mut values = 0;
    for case in cases(include_str!("../canonical_json.json"), 400) {
        let (node, expected) = (member(case, "value"), text(case, "canonical"));
        assert_eq!(canonicalize(node.raw()).unwrap(), expected);
        if let Some(value) = value(node) {
            values += 1;
            assert_eq!(canonical_json(&value), expected);
            assert_eq!(
                canonical::to_string(&value).unwrap(),
                expected,
                "serialised"
            );
        }
    }
    assert_eq!(values, 353, "cases that fit a Value");
}

#[test]
fn canonical_text_is_its_own_canonical_text() {
    for case in cases(include_str!("../canonical_json.json"), 400) {
        let canonical = text(case, "canonical");
        assert_eq!(canonicalize(&canonical).unwrap(), canonical);
    }
}
