//! Fills `{name}` in texts.

use rmcp::model::JsonObject;
use serde_json::Value;

/// One pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
/// A millisecond of silence.
const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

/// The value with each `{path}` in its texts replaced, where `known` has something at that path. What
/// is not known stays as it is.
pub(crate) fn fill(value: &Value, known: &JsonObject) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, known)),
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, known)))
            .collect(),
        other => other.clone(),
    }
}

/// The same for one text. One pass: what is filled in is not looked at again.
pub(crate) fn fill_text(text: &str, known: &JsonObject) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let found = after
            .split_once('}')
            .and_then(|(path, behind)| Some((look(path, known)?, behind)));
        if let Some((word, behind)) = found {
            out.push_str(&word);
            rest = behind;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out + rest
}

fn look(path: &str, known: &JsonObject) -> Option<String> {
    match path {
        "@png" => return Some(PNG.to_owned()),
        "@wav" => return Some(WAV.to_owned()),
        _ => {}
    }
    let mut steps = path.split('.');
    let mut value = known.get(steps.next()?)?;
    for step in steps {
        value = value.get(step)?;
    }
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let known = serde_json::from_str(r#"{"a":"{b}","b":{"c":[1,"x"]},"n":7}"#).unwrap();
        fill_text(text, &known)
    }

    #[test]
    fn what_is_known_is_filled_in_once_and_the_rest_stays() {
        assert_eq!(filled("{a} {b.c} {n}"), r#"{b} [1,"x"] 7"#);
        assert_eq!(filled(r#"{"test":"{n}",{"#), r#"{"test":"7",{"#);
        assert_eq!(filled("{unknown} {b.d} {} }{"), "{unknown} {b.d} {} }{");
    }
}
