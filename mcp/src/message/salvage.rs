//! What can still be told of a message that is refused: whose it is, and nothing that matters more.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sernixa_protocol::json::Document;

use super::{Id, Seems, names};

/// Reads what the message seems to be and its id, if it has exactly one member that anyone could take
/// for an id. Linear, at any depth, and `Unclear` for anything that is not one object.
pub(super) fn salvage(text: &str) -> (Seems, Option<Id>) {
    let mut reader = serde_json::Deserializer::from_str(text);
    let Ok(top) = reader.deserialize_map(Top::default()) else {
        return (Seems::Unclear, None);
    };
    if reader.end().is_err() {
        return (Seems::Unclear, None);
    }
    let seems = match (top.asks, top.answers) {
        (true, false) if top.ids == 0 => Seems::Notification,
        (true, false) => Seems::Request,
        (false, true) => Seems::Answer,
        _ => Seems::Unclear,
    };
    (seems, top.id.filter(|_| top.ids == 1))
}

/// What the members of a message are, by those who mind neither case nor order nor number.
#[derive(Default)]
struct Top {
    ids: usize,
    id: Option<Id>,
    asks: bool,
    answers: bool,
}

impl<'de> Visitor<'de> for Top {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = members.next_entry::<String, &RawValue>()? {
            match &*names::folded(&name) {
                "method" => self.asks = true,
                "result" | "error" => self.answers = true,
                "id" => {
                    self.ids += 1;
                    self.id = (name == "id").then(|| read_id(value.get())).flatten();
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

fn read_id(text: &str) -> Option<Id> {
    let document = Document::parse(text).ok()?;
    Id::read(document.root())
}
