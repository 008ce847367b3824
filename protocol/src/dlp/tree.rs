//! What the walk reads and writes: parsed text with a list of edits, or a map and its copy.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::canonical::write_string;
use crate::json::{Elements, Kind, Members, Node};

/// A value that can be walked.
pub(super) trait Tree<'t>: Copy {
    type Key: Copy;
    type Elements: Iterator<Item = Self>;
    type Members: Iterator<Item = (Self::Key, Self)> + Clone;

    fn part(self) -> Part<'t, Self>;

    fn key(key: Self::Key) -> Cow<'t, str>;
}

/// What a value is to the walk.
pub(super) enum Part<'t, T: Tree<'t>> {
    String(Cow<'t, str>),
    Number,
    Array(T::Elements),
    Object(T::Members),
    /// `null`, `true`, `false`.
    Other,
}

/// Where what the walk decides goes. It hears of everything in order: containers are opened and
/// closed, each member's key comes before its value.
pub(super) trait Target<'t, T: Tree<'t>> {
    fn key(&mut self, key: T::Key, replacement: Option<String>);
    /// A scalar, or a value of any kind that is left alone.
    fn value(&mut self, value: T, replacement: Option<String>);
    fn open(&mut self, value: T);
    fn close(&mut self);
}

impl<'t> Tree<'t> for Node<'t> {
    type Key = Self;
    type Elements = Elements<'t>;
    type Members = Members<'t>;

    fn part(self) -> Part<'t, Self> {
        match self.kind() {
            Kind::String => Part::String(self.as_str().unwrap_or_default()),
            Kind::Integer | Kind::Float => Part::Number,
            Kind::Array => Part::Array(self.elements()),
            Kind::Object => Part::Object(self.members()),
            Kind::Null | Kind::Bool => Part::Other,
        }
    }

    fn key(key: Self) -> Cow<'t, str> {
        key.as_str().unwrap_or_default()
    }
}

/// A string that takes the place of a key or value of the text.
#[derive(Debug)]
pub(super) struct Edit {
    range: Range<usize>,
    string: String,
}

impl<'t> Target<'t, Node<'t>> for Vec<Edit> {
    fn key(&mut self, key: Node<'t>, replacement: Option<String>) {
        self.value(key, replacement);
    }

    fn value(&mut self, value: Node<'t>, replacement: Option<String>) {
        self.extend(replacement.map(|string| Edit {
            range: value.range(),
            string,
        }));
    }

    fn open(&mut self, _: Node<'t>) {}

    fn close(&mut self) {}
}

/// `text`, which begins at `start` of the document, after `edits`.
pub(super) fn edited(text: &str, start: usize, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for Edit { range, string } in edits {
        out.push_str(text.get(from..range.start - start).unwrap_or_default());
        write_string(string, &mut out);
        from = range.end - start;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// A value of a map, or the map itself.
#[derive(Clone, Copy)]
pub(super) enum Branch<'v> {
    Map(&'v Map<String, Value>),
    Value(&'v Value),
}

#[derive(Clone)]
pub(super) struct BranchMembers<'v>(serde_json::map::Iter<'v>);

impl<'v> Iterator for BranchMembers<'v> {
    type Item = (&'v str, Branch<'v>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0
            .next()
            .map(|(key, value)| (key.as_str(), Branch::Value(value)))
    }
}

impl<'v> Tree<'v> for Branch<'v> {
    type Key = &'v str;
    type Elements = std::iter::Map<std::slice::Iter<'v, Value>, fn(&'v Value) -> Self>;
    type Members = BranchMembers<'v>;

    fn part(self) -> Part<'v, Self> {
        match self {
            Self::Map(members) | Self::Value(Value::Object(members)) => {
                Part::Object(BranchMembers(members.iter()))
            }
            Self::Value(Value::String(text)) => Part::String(Cow::Borrowed(text)),
            Self::Value(Value::Number(_)) => Part::Number,
            Self::Value(Value::Array(elements)) => {
                Part::Array(elements.iter().map(Branch::Value as fn(_) -> _))
            }
            Self::Value(Value::Null | Value::Bool(_)) => Part::Other,
        }
    }

    fn key(key: &'v str) -> Cow<'v, str> {
        Cow::Borrowed(key)
    }
}

/// Builds the copy of a map.
#[derive(Default)]
pub(super) struct Builder {
    /// The containers that are open, each with the key that it will have in the one around it.
    open: Vec<(Value, String)>,
    /// The key of the next value.
    key: String,
    root: Map<String, Value>,
}

impl Builder {
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.root
    }

    fn put(&mut self, value: Value, key: String) {
        match (self.open.last_mut(), value) {
            (Some((Value::Array(elements), _)), value) => elements.push(value),
            (Some((Value::Object(members), _)), value) => {
                members.insert(key, value);
            }
            (_, Value::Object(members)) => self.root = members,
            // The root is a map, and what is open is a container.
            (_, _) => {}
        }
    }
}

impl<'v> Target<'v, Branch<'v>> for Builder {
    fn key(&mut self, key: &'v str, replacement: Option<String>) {
        self.key = replacement.unwrap_or_else(|| key.to_owned());
    }

    fn value(&mut self, value: Branch<'v>, replacement: Option<String>) {
        let key = std::mem::take(&mut self.key);
        let copy = match (replacement, value) {
            (Some(string), _) => Value::String(string),
            (None, Branch::Value(value)) => value.clone(),
            (None, Branch::Map(members)) => Value::Object(members.clone()),
        };
        self.put(copy, key);
    }

    fn open(&mut self, value: Branch<'v>) {
        let empty = match value {
            Branch::Value(Value::Array(elements)) => {
                Value::Array(Vec::with_capacity(elements.len()))
            }
            _ => Value::Object(Map::new()),
        };
        self.open.push((empty, std::mem::take(&mut self.key)));
    }

    fn close(&mut self) {
        if let Some((value, key)) = self.open.pop() {
            self.put(value, key);
        }
    }
}
