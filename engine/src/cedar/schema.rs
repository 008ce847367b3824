//! The schema: ours, with the metadata that the user declares.

use std::fmt::Write as _;

use cedar_policy::{Schema, SchemaFragment};
use serde_json::{Map, Value};

use crate::cedar::fault::Fault;
use crate::cedar::scan::{self, Outline};
use crate::cedar::sources::{MAX_TEXT_BYTES, Source};

/// The most metadata members that may be declared.
const MAX_MEMBERS: usize = 256;
/// The most that the name of one may hold, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// The type of a metadata member that policies may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Long,
    String,
    Strings,
}

impl Type {
    /// Its name in a schema.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Long => "Long",
            Self::String => "String",
            Self::Strings => "Set<String>",
        }
    }
}

/// The metadata members that policies may read, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    members: Vec<(Box<str>, Type)>,
}

impl Declared {
    /// The type of the member `name`, if it is declared.
    pub(super) fn get(&self, name: &str) -> Option<(usize, Type)> {
        let at = self
            .members
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        self.members.get(at).map(|&(_, kind)| (at, kind))
    }

    /// The name of the member at a place that [`Declared::get`] gave.
    pub(super) fn name(&self, at: usize) -> &str {
        self.members.get(at).map_or("", |(name, _)| name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// The schema that policies are checked against, in Cedar's syntax. The digest covers this text:
/// members stand in order of their names, so it is one text for one schema.
pub(super) fn text(declared: &Declared) -> String {
    let mut members = String::new();
    for (name, kind) in &declared.members {
        members.push_str("\n        \"");
        for c in name.chars() {
            if matches!(c, '"' | '\\') {
                members.push('\\');
            }
            members.push(c);
        }
        let _ = write!(members, "\"?: {},", kind.as_str());
    }
    format!(
        "namespace Sernixa {{
    entity Agent;
    entity Intent;
    entity Tool in [Intent];
    type Time = {{ hour: Long, weekday: Long, date: String }};
    type Metadata = {{{members}
    }};
    action request, proceed appliesTo {{
        principal: [Agent],
        resource: [Tool],
        context: {{
            risk: Long,
            risk_level: String,
            operation_class: String,
            data_sensitivity: String,
            systems: Set<String>,
            delegated: Bool,
            delegation_depth: Long,
            time: Time,
            metadata: Metadata,
        }},
    }};
}}
"
    )
}

/// Reads [`text`].
pub(super) fn parse(text: &str) -> Result<Schema, Fault> {
    // Warnings of the schema cannot be: it is ours, and holds no name twice.
    Schema::from_cedarschema_str(text)
        .map(|(schema, _)| schema)
        .map_err(|error| Fault::of_cedar("the schema", text, 0, &error))
}

const FORM: &str =
    "write `type Metadata = { name?: Type, … };` with the types Bool, Long, String and Set<String>";

/// What the user's schema declares.
pub(super) fn declared(source: &Source) -> Result<Declared, Vec<Fault>> {
    let Source { name: file, text } = source;
    if text.len() > MAX_TEXT_BYTES {
        return Err(vec![Fault::new(file, "the schema is longer than 1 MiB")]);
    }
    let outline = scan::outline(text);
    // One `<` for each member that is a set, and a level or two besides.
    if outline.depth > MAX_MEMBERS + 8 {
        let fault = Fault::new(file, "the schema nests too deeply").fix(FORM);
        return Err(vec![fault]);
    }
    let (fragment, warnings) = SchemaFragment::from_cedarschema_str(text)
        .map_err(|error| vec![Fault::of_cedar(file, text, 0, &error)])?;
    let warnings: Vec<Fault> = warnings
        .map(|warning| Fault::of_cedar(file, text, 0, &warning))
        .collect();
    if !warnings.is_empty() {
        return Err(warnings);
    }
    let json = fragment
        .to_json_value()
        .map_err(|error| vec![Fault::of_cedar(file, text, 0, &error)])?;
    let attributes = metadata(&json).ok_or_else(|| {
        vec![
            Fault::new(
                file,
                "it declares something else than one record type `Metadata`",
            )
            .fix(FORM),
        ]
    })?;
    members(attributes, source, &outline)
}

/// The attributes of the one type that the schema may declare.
fn metadata(schema: &Value) -> Option<&Map<String, Value>> {
    let schema = schema.as_object()?;
    let mut spaces = schema.iter().filter(|(_, space)| !is_empty_space(space));
    let (name, space) = spaces.next()?;
    let is_empty = |member: &str| {
        space
            .get(member)
            .and_then(Value::as_object)
            .is_none_or(Map::is_empty)
    };
    let types = space.get("commonTypes")?.as_object()?;
    let only = spaces.next().is_none()
        && matches!(name.as_str(), "" | "Sernixa")
        && is_empty("entityTypes")
        && is_empty("actions")
        && types.len() == 1;
    let record = types.get("Metadata").filter(|_| only)?;
    if record.get("type")?.as_str() != Some("Record")
        || record.get("additionalAttributes") == Some(&Value::Bool(true))
    {
        return None;
    }
    record.get("attributes")?.as_object()
}

fn is_empty_space(space: &Value) -> bool {
    ["commonTypes", "entityTypes", "actions"]
        .iter()
        .all(|member| {
            space
                .get(member)
                .and_then(Value::as_object)
                .is_none_or(Map::is_empty)
        })
}

fn members(
    attributes: &Map<String, Value>,
    source: &Source,
    outline: &Outline,
) -> Result<Declared, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut declared = Declared::default();
    if attributes.len() > MAX_MEMBERS {
        let what = format!("it declares more than {MAX_MEMBERS} members");
        return Err(vec![Fault::new(&source.name, what)]);
    }
    for (name, attribute) in attributes {
        let fault = |what: String| {
            Fault::new(&source.name, what).at(&source.text, place(&source.text, name))
        };
        if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            faults.push(fault(format!(
                "a member's name must have at most {MAX_NAME_BYTES} bytes and no control characters"
            )));
            continue;
        }
        if attribute.get("required") != Some(&Value::Bool(false)) {
            let optional =
                format!("write `{name}?: …` and ask `context.metadata has {name}` first");
            faults.push(fault(format!("the member `{name}` must be optional")).fix(optional));
        }
        match kind(attribute) {
            Some(kind) => declared.members.push((name.as_str().into(), kind)),
            None => faults.push(
                fault(format!(
                    "the member `{name}` has a type that metadata cannot have"
                ))
                .fix("use Bool, Long, String or Set<String>"),
            ),
        }
    }
    // Cedar takes the last of two members of one name without a word.
    if faults.is_empty() && outline.optional != attributes.len() {
        faults.push(Fault::new(&source.name, "a member is declared twice").fix(FORM));
    }
    declared.members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    if faults.is_empty() {
        Ok(declared)
    } else {
        Err(faults)
    }
}

/// Where a member's name stands, as far as that can be found.
fn place(text: &str, name: &str) -> usize {
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let begin = text.find('{').unwrap_or_default();
    let mut names = text.match_indices(name).map(|(at, _)| at);
    names
        .find(|&at| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text
                .get(at + name.len()..)
                .and_then(|text| text.chars().next());
            at > begin && !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
        .unwrap_or_default()
}

fn kind(attribute: &Value) -> Option<Type> {
    match named(attribute) {
        Some("Bool" | "Boolean") => Some(Type::Bool),
        Some("Long") => Some(Type::Long),
        Some("String") => Some(Type::String),
        Some("Set") => {
            (named(attribute.get("element")?) == Some("String")).then_some(Type::Strings)
        }
        _ => None,
    }
}

/// A type's name: Cedar writes names that could be an entity's as `EntityOrCommon`.
fn named(of: &Value) -> Option<&str> {
    match of.get("type")?.as_str()? {
        "EntityOrCommon" => {
            let name = of.get("name")?.as_str()?;
            Some(name.strip_prefix("__cedar::").unwrap_or(name))
        }
        name => Some(name),
    }
}
