//! What policies look at, read from their JSON form: whether the time counts, which intents are
//! named, and comparisons that can never hold.

use std::collections::HashSet;

use cedar_policy::Policy;
use serde_json::Value;

use crate::cedar::slices::INTENT;

/// What the policies of a set look at.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// `context.time`, or the context as a whole.
    pub(super) time: bool,
    /// The intents that are named anywhere.
    pub(super) intents: HashSet<Box<str>>,
}

impl Reads {
    /// Notes the intents that a policy names.
    pub(super) fn intents(&mut self, policy: &Policy) {
        for uid in policy.entity_literals() {
            if uid.type_name().to_string() == INTENT {
                self.intents.insert(uid.id().unescaped().into());
            }
        }
    }
}

/// Notes whether a policy reads the time, and says what in it can never hold: words that the
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
                        reads.time |= operands.get("attr").and_then(Value::as_str) == Some("time");
                        continue;
                    }
                    "Var" if operands == "context" => reads.time = true,
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
