//! Writing JSON: the texts of answers, records and audit events.
//!
//! Members stand in the order they are written. There are no floats and no spaces, so a text has
//! one form only.

use std::fmt::Write as _;

use crate::approval::ApprovalId;
use crate::digest::{Digest, push_hex};
use crate::moment::{Timestamp, push_digits};
use crate::policy::Because;

/// A JSON object being written.
pub(crate) struct Object {
    text: String,
}

impl Object {
    /// An empty object with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self { text }
    }

    pub(crate) fn new() -> Self {
        Self::with_capacity(256)
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        // Names are literals of this crate: nothing in them needs an escape.
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    /// A string.
    pub(crate) fn string(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_string(value, &mut self.text);
        self
    }

    /// A string, or `null`.
    pub(crate) fn optional(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            return self.string(name, value);
        }
        self.name(name);
        self.text.push_str("null");
        self
    }

    /// A string, or no member at all.
    pub(crate) fn present(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(name, value),
            None => self,
        }
    }

    /// An approval's name.
    pub(crate) fn id(mut self, name: &str, id: ApprovalId) -> Self {
        self.name(name);
        self.text.push('"');
        id.push(&mut self.text);
        self.text.push('"');
        self
    }

    /// A time.
    pub(crate) fn time(mut self, name: &str, time: Timestamp) -> Self {
        self.name(name);
        self.text.push('"');
        time.push(&mut self.text);
        self.text.push('"');
        self
    }

    /// A time, or `null`.
    pub(crate) fn optional_time(self, name: &str, time: Option<Timestamp>) -> Self {
        match time {
            Some(time) => self.time(name, time),
            None => self.optional(name, None),
        }
    }

    /// A digest as hex.
    pub(crate) fn digest(mut self, name: &str, value: &Digest) -> Self {
        self.name(name);
        self.text.push('"');
        push_hex(&value.0, &mut self.text);
        self.text.push('"');
        self
    }

    /// A count.
    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        push_digits(value, 1, &mut self.text);
        self
    }

    /// `true` or `false`.
    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
        self
    }

    /// A value that is JSON already.
    pub(crate) fn json(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push_str(value);
        self
    }

    /// A value that is JSON already, under a name that is no literal of ours.
    pub(crate) fn json_under(mut self, name: &str, value: &str) -> Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_string(name, &mut self.text);
        self.text.push(':');
        self.text.push_str(value);
        self
    }

    /// An array of strings.
    pub(crate) fn strings<'a>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.name(name);
        self.text.push('[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            push_string(value, &mut self.text);
        }
        self.text.push(']');
        self
    }

    /// The text as far as it is written, without its end.
    pub(crate) fn so_far(&self) -> &str {
        &self.text
    }

    /// The policies that an answer rests on, where it rests on any.
    pub(crate) fn because(self, because: Option<&Because>) -> Self {
        let Some(Because {
            policies, failed, ..
        }) = because
        else {
            return self;
        };
        let object = self.strings("policies", policies.iter().map(AsRef::as_ref));
        if failed.is_empty() {
            object
        } else {
            object.strings("failed_policies", failed.iter().map(AsRef::as_ref))
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Appends `value` as a JSON string: only `"`, `\` and controls are escaped.
pub(crate) fn push_string(value: &str, out: &mut String) {
    out.push('"');
    let mut rest = value;
    while let Some(at) = rest
        .bytes()
        .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// A JSON array of texts that are JSON already.
pub(crate) fn array(items: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("[");
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_back_from_a_json_reader() {
        let hostile: String = (0..=0x2100)
            .filter_map(char::from_u32)
            .chain(['\u{1F600}'])
            .collect();
        let text = Object::new()
            .string("a", &hostile)
            .optional("b", None)
            .number("c", u64::MAX)
            .strings("d", ["x\"", "\\"])
            .flag("e", true)
            .present("f", None)
            .finish();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"], hostile);
        assert_eq!(read["b"], serde_json::Value::Null);
        assert_eq!(read["c"], u64::MAX);
        assert_eq!(read["d"][0], "x\"");
        assert_eq!(read["e"], true);
        assert!(read.get("f").is_none());
    }
}
