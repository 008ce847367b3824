//! A strict JSON reader: what it accepts means one thing only.
//!
//! [`Document::parse`] takes RFC 8259 JSON with four rules that matter when two sides must agree
//! on what was said: duplicate members are an error (compared after unescaping), lone surrogate
//! escapes are an error, trailing data is an error, and a number keeps its text, so that `1`,
//! `1.0` and integers of any size stay what they were.
//!
//! A document is a flat list of tokens over the borrowed text. Parsing, walking and dropping never
//! recurse, whatever the depth, and take linear time (`n log n` in the members of one object).

mod error;
mod members;
mod node;
mod parse;
mod text;

#[cfg(test)]
mod tests;

pub use error::{JsonError, JsonErrorKind};
pub use node::{Elements, Kind, Members, Node};
pub(crate) use text::unescape;

/// One value or member key of the text.
#[derive(Clone, Copy, Debug)]
struct Token {
    /// Where it begins in the text.
    start: u32,
    /// Where it ends in the text.
    end: u32,
    /// The index of the token after it and all that it contains. While a container is open, the
    /// index of the container around it.
    next: u32,
    shape: Shape,
    /// Whether its text is surely canonical as it stands, with all that it contains.
    canonical: bool,
}

impl Token {
    /// Stands in where a token is missing, which no document has.
    const NOTHING: Self = Self {
        start: 0,
        end: 0,
        next: 0,
        shape: Shape::Null,
        canonical: false,
    };
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Null,
    True,
    False,
    /// Digits with at most a sign.
    Integer,
    /// A number with a fraction or an exponent.
    Float,
    /// A string without escapes: its text is the slice between the quotes.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    Object,
}

/// A parsed text.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

impl<'t> Document<'t> {
    /// Parses one JSON value of any depth.
    ///
    /// # Errors
    /// When the text is not strict JSON as the [module](self) says, or 4 GiB and more.
    pub fn parse(text: &'t str) -> Result<Self, JsonError> {
        Self::parse_within(text, usize::MAX)
    }

    /// Parses one JSON value with at most `levels` containers inside each other: `1` has none,
    /// `[]` one, `[[]]` two.
    ///
    /// # Errors
    /// As [`Document::parse`], and [`JsonErrorKind::TooDeep`].
    pub fn parse_within(text: &'t str, levels: usize) -> Result<Self, JsonError> {
        let tokens = parse::Parser::new(text, levels).run()?;
        Ok(Self { text, tokens })
    }

    /// The value that the text holds.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// Every object in it, at any depth, in the order in which they begin.
    pub fn objects(&self) -> impl Iterator<Item = Node<'_>> {
        (0..)
            .zip(&self.tokens)
            .filter(|(_, token)| token.shape == Shape::Object)
            .map(|(index, _)| Node::new(self, index))
    }
}
