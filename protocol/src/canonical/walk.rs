//! Writing a tree in canonical order without recursion: parsed text and `Value` alike.

use std::borrow::Cow;

use serde_json::Value;

use super::number::{OutOfRange, write_number};
use super::string::{write_ascii_string, write_string};
use crate::json::{self, JsonError, JsonErrorKind, Kind, Node};

/// How canonical JSON is spelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    comma: &'static str,
    colon: &'static str,
    string: fn(&str, &mut String),
}

impl Dialect {
    /// For body hashes and signatures.
    pub(crate) const COMPACT: Self = Self {
        comma: ",",
        colon: ":",
        string: write_string,
    };
    /// For the idempotency key.
    pub(crate) const SPACED: Self = Self {
        comma: ", ",
        colon: ": ",
        string: write_ascii_string,
    };

    /// Appends a string in this spelling.
    pub(crate) fn write_string(self, text: &str, out: &mut String) {
        (self.string)(text, out);
    }
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
pub(crate) fn write_map(map: &serde_json::Map<String, Value>, dialect: Dialect, out: &mut String) {
    let mut members: Vec<(&String, &Value)> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    let mut first = true;
    for (key, value) in members {
        separate(&mut first, dialect, out);
        dialect.write_string(key, out);
        out.push_str(dialect.colon);
        write_value(value, dialect, out);
    }
    out.push('}');
}

/// A value that is a scalar or has children.
trait Tree<'a>: Copy {
    type Elements: Iterator<Item = Self>;
    type Members: Iterator<Item = (Cow<'a, str>, Self)>;
    type Error;

    fn part(self) -> Part<'a, Self::Elements, Self::Members>;

    /// What happens to a float outside `f64`.
    fn out_of_range(self, number: &str, out: &mut String) -> Result<(), Self::Error>;
}

enum Part<'a, Elements, Members> {
    Null,
    Bool(bool),
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Elements),
    Object(Members),
}

/// A container that is being written.
enum Frame<Elements> {
    Array {
        rest: Elements,
    },
    /// The members yet to come lie from here to the end of the shared list, last one first.
    Object {
        floor: usize,
    },
}

fn write<'a, T: Tree<'a>>(root: T, dialect: Dialect, out: &mut String) -> Result<(), T::Error> {
    let mut frames: Vec<Frame<T::Elements>> = Vec::new();
    let mut members: Vec<(Cow<'a, str>, T)> = Vec::new();
    let mut node = root;
    loop {
        // Write a scalar whole, or open a container.
        let mut first = false;
        match node.part() {
            Part::Null => out.push_str("null"),
            Part::Bool(true) => out.push_str("true"),
            Part::Bool(false) => out.push_str("false"),
            Part::Number(text) => {
                if let Err(OutOfRange) = write_number(&text, out) {
                    node.out_of_range(&text, out)?;
                }
            }
            Part::String(text) => dialect.write_string(&text, out),
            Part::Array(rest) => {
                out.push('[');
                frames.push(Frame::Array { rest });
                first = true;
            }
            Part::Object(list) => {
                out.push('{');
                let floor = members.len();
                members.extend(list);
                // Bytes of UTF-8 sort as code points do. Taken from the end, hence reversed.
                if let Some(own) = members.get_mut(floor..) {
                    own.sort_unstable_by(|a, b| b.0.cmp(&a.0));
                }
                frames.push(Frame::Object { floor });
                first = true;
            }
        }
        // Find the next value, closing what has no more.
        node = loop {
            match frames.last_mut() {
                None => return Ok(()),
                Some(Frame::Array { rest }) => {
                    if let Some(next) = rest.next() {
                        separate(&mut first, dialect, out);
                        break next;
                    }
                    out.push(']');
                }
                Some(Frame::Object { floor }) => {
                    if let Some((key, next)) = if members.len() > *floor {
                        members.pop()
                    } else {
                        None
                    } {
                        separate(&mut first, dialect, out);
                        dialect.write_string(&key, out);
                        out.push_str(dialect.colon);
                        break next;
                    }
                    out.push('}');
                }
            }
            first = false;
            frames.pop();
        };
    }
}

/// Writes the comma before every value of a container but its first.
fn separate(first: &mut bool, dialect: Dialect, out: &mut String) {
    if !std::mem::take(first) {
        out.push_str(dialect.comma);
    }
}

/// The members of a parsed object with their keys unescaped.
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
            Kind::Null => Part::Null,
            Kind::Bool => Part::Bool(self.as_bool() == Some(true)),
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
            Value::Null => Part::Null,
            Value::Bool(flag) => Part::Bool(*flag),
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
