//! Readers as servers and hosts have them, each with its own idea of which member counts. The property
//! test and the fuzz target ask all of them whether they agree with ours.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use sernixa_mcp::message::{Direction, Id, Kind, Message};

/// JSON with all the members that were written.
enum Raw {
    Object(Vec<(String, Raw)>),
    Array,
    Other(Value),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Raw::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Raw::Array)
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Other(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Other(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(Raw::Other(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(Raw::Other(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(Raw::Other(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Other(value.into()))
            }
        }
        input.deserialize_any(Any)
    }
}

/// How a reader finds a member.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// The first of that name.
    First,
    /// The last of that name.
    Last,
    /// The last one, by its lower case.
    LowerCase,
    /// The first one, by its upper case.
    UpperCase,
    /// The last one, up to U+0000 and by its lower case.
    Terminated,
    /// The last one, by lower case of what Turkish makes of it.
    Turkish,
}

const HABITS: [Habit; 6] = [
    Habit::First,
    Habit::Last,
    Habit::LowerCase,
    Habit::UpperCase,
    Habit::Terminated,
    Habit::Turkish,
];

impl Habit {
    fn sees(self, name: &str) -> String {
        match self {
            Self::First | Self::Last => name.to_owned(),
            Self::LowerCase => name.to_lowercase(),
            Self::UpperCase => name.to_uppercase(),
            Self::Terminated => name.split('\0').next().unwrap().to_lowercase(),
            Self::Turkish => name.replace(['İ', 'I', 'ı'], "i").to_lowercase(),
        }
    }

    fn get<'r>(self, raw: &'r Raw, name: &str) -> Option<&'r Raw> {
        let Raw::Object(members) = raw else {
            return None;
        };
        let name = self.sees(name);
        let mut found = members.iter().filter(|(other, _)| self.sees(other) == name);
        match self {
            Self::First | Self::UpperCase => found.next(),
            _ => found.next_back(),
        }
        .map(|(_, value)| value)
    }

    /// The method, the id and the tool's name as this reader has them.
    fn reads(self, raw: &Raw) -> Read {
        let text = |raw: Option<&Raw>| match raw {
            Some(Raw::Other(value)) if !value.is_null() => Some(value.clone()),
            _ => None,
        };
        Read {
            method: text(self.get(raw, "method")),
            id: text(self.get(raw, "id")),
            tool: self
                .get(raw, "params")
                .and_then(|params| text(self.get(params, "name")))
                .filter(Value::is_string),
            is_object: matches!(raw, Raw::Object(_)),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Read {
    method: Option<Value>,
    id: Option<Value>,
    tool: Option<Value>,
    is_object: bool,
}

fn ours(message: &Message) -> Read {
    let tool = message.look(|root| {
        let name = root.get("params")?.get("name")?;
        Some(Value::from(name.as_str()?))
    });
    Read {
        method: message.method().map(Value::from),
        id: message
            .id()
            .map(|id| serde_json::from_str(&id.to_json()).unwrap()),
        tool: tool.flatten(),
        is_object: true,
    }
}

/// Whether every reader understands what ours takes as ours does, and nothing but the id changes with
/// the id. Panics when not. Returns whether ours took it.
///
/// # Panics
/// When two readers differ.
pub fn agree(text: &[u8], direction: Direction) -> bool {
    let Ok(message) = Message::read(Bytes::copy_from_slice(text), direction) else {
        return false;
    };
    let read = ours(&message);
    let bytes = message.bytes();
    assert!(!bytes.iter().any(|byte| b"\r\n".contains(byte)));
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        // The one thing that we take and it does not: a number greater than any float.
        Err(error) if error.to_string().starts_with("number out of range") => return true,
        Err(error) => panic!("{error}"),
    };
    let raw: Raw = serde_json::from_slice(bytes).unwrap();
    for habit in HABITS {
        assert_eq!(habit.reads(&raw), read, "{habit:?}");
    }
    for id in [
        Id::Number("-42".into()),
        Id::Text("\"\\\0\n\u{2028}é".into()),
    ] {
        let other = message.with_id(&id);
        let again = Message::read(other.bytes().clone(), direction).unwrap();
        assert_eq!(again, other);
        let has_id = value.get("id").is_some();
        let expected = if has_id { Some(&id) } else { None };
        assert_eq!(again.id(), expected);
        let mut with_id = value.clone();
        if has_id {
            with_id["id"] = serde_json::from_str(&id.to_json()).unwrap();
        }
        let now: Value = serde_json::from_slice(other.bytes()).unwrap();
        assert_eq!(now, with_id);
        match message.kind() {
            Kind::Notification { .. } => assert_eq!(other.bytes(), bytes),
            _ if message.id().is_some() => {
                let back = other.with_id(message.id().unwrap());
                let back: Value = serde_json::from_slice(back.bytes()).unwrap();
                assert_eq!(back, value);
            }
            _ => {}
        }
    }
    true
}
