//! What policies look at, read from their JSON form: which parts of the context, which intents, and
//! comparisons that can never hold.

use std::collections::HashSet;

use cedar_policy::Policy;
use serde_json::Value;

use crate::cedar::slices::INTENT;

/// What the policies of a set look at. What none looks at changes no answer, so Cedar is not told.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// A bit for each attribute of the context.
    attributes: u16,
    /// The intents that are named anywhere.
    pub(super) intents: HashSet<Box<str>>,
}

/// An attribute of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Risk,
    RiskLevel,
    OperationClass,
    DataSensitivity,
    Systems,
    Delegated,
    DelegationDepth,
    Time,
    Metadata,
}

impl Attribute {
    const ALL: [Self; 9] = [
        Self::Risk,
        Self::RiskLevel,
        Self::OperationClass,
        Self::DataSensitivity,
        Self::Systems,
        Self::Delegated,
        Self::DelegationDepth,
        Self::Time,
        Self::Metadata,
    ];

    /// Its name in the schema.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::RiskLevel => "risk_level",
            Self::OperationClass => "operation_class",
            Self::DataSensitivity => "data_sensitivity",
            Self::Systems => "systems",
            Self::Delegated => "delegated",
            Self::DelegationDepth => "delegation_depth",
            Self::Time => "time",
            Self::Metadata => "metadata",
        }
    }
}

impl Reads {
    /// Whether some policy looks at it.
    pub(super) const fn has(&self, attribute: Attribute) -> bool {
        self.attributes & 1 << attribute as u16 != 0
    }

    /// Notes a look at `context.name`; at everything, where the name is not known.
    fn note(&mut self, name: Option<&str>) {
        let mut known = Attribute::ALL.into_iter();
        match known.find(|attribute| Some(attribute.as_str()) == name) {
            Some(attribute) => self.attributes |= 1 << attribute as u16,
            None => self.attributes = u16::MAX,
        }
    }

    /// Notes the intents that a policy names.
    pub(super) fn intents(&mut self, policy: &Policy) {
        for uid in policy.entity_literals() {
            if uid.type_name().to_string() == INTENT {
                self.intents.insert(uid.id().unescaped().into());
            }
        }
    }
}

/// Notes what a policy looks at, and says what in it can never hold: words that the
/// engine folds are in lower case, so a text with a capital never equals them.
pub(super) fn read(form: &Value, reads: &mut Reads) -> Vec<String> {
    let mut faults = Vec::new();
    for condition in form
        .get("conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(body) = condition.get("body") {
            walk(body, reads, &mut faults);
        }
    }
    faults
}

/// The depth of a form is bounded: the scanner bounds that of the text.
fn walk(form: &Value, reads: &mut Reads, faults: &mut Vec<String>) {
    match form {
        Value::Object(members) => {
            for (operator, operands) in members {
                match operator.as_str() {
                    "." | "has" if is_context(operands.get("left")) => {
                        reads.note(operands.get("attr").and_then(Value::as_str));
                        continue;
                    }
                    "Var" if operands == "context" => reads.note(None),
                    "==" | "!=" | "contains" | "containsAny" | "containsAll" => {
                        faults.extend(never(operands));
                    }
                    _ => {}
                }
                walk(operands, reads, faults);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, reads, faults);
            }
        }
        _ => {}
    }
}

fn is_context(form: Option<&Value>) -> bool {
    form.and_then(|form| form.get("Var")) == Some(&Value::from("context"))
}

/// Why a comparison can never hold, if it cannot.
fn never(operands: &Value) -> Option<String> {
    let (left, right) = (operands.get("left")?, operands.get("right")?);
    let (word, other) = folded(left)
        .map(|word| (word, right))
        .or_else(|| folded(right).map(|word| (word, left)))?;
    let capital = texts(other).find(|text| *text != text.to_lowercase())?;
    Some(format!(
        "`context.{word}` is in lower case and never {capital:?}: write {:?}",
        capital.to_lowercase()
    ))
}

/// The folded word that a form reads.
fn folded(form: &Value) -> Option<&str> {
    let access = form.get(".")?;
    let word = access.get("attr")?.as_str()?;
    (is_context(access.get("left"))
        && matches!(word, "risk_level" | "operation_class" | "data_sensitivity"))
    .then_some(word)
}

/// The text of a literal, or the texts of a set of literals.
fn texts(form: &Value) -> impl Iterator<Item = &str> {
    let single = form.get("Value").and_then(Value::as_str);
    let several = form.get("Set").and_then(Value::as_array);
    single.into_iter().chain(
        several
            .into_iter()
            .flatten()
            .filter_map(|item| item.get("Value")?.as_str()),
    )
}
