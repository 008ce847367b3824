//! Writing a tree in canonical order without recursion: parsed text and `Value` alike.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::number::{OutOfRange, write_number};
use super::string::{escape_unicode, write_ascii_string, write_string};
use crate::json::{self, JsonError, JsonErrorKind, Kind, Node};

/// How canonical JSON is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `{"a":1,"é":2}`, for body hashes and signatures.
    Compact,
    /// `{"a": 1, "\u00e9": 2}`, for the idempotency key.
    SpacedAscii,
}

impl Dialect {
    fn comma(self) -> &'static str {
        match self {
            Self::Compact => ",",
            Self::SpacedAscii => ", ",
        }
    }

    fn colon(self) -> &'static str {
        match self {
            Self::Compact => ":",
            Self::SpacedAscii => ": ",
        }
    }

    /// Appends what is known to be compact canonical text, with no escape in it.
    fn write_canonical(self, text: &str, out: &mut String) {
        match self {
            Self::Compact => out.push_str(text),
            Self::SpacedAscii => respell(text, out),
        }
    }

    /// Appends a string in this spelling.
    pub(crate) fn write_string(self, text: &str, out: &mut String) {
        match self {
            Self::Compact => write_string(text, out),
            Self::SpacedAscii => write_ascii_string(text, out),
        }
    }
}

/// Appends compact canonical text without escapes in the spaced ASCII spelling.
fn respell(text: &str, out: &mut String) {
    let mut in_string = false;
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let (end, space) = match byte {
            b'"' => {
                in_string = !in_string;
                continue;
            }
            b',' | b':' if !in_string => (at + 1, true),
            ..=0x7e => continue,
            // A character to escape; what continues it stands behind `from` then.
            _ if at < from => continue,
            _ => (at, false),
        };
        out.push_str(text.get(from..end).unwrap_or_default());
        from = end;
        if space {
            out.push(' ');
        } else if let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
            escape_unicode(character, out);
            from = at + character.len_utf8();
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Appends the canonical text of a parsed value.
///
/// # Errors
/// [`JsonErrorKind::NumberRange`] for a float outside `f64`.
pub(crate) fn write_node(
    node: Node<'_>,
    dialect: Dialect,
    out: &mut String,
) -> Result<(), JsonError> {
    write(node, dialect, out)
}

/// Appends the canonical text of a value.
pub(crate) fn write_value(value: &Value, dialect: Dialect, out: &mut String) {
    match write(value, dialect, out) {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// Appends the canonical text of an object.
pub(crate) fn write_map(map: &Map<String, Value>, dialect: Dialect, out: &mut String) {
    let mut members: Vec<(&String, &Value)> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    let mut first = true;
    for (key, value) in members {
        separate(&mut first, dialect, out);
        write_key(key, dialect, out);
        write_value(value, dialect, out);
    }
    out.push('}');
}

/// A value that is a scalar or has children.
trait Tree<'a>: Copy {
    type Elements: Iterator<Item = Self>;
    type Members: Iterator<Item = (Cow<'a, str>, Self)> + Clone;
    type Error;

    fn part(self) -> Part<'a, Self::Elements, Self::Members>;

    /// What happens to a float outside `f64`.
    fn out_of_range(self, number: &str, out: &mut String) -> Result<(), Self::Error>;
}

enum Part<'a, Elements, Members> {
    /// What is known to be compact canonical text, with no escape in it.
    Canonical(&'a str),
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Elements),
    Object(Members),
}

/// A container that is being written: what is still to come.
enum Frame<Elements, Members> {
    Array(Elements),
    /// The members come in canonical order.
    Ordered(Members),
    /// The members lie from here to the end of the shared list, last one first.
    Sorted(usize),
}

fn write<'a, T: Tree<'a>>(root: T, dialect: Dialect, out: &mut String) -> Result<(), T::Error> {
    let mut frames: Vec<Frame<T::Elements, T::Members>> = Vec::new();
    let mut sorted: Vec<(Cow<'a, str>, T)> = Vec::new();
    let mut node = root;
    loop {
        // Write a scalar whole, or open a container.
        let mut first = false;
        match node.part() {
            Part::Canonical(text) => dialect.write_canonical(text, out),
            Part::Number(text) => {
                if let Err(OutOfRange) = write_number(&text, out) {
                    node.out_of_range(&text, out)?;
                }
            }
            Part::String(text) => dialect.write_string(&text, out),
            Part::Array(elements) => {
                out.push('[');
                first = true;
                frames.push(Frame::Array(elements));
            }
            Part::Object(members) => {
                out.push('{');
                first = true;
                frames.push(order(members, &mut sorted));
            }
        }
        // Find the next value, closing what has no more.
        node = loop {
            let (next, close) = match frames.last_mut() {
                None => return Ok(()),
                Some(Frame::Array(elements)) => (elements.next().map(|next| (None, next)), ']'),
                Some(Frame::Ordered(members)) => {
                    (members.next().map(|(key, next)| (Some(key), next)), '}')
                }
                Some(Frame::Sorted(floor)) => {
                    let member = if sorted.len() > *floor {
                        sorted.pop()
                    } else {
                        None
                    };
                    (member.map(|(key, next)| (Some(key), next)), '}')
                }
            };
            if let Some((key, next)) = next {
                separate(&mut first, dialect, out);
                if let Some(key) = key {
                    write_key(&key, dialect, out);
                }
                break next;
            }
            out.push(close);
            first = false;
            frames.pop();
        };
    }
}

/// The frame of an object. Bytes of UTF-8 sort as code points do.
fn order<'a, T, Elements, Members>(
    members: Members,
    sorted: &mut Vec<(Cow<'a, str>, T)>,
) -> Frame<Elements, Members>
where
    Members: Iterator<Item = (Cow<'a, str>, T)> + Clone,
{
    if members.clone().is_sorted_by(|a, b| a.0 <= b.0) {
        return Frame::Ordered(members);
    }
    let floor = sorted.len();
    sorted.extend(members);
    if let Some(own) = sorted.get_mut(floor..) {
        own.sort_unstable_by(|a, b| b.0.cmp(&a.0));
    }
    Frame::Sorted(floor)
}

/// Writes the comma before every value of a container but its first.
fn separate(first: &mut bool, dialect: Dialect, out: &mut String) {
    if !std::mem::take(first) {
        out.push_str(dialect.comma());
    }
}

fn write_key(key: &str, dialect: Dialect, out: &mut String) {
    dialect.write_string(key, out);
    out.push_str(dialect.colon());
}

/// The members of a parsed object with their keys unescaped.
#[derive(Clone)]
struct NodeMembers<'d>(json::Members<'d>);

impl<'d> Iterator for NodeMembers<'d> {
    type Item = (Cow<'d, str>, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.next()?;
        Some((key.as_str().unwrap_or_default(), value))
    }
}

impl<'d> Tree<'d> for Node<'d> {
    type Elements = json::Elements<'d>;
    type Members = NodeMembers<'d>;
    type Error = JsonError;

    fn part(self) -> Part<'d, Self::Elements, Self::Members> {
        match self.kind() {
            _ if self.is_canonical() => Part::Canonical(self.raw()),
            Kind::Null | Kind::Bool => Part::Canonical(self.raw()),
            Kind::Integer | Kind::Float => Part::Number(Cow::Borrowed(self.raw())),
            Kind::String => Part::String(self.as_str().unwrap_or_default()),
            Kind::Array => Part::Array(self.elements()),
            Kind::Object => Part::Object(NodeMembers(self.members())),
        }
    }

    fn out_of_range(self, _: &str, _: &mut String) -> Result<(), JsonError> {
        Err(JsonError::new(
            JsonErrorKind::NumberRange,
            self.range().start,
        ))
    }
}

/// The members of a `Value` object.
#[derive(Clone)]
struct ValueMembers<'v>(serde_json::map::Iter<'v>);

impl<'v> Iterator for ValueMembers<'v> {
    type Item = (Cow<'v, str>, &'v Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.next()?;
        Some((Cow::Borrowed(key.as_str()), value))
    }
}

impl<'v> Tree<'v> for &'v Value {
    type Elements = std::slice::Iter<'v, Value>;
    type Members = ValueMembers<'v>;
    type Error = std::convert::Infallible;

    fn part(self) -> Part<'v, Self::Elements, Self::Members> {
        match self {
            Value::Null => Part::Canonical("null"),
            Value::Bool(true) => Part::Canonical("true"),
            Value::Bool(false) => Part::Canonical("false"),
            // The text is the same whatever serde_json's `arbitrary_precision` makes of numbers.
            Value::Number(number) => Part::Number(Cow::Owned(number.to_string())),
            Value::String(text) => Part::String(Cow::Borrowed(text)),
            Value::Array(elements) => Part::Array(elements.iter()),
            Value::Object(members) => Part::Object(ValueMembers(members.iter())),
        }
    }

    fn out_of_range(self, number: &str, out: &mut String) -> Result<(), Self::Error> {
        out.push_str(if number.starts_with('-') {
            "-Infinity"
        } else {
            "Infinity"
        });
        Ok(())
    }
}
