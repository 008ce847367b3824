//! The text of a map key (PROTOCOL 23: numbers and truth values as their JSON text).

use serde_core::Serialize;
use serde_core::ser::{Impossible, Serializer};

use super::CanonicalError;

/// The key's text.
pub(super) fn text<T: Serialize + ?Sized>(key: &T) -> Result<String, CanonicalError> {
    key.serialize(Text)
}

struct Text;

type No = Impossible<String, CanonicalError>;

/// Methods that take a value with a text of its own.
macro_rules! displayed {
    ($($method:ident: $type:ty),+ $(,)?) => {
        $(fn $method(self, value: $type) -> Result<String, CanonicalError> {
            Ok(value.to_string())
        })+
    };
}

impl Serializer for Text {
    type Ok = String;
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
        serialize_str: &str,
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, CanonicalError> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, CanonicalError> {
        value.serialize(self)
    }

    fn serialize_f32(self, _: f32) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_f64(self, _: f64) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_none(self) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_unit(self) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, CanonicalError> {
        Err(CanonicalError::KeyKind)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, CanonicalError> {
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
