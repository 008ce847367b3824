//! `idempotency.json`: the idempotency key of a call.

use serde_json::Value;
use sernixa_protocol::{idempotency_key, idempotency_key_json};

use super::{cases, member, object, text, value};

#[test]
fn every_idempotency_key_is_the_references() {
    let mut values = 0;
    for case in cases(include_str!("../idempotency.json"), 150) {
        let (intent, function) = (text(case, "intent_id"), text(case, "fn"));
        let (args, kwargs) = (member(case, "args"), member(case, "kwargs"));
        let expected = text(case, "key");
        let key = idempotency_key_json(&intent, &function, args.raw(), kwargs.raw());
        assert_eq!(key.unwrap(), expected);
        if let (Some(Value::Array(args)), Some(kwargs)) = (value(args), object(kwargs)) {
            values += 1;
            assert_eq!(
                idempotency_key(&intent, &function, &args, &kwargs),
                expected
            );
        }
    }
    assert_eq!(values, 125, "cases that fit a Value");
}
