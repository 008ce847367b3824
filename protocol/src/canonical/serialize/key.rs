//! The text of a map key (PROTOCOL 23: numbers and truth values as their JSON text).

use std::fmt::Write as _;

use serde_core::Serialize;
use serde_core::ser::{Impossible, Serializer};

use super::CanonicalError;

/// Hands the key's text to `take`.
pub(super) fn with_text<T: Serialize + ?Sized>(
    key: &T,
    take: impl FnOnce(&str) -> Result<(), CanonicalError>,
) -> Result<(), CanonicalError> {
    key.serialize(Text(take))
}

struct Text<F>(F);

type No = Impossible<(), CanonicalError>;

/// Methods that take a value with a text of its own.
macro_rules! displayed {
    ($($method:ident: $type:ty),+ $(,)?) => {
        $(fn $method(self, value: $type) -> Result<(), CanonicalError> {
            let mut text = String::new();
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{value}");
            (self.0)(&text)
        })+
    };
}

impl<F: FnOnce(&str) -> Result<(), CanonicalError>> Serializer for Text<F> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    displayed! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
    }

    fn serialize_str(self, value: &str) -> Result<(), CanonicalError> {
        (self.0)(value)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), CanonicalError> {
        (self.0)(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_f64(self, _: f64) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_none(self) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_unit(self) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_tuple(self, _: usize) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }
}
