//! Putting one member into a message, or taking it out, and leaving every other byte as it came.

use sernixa_protocol::json::{Document, Node};

/// The text with the member `name` of the object at `path` set to `value` (JSON), or without it.
/// `None` where there is no such object.
pub(super) fn member(text: &str, path: &[&str], name: &str, value: Option<&str>) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let mut object = document.root();
    for step in path {
        object = object.get(step)?;
    }
    if !object.is_object() {
        return None;
    }
    let members: Vec<_> = object.members().collect();
    let place = members.iter().position(|(key, _)| key.is(name));
    let (range, with) = match (place, value) {
        (None, None) => return Some(text.to_owned()),
        (Some(at), Some(value)) => (members.get(at)?.1.range(), value.to_owned()),
        (Some(at), None) => (span(&members, at)?, String::new()),
        (None, Some(value)) => {
            let after = object.range().start + 1;
            let comma = if members.is_empty() { "" } else { "," };
            let name = serde_json::Value::from(name);
            (after..after, format!("{name}:{value}{comma}"))
        }
    };
    let mut out = String::with_capacity(text.len() + with.len());
    out.push_str(text.get(..range.start)?);
    out.push_str(&with);
    out.push_str(text.get(range.end..)?);
    Some(out)
}

/// A member with the comma that goes with it.
fn span(members: &[(Node<'_>, Node<'_>)], at: usize) -> Option<std::ops::Range<usize>> {
    let (key, value) = members.get(at)?;
    let (start, end) = (key.range().start, value.range().end);
    Some(match (members.get(at + 1), at.checked_sub(1)) {
        (Some((next, _)), _) => start..next.range().start,
        (None, Some(before)) => members.get(before)?.1.range().end..end,
        (None, None) => start..end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_changes_and_nothing_else() {
        let text = r#"{ "a" : {"x": 1e2 , "y":[ ] ,"z":"\u0041"} }"#;
        for (name, value, says) in [
            (
                "y",
                Some("2"),
                r#"{ "a" : {"x": 1e2 , "y":2 ,"z":"\u0041"} }"#,
            ),
            ("x", None, r#"{ "a" : {"y":[ ] ,"z":"\u0041"} }"#),
            ("y", None, r#"{ "a" : {"x": 1e2 , "z":"\u0041"} }"#),
            ("z", None, r#"{ "a" : {"x": 1e2 , "y":[ ]} }"#),
            ("n", None, text),
            (
                "n",
                Some("0"),
                r#"{ "a" : {"n":0,"x": 1e2 , "y":[ ] ,"z":"\u0041"} }"#,
            ),
        ] {
            assert_eq!(member(text, &["a"], name, value).as_deref(), Some(says));
        }
        assert_eq!(
            member(r#"{"a":{}}"#, &["a"], "b", Some("1")).as_deref(),
            Some(r#"{"a":{"b":1}}"#)
        );
        assert_eq!(
            member(r#"{"a":{"b":1}}"#, &["a"], "b", None).as_deref(),
            Some(r#"{"a":{}}"#)
        );
        for path in [["b"], ["x"]] {
            assert_eq!(member(r#"{"x":1}"#, &path, "b", None), None);
        }
    }
}
