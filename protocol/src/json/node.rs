//! Reading a parsed document: a [`Node`] is one of its values.

use std::borrow::Cow;

use super::error::{JsonError, JsonErrorKind};
use super::{Document, Shape, Token, unescape};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number without fraction and exponent.
    Integer,
    /// A number with a fraction or an exponent.
    Float,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value of a document. Cheap to copy; lives as long as the document.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    document: &'d Document<'d>,
    index: u32,
    token: Token,
}

impl<'d> Node<'d> {
    /// The value at `index`. A document holds no index without a token; `null` stands in.
    pub(super) fn new(document: &'d Document<'d>, index: u32) -> Self {
        let token = document
            .tokens
            .get(index as usize)
            .copied()
            .unwrap_or(Token::NOTHING);
        Self {
            document,
            index,
            token,
        }
    }

    /// What the value is.
    pub fn kind(&self) -> Kind {
        match self.token.shape {
            Shape::Null => Kind::Null,
            Shape::True | Shape::False => Kind::Bool,
            Shape::Integer => Kind::Integer,
            Shape::Float => Kind::Float,
            Shape::Plain | Shape::Escaped => Kind::String,
            Shape::Array => Kind::Array,
            Shape::Object => Kind::Object,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.token.shape == Shape::Null
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.token.shape == Shape::Object
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.token.shape {
            Shape::True => Some(true),
            Shape::False => Some(false),
            _ => None,
        }
    }

    /// The string with its escapes undone, if it is one.
    pub fn as_str(&self) -> Option<Cow<'d, str>> {
        match self.token.shape {
            Shape::Plain => Some(Cow::Borrowed(self.inner())),
            Shape::Escaped => Some(Cow::Owned(unescape(self.inner()))),
            _ => None,
        }
    }

    /// The integer, if it is written as one and fits; `1.0` and `1e2` do not count.
    pub fn as_u64(&self) -> Option<u64> {
        match self.number_text()? {
            "-0" => Some(0),
            digits => digits.parse().ok(),
        }
    }

    /// The integer, if it is written as one and fits; `1.0` and `1e2` do not count.
    pub fn as_i64(&self) -> Option<i64> {
        self.number_text()?.parse().ok()
    }

    /// The text of the number, if it is one.
    pub fn number_text(&self) -> Option<&'d str> {
        matches!(self.token.shape, Shape::Integer | Shape::Float).then(|| self.raw())
    }

    /// The value's own slice of the text, quotes and brackets included.
    pub fn raw(&self) -> &'d str {
        self.document
            .text
            .get(self.token.start as usize..self.token.end as usize)
            .unwrap_or_default()
    }

    /// The bytes of the text that it takes.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.token.start as usize..self.token.end as usize
    }

    /// The value of the member `name`, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<Node<'d>> {
        self.members()
            .find(|(key, _)| key.is(name))
            .map(|(_, value)| value)
    }

    /// The values of the members `names`, found in one pass.
    pub(crate) fn pick<const N: usize>(&self, names: [&str; N]) -> [Option<Node<'d>>; N] {
        let mut found = [None; N];
        for (key, value) in self.members() {
            let Some(key) = key.as_str() else { continue };
            for (slot, name) in found.iter_mut().zip(names) {
                if key == name {
                    *slot = Some(value);
                }
            }
        }
        found
    }

    /// The members of an object, in the order of the text: key (always a string) and value. Empty
    /// for anything else.
    pub fn members(&self) -> Members<'d> {
        Members(self.children(Shape::Object))
    }

    /// The elements of an array. Empty for anything else.
    pub fn elements(&self) -> Elements<'d> {
        self.children(Shape::Array)
    }

    /// Whether it is a string that says `text`; allocates for a string with escapes only.
    pub fn is(&self, text: &str) -> bool {
        match self.token.shape {
            Shape::Plain => self.inner() == text,
            Shape::Escaped => unescape(self.inner()) == text,
            _ => false,
        }
    }

    /// Whether its raw text is surely canonical JSON.
    pub(crate) fn is_canonical(&self) -> bool {
        self.token.canonical
    }

    /// How many levels of containers it holds, itself included: 0 for `1`, 2 for `[[]]`.
    pub fn depth(&self) -> usize {
        let last = self.token.next as usize;
        let mut open_until: Vec<usize> = Vec::new();
        let mut deepest = 0;
        for (at, token) in self
            .document
            .tokens
            .iter()
            .enumerate()
            .take(last)
            .skip(self.index as usize)
        {
            while open_until.last().is_some_and(|&end| end <= at) {
                open_until.pop();
            }
            if matches!(token.shape, Shape::Array | Shape::Object) {
                open_until.push(token.next as usize);
                deepest = deepest.max(open_until.len());
            }
        }
        deepest
    }

    /// The same value for code that works on `serde_json`.
    ///
    /// # Errors
    /// [`JsonErrorKind::TooDeep`] past 128 levels (dropping a `Value` recurses), and
    /// [`JsonErrorKind::NumberRange`] for an integer outside `i64` and `u64` or a float outside
    /// `f64`, which a `Value` cannot hold as they are.
    pub fn to_value(&self) -> Result<serde_json::Value, JsonError> {
        let too_deep = || JsonError::new(JsonErrorKind::TooDeep, self.token.start as usize);
        if self.depth() > 128 {
            Err(too_deep())
        } else {
            self.to_shallow_value()
        }
    }

    /// As [`Self::to_value`], for a node known to have at most 128 levels.
    fn to_shallow_value(self) -> Result<serde_json::Value, JsonError> {
        use serde_json::Value;
        Ok(match self.token.shape {
            Shape::Null => Value::Null,
            Shape::True => Value::Bool(true),
            Shape::False => Value::Bool(false),
            Shape::Integer | Shape::Float => Value::Number(self.to_number()?),
            Shape::Plain | Shape::Escaped => {
                Value::String(self.as_str().unwrap_or_default().into_owned())
            }
            Shape::Array => {
                let elements: Result<_, _> = self.elements().map(Node::to_shallow_value).collect();
                Value::Array(elements?)
            }
            Shape::Object => {
                let members: Result<_, JsonError> = self
                    .members()
                    .map(|(key, value)| {
                        let key = key.as_str().unwrap_or_default().into_owned();
                        Ok((key, value.to_shallow_value()?))
                    })
                    .collect();
                Value::Object(members?)
            }
        })
    }

    fn to_number(self) -> Result<serde_json::Number, JsonError> {
        let number = match self.token.shape {
            Shape::Integer => self
                .as_u64()
                .map(serde_json::Number::from)
                .or_else(|| self.as_i64().map(serde_json::Number::from)),
            _ => self
                .raw()
                .parse()
                .ok()
                .and_then(serde_json::Number::from_f64),
        };
        number.ok_or(JsonError::new(
            JsonErrorKind::NumberRange,
            self.token.start as usize,
        ))
    }

    /// The text between the quotes.
    fn inner(&self) -> &'d str {
        let (start, end) = (self.token.start as usize + 1, self.token.end as usize);
        self.document
            .text
            .get(start..end.saturating_sub(1))
            .unwrap_or_default()
    }

    fn children(&self, shape: Shape) -> Elements<'d> {
        let end = if self.token.shape == shape {
            self.token.next
        } else {
            0
        };
        Elements {
            document: self.document,
            at: self.index + 1,
            end,
        }
    }
}

/// The iterator of [`Node::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Elements<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node::new(self.document, self.at);
        self.at = node.token.next;
        Some(node)
    }
}

/// The iterator of [`Node::members`].
#[derive(Clone, Debug)]
pub struct Members<'d>(Elements<'d>);

impl<'d> Iterator for Members<'d> {
    type Item = (Node<'d>, Node<'d>);

    fn next(&mut self) -> Option<(Node<'d>, Node<'d>)> {
        Some((self.0.next()?, self.0.next()?))
    }
}
