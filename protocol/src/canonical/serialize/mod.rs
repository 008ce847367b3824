//! Canonical JSON of anything that serialises: arguments, captured values, metadata.
//!
//! The bytes are those of [`canonical_json`](super::canonical_json): members of maps and structs
//! sorted, floats as Python writes them. What has no such text is an error, never a guess: NaN and
//! infinities, a map with a key twice or with a key that is no text, more than
//! [`LEVELS`] levels, more bytes than the caller's budget. An error of a part is one of the whole,
//! even if the `Serialize` that met it goes on.

mod compound;
mod error;
mod key;
#[cfg(test)]
mod tests;

use std::fmt::{Display, Write as _};

use serde_core::Serialize;
use serde_core::ser::Serializer;

use super::number::{write_f64, write_float};
use super::string::write_string;
use compound::{Array, Object, Record, Wrapped};
pub use error::CanonicalError;

/// The deepest nesting that is written.
const LEVELS: usize = 128;

/// How often a value may hold another one that adds no level: `Some(…)`, newtypes.
const WRAPPERS: usize = 1024;

/// Bytes that are gathered before they go to a sink.
const CHUNK: usize = 4096;

/// The canonical text of `value`.
///
/// # Errors
/// When `value` has no canonical text; see [`CanonicalError`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    let mut out = String::new();
    append(value, usize::MAX, &mut out)?;
    Ok(out)
}

/// Appends the canonical text of `value`, at most `budget` bytes of it. After an error `out` is
/// what it was.
///
/// # Errors
/// As [`to_string`], and [`CanonicalError::TooLarge`] past the budget.
pub fn append<T: Serialize + ?Sized>(
    value: &T,
    budget: usize,
    out: &mut String,
) -> Result<(), CanonicalError> {
    write(value, Output::new(String::new(), budget, None), out)
}

/// As [`append`], for what has to differ wherever the value does: `Some(None)`, `Some(())` and
/// whatever else is `Some` of a null is [`CanonicalError::Ambiguous`], because `None` reads the
/// same.
///
/// # Errors
/// As [`append`].
pub fn append_distinct<T: Serialize + ?Sized>(
    value: &T,
    budget: usize,
    out: &mut String,
) -> Result<(), CanonicalError> {
    let mut output = Output::new(String::new(), budget, None);
    output.distinct = true;
    write(value, output, out)
}

/// Appends to `out`, and takes it back after an error.
fn write<T: Serialize + ?Sized>(
    value: &T,
    mut output: Output<'_>,
    out: &mut String,
) -> Result<(), CanonicalError> {
    let kept = out.len();
    output.limit = output.limit.saturating_add(kept);
    output.text = std::mem::take(out);
    let written = value
        .serialize(&mut output)
        .and_then(|()| output.unbroken());
    *out = output.text;
    if written.is_err() {
        out.truncate(kept);
    }
    written
}

/// Streams the canonical text of `value`, at most `budget` bytes of it, into `sink`, and returns
/// how many bytes that were. Only one object at a time is held in memory.
///
/// # Errors
/// As [`append`]. The sink may then have seen a part.
pub fn to_writer<T: Serialize + ?Sized>(
    value: &T,
    budget: usize,
    mut sink: impl FnMut(&[u8]),
) -> Result<usize, CanonicalError> {
    let mut output = Output::new(String::with_capacity(CHUNK), budget, Some(&mut sink));
    value.serialize(&mut output)?;
    output.unbroken()?;
    output.drain();
    Ok(output.flushed)
}

/// What takes the text in pieces.
type Sink<'s> = &'s mut dyn FnMut(&[u8]);

/// Where the text goes while it is made.
struct Output<'s> {
    text: String,
    /// The length at which `text`, with what was flushed, is too much.
    limit: usize,
    /// Bytes already given to the sink.
    flushed: usize,
    /// Containers open.
    depth: usize,
    /// Wrappers open.
    wrappers: usize,
    /// Objects open: their members may still change places, so nothing is flushed.
    objects: usize,
    /// Whether `Some` of a null is refused.
    distinct: bool,
    /// The first error of a part. A `Serialize` may swallow it and go on, but the text misses that
    /// part, so the whole fails.
    broken: Option<CanonicalError>,
    sink: Option<Sink<'s>>,
}

impl<'s> Output<'s> {
    fn new(text: String, budget: usize, sink: Option<Sink<'s>>) -> Self {
        let limit = text.len().saturating_add(budget);
        Self {
            text,
            limit,
            flushed: 0,
            depth: 0,
            wrappers: 0,
            objects: 0,
            distinct: false,
            broken: None,
            sink,
        }
    }

    /// Whether every part so far was written whole.
    fn unbroken(&self) -> Result<(), CanonicalError> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Passes on how writing a part ended, and remembers if it failed.
    fn part(&mut self, written: Result<(), CanonicalError>) -> Result<(), CanonicalError> {
        if let Err(error) = &written {
            self.broken.get_or_insert_with(|| error.clone());
        }
        written
    }

    /// Appends at most as much as fits.
    fn put(&mut self, piece: &str) -> Result<(), CanonicalError> {
        self.reserve(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), CanonicalError> {
        // The quotes and the text at least; escapes can only make it longer.
        self.reserve(text.len().saturating_add(2))?;
        write_string(text, &mut self.text);
        self.reserve(0)
    }

    /// Appends an integer.
    fn display(&mut self, value: impl Display) -> Result<(), CanonicalError> {
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{value}");
        self.reserve(0)
    }

    /// Whether `more` bytes are still within the limit.
    fn reserve(&self, more: usize) -> Result<(), CanonicalError> {
        let used = self.flushed + self.text.len();
        if more > self.limit.saturating_sub(used) || used > self.limit {
            return Err(CanonicalError::TooLarge);
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), CanonicalError> {
        if self.depth >= LEVELS {
            return Err(CanonicalError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    /// Writes what adds no level, but costs stack all the same.
    fn wrapped<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        if self.wrappers >= WRAPPERS {
            return Err(CanonicalError::TooDeep);
        }
        self.wrappers += 1;
        value.serialize(&mut *self)?;
        self.wrappers -= 1;
        Ok(())
    }

    /// Gives the sink what will not change any more, once it is worth it.
    fn flush(&mut self) {
        if self.objects == 0 && self.text.len() >= CHUNK {
            self.drain();
        }
    }

    fn drain(&mut self) {
        if let Some(sink) = &mut self.sink {
            sink(self.text.as_bytes());
            self.flushed += self.text.len();
            self.text.clear();
        }
    }
}

impl<'a, 's> Serializer for &'a mut Output<'s> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Array<'a, 's>;
    type SerializeTuple = Array<'a, 's>;
    type SerializeTupleStruct = Array<'a, 's>;
    type SerializeTupleVariant = Wrapped<Array<'a, 's>>;
    type SerializeMap = Object<'a, 's>;
    type SerializeStruct = Record<'a, 's>;
    type SerializeStructVariant = Wrapped<Object<'a, 's>>;

    fn serialize_bool(self, value: bool) -> Result<(), CanonicalError> {
        self.put(if value { "true" } else { "false" })
    }

    fn serialize_i8(self, value: i8) -> Result<(), CanonicalError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), CanonicalError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), CanonicalError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), CanonicalError> {
        self.display(value)
    }

    fn serialize_i128(self, value: i128) -> Result<(), CanonicalError> {
        self.display(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), CanonicalError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), CanonicalError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), CanonicalError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), CanonicalError> {
        self.display(value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), CanonicalError> {
        self.display(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), CanonicalError> {
        if !value.is_finite() {
            return Err(CanonicalError::NotFinite);
        }
        write_float(value, &mut self.text);
        self.reserve(0)
    }

    fn serialize_f64(self, value: f64) -> Result<(), CanonicalError> {
        if !value.is_finite() {
            return Err(CanonicalError::NotFinite);
        }
        write_f64(value, &mut self.text);
        self.reserve(0)
    }

    fn serialize_char(self, value: char) -> Result<(), CanonicalError> {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CanonicalError> {
        self.string(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CanonicalError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), CanonicalError> {
        self.put("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        let start = self.text.len();
        self.wrapped(value)?;
        if self.distinct && self.text.get(start..) == Some("null") {
            return Err(CanonicalError::Ambiguous);
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), CanonicalError> {
        self.put("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CanonicalError> {
        self.put("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), CanonicalError> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.wrapped(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close_variant()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'a, 's>, CanonicalError> {
        Array::open(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'a, 's>, CanonicalError> {
        Array::open(self)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Array<'a, 's>, CanonicalError> {
        Array::open(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Wrapped<Array<'a, 's>>, CanonicalError> {
        self.open_variant(variant)?;
        Array::open(self).map(Wrapped)
    }

    fn serialize_map(self, members: Option<usize>) -> Result<Object<'a, 's>, CanonicalError> {
        Object::open(self, members.unwrap_or(0))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        fields: usize,
    ) -> Result<Record<'a, 's>, CanonicalError> {
        Record::open(self, name, fields)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        fields: usize,
    ) -> Result<Wrapped<Object<'a, 's>>, CanonicalError> {
        self.open_variant(variant)?;
        Object::open(self, fields).map(Wrapped)
    }
}
