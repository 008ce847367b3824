//! The metadata text as it is written, and its canonical form without reading it again.

use std::ops::Range;

use crate::canonical::{Dialect, write_node, write_string};
use crate::json::{JsonError, Node};

/// The text of an object that is being written: from `{` to its last member so far. All its own
/// members are canonical, and their names ([`CORE_KEYS`](crate::rules::CORE_KEYS)) need no escapes.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    text: String,
    own: Vec<(&'static str, Range<usize>)>,
}

impl Members {
    /// A copy with room for `more` bytes.
    pub(super) fn with_room(&self, more: usize) -> Self {
        let mut text = String::with_capacity(self.text.len() + more);
        text.push_str(&self.text);
        let mut own = Vec::with_capacity(self.own.len() + 12);
        own.extend_from_slice(&self.own);
        Self { text, own }
    }

    /// Adds a member of ours, whose value `write` writes in canonical form.
    pub(super) fn own(&mut self, name: &'static str, write: impl FnOnce(&mut String)) {
        self.separate();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
        let start = self.text.len();
        write(&mut self.text);
        self.own.push((name, start..self.text.len()));
    }

    /// Adds a string.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.own(name, |out| write_string(text, out));
    }

    /// Adds what is canonical JSON already.
    pub(super) fn json(&mut self, name: &'static str, json: &str) {
        self.own(name, |out| out.push_str(json));
    }

    /// Adds an array of strings.
    pub(super) fn texts(&mut self, name: &'static str, texts: &[&str]) {
        self.own(name, |out| {
            out.push('[');
            for (place, text) in texts.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_string(text, out);
            }
            out.push(']');
        });
    }

    /// Adds what is JSON already, and maybe not canonical; the canonical form is given later.
    pub(super) fn raw(&mut self, quoted_name: &str, json: &str) {
        self.separate();
        self.text.push_str(quoted_name);
        self.text.push(':');
        self.text.push_str(json);
    }

    /// Its length so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends the canonical form of the finished object: its own members, and those that were
    /// added raw as they were parsed.
    pub(super) fn write_canonical<'d>(
        &self,
        raw: impl Iterator<Item = (Node<'d>, Node<'d>)>,
        args: Option<Node<'d>>,
        out: &mut String,
    ) -> Result<(), JsonError> {
        enum Value<'a> {
            Canonical(&'a str),
            Parsed(Node<'a>),
        }
        let own = self.own.iter().map(|(name, range)| {
            let text = self.text.get(range.clone()).unwrap_or_default();
            ((*name).into(), Value::Canonical(text))
        });
        let raw = raw.map(|(key, value)| (key.as_str().unwrap_or_default(), Value::Parsed(value)));
        let args = args.map(|args| ("args".into(), Value::Parsed(args)));
        let mut members: Vec<(std::borrow::Cow<'_, str>, Value<'_>)> =
            own.chain(raw).chain(args).collect();
        members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (place, (name, value)) in members.iter().enumerate() {
            out.push(if place == 0 { '{' } else { ',' });
            write_string(name, out);
            out.push(':');
            match value {
                Value::Canonical(text) => out.push_str(text),
                Value::Parsed(node) => write_node(*node, Dialect::Compact, out)?,
            }
        }
        out.push('}');
        Ok(())
    }

    /// The finished text.
    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn separate(&mut self) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
    }
}
