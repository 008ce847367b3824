//! Arrays, objects and the two private structs of `serde_json`.

use std::borrow::Cow;

use serde_core::Serialize;
use serde_core::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::{CanonicalError, LEVELS, Output, key};
use crate::canonical::{Dialect, write_node};
use crate::json::{Document, unescape};

impl Output<'_> {
    /// Opens `{"Variant":`, the form of an enum variant with content.
    pub(super) fn open_variant(&mut self, variant: &str) -> Result<(), CanonicalError> {
        self.enter()?;
        self.put("{")?;
        self.string(variant)?;
        self.put(":")
    }

    /// Closes what [`Self::open_variant`] opened.
    pub(super) fn close_variant(&mut self) -> Result<(), CanonicalError> {
        self.depth -= 1;
        self.put("}")
    }
}

/// An array that is being written.
pub(super) struct Array<'a, 's> {
    output: &'a mut Output<'s>,
    empty: bool,
}

impl<'a, 's> Array<'a, 's> {
    pub(super) fn open(output: &'a mut Output<'s>) -> Result<Self, CanonicalError> {
        output.enter()?;
        output.put("[")?;
        Ok(Self {
            output,
            empty: true,
        })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.output.unbroken()?;
        let written = self.write_element(value);
        self.output.part(written)
    }

    fn write_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        if !std::mem::take(&mut self.empty) {
            self.output.put(",")?;
        }
        value.serialize(&mut *self.output)?;
        self.output.flush();
        Ok(())
    }

    fn close(self) -> Result<&'a mut Output<'s>, CanonicalError> {
        self.output.put("]")?;
        self.output.depth -= 1;
        Ok(self.output)
    }
}

/// An object that is being written: members land in the text as they come, and are put in order at
/// the end if they did not come in order.
pub(super) struct Object<'a, 's> {
    output: &'a mut Output<'s>,
    /// Where the first member begins.
    base: usize,
    members: Vec<Member>,
    /// Whether each key so far was above the one before it.
    ordered: bool,
}

/// Where a member stands in the text: `"key":value`.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    /// The end of the key's closing quote.
    key_end: usize,
    end: usize,
    /// Whether the key has no escapes.
    plain: bool,
}

impl Member {
    /// The key, unescaped.
    fn key(self, text: &str) -> Cow<'_, str> {
        let raw = text
            .get(self.start + 1..self.key_end - 1)
            .unwrap_or_default();
        if self.plain {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(unescape(raw))
        }
    }
}

impl<'a, 's> Object<'a, 's> {
    pub(super) fn open(output: &'a mut Output<'s>, members: usize) -> Result<Self, CanonicalError> {
        output.enter()?;
        output.put("{")?;
        output.objects += 1;
        let base = output.text.len();
        Ok(Self {
            output,
            base,
            members: Vec::with_capacity(members.min(64)),
            ordered: true,
        })
    }

    /// Writes a key by `write`, and the colon after it.
    fn key(
        &mut self,
        write: impl FnOnce(&mut Output<'s>) -> Result<(), CanonicalError>,
    ) -> Result<(), CanonicalError> {
        self.output.unbroken()?;
        let written = self.write_key(write);
        self.output.part(written)
    }

    fn write_key(
        &mut self,
        write: impl FnOnce(&mut Output<'s>) -> Result<(), CanonicalError>,
    ) -> Result<(), CanonicalError> {
        if !self.members.is_empty() {
            self.output.put(",")?;
        }
        let start = self.output.text.len();
        write(self.output)?;
        let key_end = self.output.text.len();
        self.output.put(":")?;
        let text = &self.output.text;
        let plain = !text
            .get(start..key_end)
            .is_some_and(|key| key.contains('\\'));
        let member = Member {
            start,
            key_end,
            end: key_end,
            plain,
        };
        self.ordered &= self
            .members
            .last()
            .is_none_or(|last| last.key(text) < member.key(text));
        self.members.push(member);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.output.unbroken()?;
        let written = value.serialize(&mut *self.output);
        self.output.part(written)?;
        if let Some(member) = self.members.last_mut() {
            member.end = self.output.text.len();
        }
        Ok(())
    }

    fn close(self) -> Result<&'a mut Output<'s>, CanonicalError> {
        if !self.ordered {
            let sorted = sorted(&self.output.text, &self.members)?;
            self.output.text.truncate(self.base);
            self.output.text.push_str(&sorted);
        }
        self.output.put("}")?;
        self.output.objects -= 1;
        self.output.depth -= 1;
        Ok(self.output)
    }
}

/// The members in canonical order.
fn sorted(text: &str, members: &[Member]) -> Result<String, CanonicalError> {
    let mut members: Vec<_> = members
        .iter()
        .map(|member| (member.key(text), member))
        .collect();
    members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if members
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
    {
        return Err(CanonicalError::DuplicateKey);
    }
    let mut sorted = String::new();
    for (_, member) in members {
        if !sorted.is_empty() {
            sorted.push(',');
        }
        sorted.push_str(text.get(member.start..member.end).unwrap_or_default());
    }
    Ok(sorted)
}

/// A struct: an object, or one of the two in which `serde_json` hands over JSON text.
pub(super) enum Record<'a, 's> {
    Object(Object<'a, 's>),
    /// `serde_json::value::RawValue`, or `serde_json::Number` under `arbitrary_precision`.
    Json(&'a mut Output<'s>),
}

impl<'a, 's> Record<'a, 's> {
    pub(super) fn open(
        output: &'a mut Output<'s>,
        name: &str,
        fields: usize,
    ) -> Result<Self, CanonicalError> {
        match name {
            "$serde_json::private::Number" | "$serde_json::private::RawValue" => {
                Ok(Self::Json(output))
            }
            _ => Object::open(output, fields).map(Self::Object),
        }
    }
}

impl SerializeStruct for Record<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        match self {
            Self::Object(object) => SerializeStructVariant::serialize_field(object, name, value),
            Self::Json(output) => {
                let written = key::with_text(value, |json| raw(output, json));
                output.part(written)
            }
        }
    }

    fn end(self) -> Result<(), CanonicalError> {
        match self {
            Self::Object(object) => object.close().map(drop),
            Self::Json(_) => Ok(()),
        }
    }
}

/// Writes JSON text in canonical form.
fn raw(output: &mut Output<'_>, json: &str) -> Result<(), CanonicalError> {
    let document =
        Document::parse_within(json, LEVELS - output.depth).map_err(|_| CanonicalError::RawJson)?;
    write_node(document.root(), Dialect::Compact, &mut output.text)
        .map_err(|_| CanonicalError::NotFinite)?;
    output.reserve(0)
}

/// The content of an enum variant, and the object around it.
pub(super) struct Wrapped<C>(pub(super) C);

impl SerializeSeq for Array<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.element(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

impl SerializeTuple for Array<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.element(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

impl SerializeTupleStruct for Array<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.element(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

impl SerializeTupleVariant for Wrapped<Array<'_, '_>> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.0.element(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.0.close()?.close_variant()
    }
}

impl SerializeMap for Object<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CanonicalError> {
        self.key(|output| key::with_text(key, |text| output.string(text)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.value(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

/// What [`Record`] and [`Wrapped`] share.
impl SerializeStructVariant for Object<'_, '_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.key(|output| output.string(name))?;
        self.value(value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.close().map(drop)
    }
}

impl SerializeStructVariant for Wrapped<Object<'_, '_>> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.0.serialize_field(name, value)
    }

    fn end(self) -> Result<(), CanonicalError> {
        self.0.close()?.close_variant()
    }
}
