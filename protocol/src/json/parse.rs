//! The parser: one pass over the bytes, one token per value and key, no recursion.
//!
//! Open containers are linked through their own `next` field, so that depth costs no stack.

use super::error::{JsonError, JsonErrorKind};
use super::members::check_members;
use super::text::check_escape;
use super::{Shape, Token};
use crate::text::{first_special, is_shortest};

/// The longest text for whose tokens room is made at once; a megabyte of one string needs none.
const MOST_AT_ONCE: usize = 64 * 1024;

/// No container is open.
const NONE: u32 = u32::MAX;

pub(super) struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    tokens: Vec<Token>,
    /// The innermost open container.
    open: u32,
    depth: usize,
    levels: usize,
}

/// What may stand at the place the parser has reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ValueOrEnd,
    Key,
    /// After `{`.
    KeyOrEnd,
    /// After a value.
    CommaOrEnd,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, levels: usize) -> Self {
        // Records of short members have a token for every six bytes; most texts have fewer.
        let tokens = Vec::with_capacity(text.len().min(MOST_AT_ONCE) / 6 + 4);
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            tokens,
            open: NONE,
            depth: 0,
            levels,
        }
    }

    pub(super) fn run(mut self) -> Result<Vec<Token>, JsonError> {
        // Every offset and token index then fits 32 bits, and none of them is `NONE`.
        if u32::try_from(self.bytes.len()).map_or(true, |length| length == NONE) {
            return Err(JsonError::new(JsonErrorKind::TooLarge, 0));
        }
        let mut expect = Expect::Value;
        loop {
            let byte = self.skip_blanks();
            expect = match (expect, byte) {
                (Expect::CommaOrEnd, byte) if self.open == NONE => {
                    return match byte {
                        None => Ok(self.tokens),
                        Some(_) => Err(self.error(JsonErrorKind::TrailingData)),
                    };
                }
                (_, None) => return Err(self.error(JsonErrorKind::UnexpectedEnd)),
                (Expect::Value | Expect::ValueOrEnd, Some(b'{')) => self.enter(Shape::Object)?,
                (Expect::Value | Expect::ValueOrEnd, Some(b'[')) => self.enter(Shape::Array)?,
                (Expect::ValueOrEnd | Expect::CommaOrEnd, Some(b']')) => {
                    self.leave(Shape::Array)?
                }
                (Expect::Value | Expect::ValueOrEnd, Some(first)) => {
                    self.scalar(first)?;
                    Expect::CommaOrEnd
                }
                (Expect::Key | Expect::KeyOrEnd, Some(b'"')) => {
                    self.string()?;
                    if self.skip_blanks() != Some(b':') {
                        return Err(self.unexpected());
                    }
                    self.at += 1;
                    Expect::Value
                }
                (Expect::KeyOrEnd | Expect::CommaOrEnd, Some(b'}')) => self.leave(Shape::Object)?,
                (Expect::CommaOrEnd, Some(b',')) => {
                    self.at += 1;
                    match self.open_shape() {
                        Shape::Object => Expect::Key,
                        _ => Expect::Value,
                    }
                }
                (_, Some(_)) => return Err(self.unexpected()),
            };
        }
    }

    /// Opens a container at the `{` or `[` under the cursor.
    fn enter(&mut self, shape: Shape) -> Result<Expect, JsonError> {
        if self.depth >= self.levels {
            return Err(self.error(JsonErrorKind::TooDeep));
        }
        self.depth += 1;
        let outer = self.open;
        self.open = index(self.tokens.len());
        let start = index(self.at);
        self.tokens.push(Token {
            start,
            end: start,
            next: outer,
            shape,
            canonical: true,
        });
        self.at += 1;
        Ok(match shape {
            Shape::Object => Expect::KeyOrEnd,
            _ => Expect::ValueOrEnd,
        })
    }

    /// Closes the innermost container at the `}` or `]` under the cursor.
    fn leave(&mut self, shape: Shape) -> Result<Expect, JsonError> {
        let next = index(self.tokens.len());
        let end = index(self.at + 1);
        let inside = self.open as usize;
        let Some(token) = self
            .tokens
            .get_mut(inside)
            .filter(|token| token.shape == shape)
        else {
            return Err(self.unexpected());
        };
        self.open = token.next;
        token.next = next;
        token.end = end;
        let mut canonical = token.canonical;
        if shape == Shape::Object && !check_members(self.text, &self.tokens, inside + 1)? {
            canonical = false;
            if let Some(token) = self.tokens.get_mut(inside) {
                token.canonical = false;
            }
        }
        if !canonical {
            self.spoil();
        }
        self.depth -= 1;
        self.at += 1;
        Ok(Expect::CommaOrEnd)
    }

    fn scalar(&mut self, first: u8) -> Result<(), JsonError> {
        match first {
            b'"' => self.string(),
            b't' => self.word(b"true", Shape::True),
            b'f' => self.word(b"false", Shape::False),
            b'n' => self.word(b"null", Shape::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &[u8], shape: Shape) -> Result<(), JsonError> {
        for (place, expected) in word.iter().enumerate() {
            if self.bytes.get(self.at + place) != Some(expected) {
                self.at += place;
                return Err(self.unexpected());
            }
        }
        self.push(self.at + word.len(), shape);
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let mut end = self.at + usize::from(self.bytes.get(self.at) == Some(&b'-'));
        let mut shape = Shape::Integer;
        // A leading zero stands alone; what follows it is then no digit, or an error later.
        end = match self.bytes.get(end) {
            Some(b'0') => end + 1,
            _ => self.digits(end)?,
        };
        if self.bytes.get(end) == Some(&b'.') {
            shape = Shape::Float;
            end = self.digits(end + 1)?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(end) {
            shape = Shape::Float;
            let signed = matches!(self.bytes.get(end + 1), Some(b'+' | b'-'));
            end = self.digits(end + 1 + usize::from(signed))?;
        }
        self.push(end, shape);
        Ok(())
    }

    /// The end of one digit or more at `at`.
    fn digits(&mut self, at: usize) -> Result<usize, JsonError> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        match rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len())
        {
            0 => {
                self.at = at;
                Err(self.unexpected())
            }
            count => Ok(at + count),
        }
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let mut shape = Shape::Plain;
        let mut at = self.at + 1;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(run) = first_special(rest) else {
                return Err(JsonError::new(
                    JsonErrorKind::UnexpectedEnd,
                    self.bytes.len(),
                ));
            };
            at += run;
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    shape = Shape::Escaped;
                    at += check_escape(self.bytes, at).map_err(|kind| JsonError::new(kind, at))?;
                }
                _ => return Err(JsonError::new(JsonErrorKind::ControlCharacter, at)),
            }
        }
        self.push(at + 1, shape);
        Ok(())
    }

    /// Adds the token of a scalar or key that ends at `end`, and moves there.
    fn push(&mut self, end: usize, shape: Shape) {
        let next = index(self.tokens.len() + 1);
        let text = || self.text.get(self.at..end).unwrap_or_default();
        let canonical = match shape {
            Shape::Integer => text() != "-0",
            Shape::Float => is_shortest(text()),
            // Maybe it is, but that is not worth a look.
            Shape::Escaped => false,
            _ => true,
        };
        let (start, end_at) = (index(self.at), index(end));
        self.tokens.push(Token {
            start,
            end: end_at,
            next,
            shape,
            canonical,
        });
        if !canonical {
            self.spoil();
        }
        self.at = end;
    }

    /// Notes that the innermost open container is not canonical as it stands.
    fn spoil(&mut self) {
        if let Some(token) = self.tokens.get_mut(self.open as usize) {
            token.canonical = false;
        }
    }

    /// Moves to the next byte that is not blank, and returns it.
    fn skip_blanks(&mut self) -> Option<u8> {
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => {
                    if self.at != start {
                        self.spoil();
                    }
                    return other.copied();
                }
            }
        }
    }

    fn open_shape(&self) -> Shape {
        self.tokens
            .get(self.open as usize)
            .map_or(Shape::Null, |token| token.shape)
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError::new(kind, self.at)
    }

    fn unexpected(&self) -> JsonError {
        self.error(if self.at < self.bytes.len() {
            JsonErrorKind::UnexpectedCharacter
        } else {
            JsonErrorKind::UnexpectedEnd
        })
    }
}

/// An offset or token index; `run` has made sure that it fits.
#[allow(
    clippy::cast_possible_truncation,
    reason = "`run` refuses texts of 4 GiB"
)]
fn index(value: usize) -> u32 {
    value as u32
}
