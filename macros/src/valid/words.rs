//! Literals held against the rules of the protocol; paths are left to `const` evaluation.

use sernixa_protocol::rules::{self, Fault};
use sernixa_protocol::{DataSensitivity, OperationClass, RiskLevel};
use syn::LitStr;

use super::{Chosen, Facts, Risk};
use crate::attr::{Arguments, Systems, Text, Word};
use crate::faults::Faults;
use crate::suggest;

/// The longest summary, in characters: what a person reads is cut there (DESIGN 4).
const SUMMARY_MAX: usize = 500;

/// Judges all literals. `None` when a required key was not readable.
pub(super) fn facts(arguments: &Arguments, faults: &mut Faults) -> Option<Facts> {
    if let Some(action_id) = &arguments.action_id {
        keeps("action_id", action_id, rules::action_id, faults);
    }
    if let Some(summary) = &arguments.summary {
        check_summary(summary, faults);
    }
    check_metadata_keys(arguments, faults);
    let intent_id = arguments.intent_id.as_ref().map(|text| {
        if let Text::Literal(literal) = text {
            keeps("intent_id", literal, rules::intent_id, faults);
        }
        text.clone()
    });
    let risk_level = arguments
        .risk_level
        .as_ref()
        .and_then(|text| risk(text, faults));
    let operation_class = arguments
        .operation_class
        .as_ref()
        .map(|word| choose(word, &CLASS, faults));
    let data_sensitivity = arguments
        .data_sensitivity
        .as_ref()
        .map(|word| choose(word, &SENSITIVITY, faults));
    let systems_touched = arguments.systems_touched.as_ref().map(|systems| {
        check_systems(systems, faults);
        systems.clone()
    });
    Some(Facts {
        intent_id: intent_id?,
        risk_level: risk_level?,
        operation_class: operation_class?,
        data_sensitivity: data_sensitivity?,
        systems_touched: systems_touched?,
        action_id: arguments.action_id.clone(),
    })
}

fn risk(text: &Text, faults: &mut Faults) -> Option<Risk> {
    match text {
        Text::Path(path) => Some(Risk::Path(path.clone())),
        Text::Literal(literal) => {
            let level = RiskLevel::parse(&literal.value());
            if level.is_none() {
                unknown(literal, Fault::UnknownRisk, RiskLevel::KNOWN, faults);
            }
            level.map(Risk::Level)
        }
    }
}

/// An open list of words: its rules, and the text that is sent for a known one.
struct List {
    key: &'static str,
    known: &'static [&'static str],
    unknown: Fault,
    is_known: fn(&str) -> Result<(), Fault>,
    custom: fn(&str) -> Result<(), Fault>,
    sent: fn(&str) -> String,
}

const CLASS: List = List {
    key: "operation_class",
    known: OperationClass::KNOWN,
    unknown: Fault::UnknownClass,
    is_known: rules::known_operation_class,
    custom: rules::operation_class,
    // In lower case, which is the reference's form.
    sent: str::to_ascii_lowercase,
};

const SENSITIVITY: List = List {
    key: "data_sensitivity",
    known: DataSensitivity::KNOWN,
    unknown: Fault::UnknownSensitivity,
    is_known: rules::known_data_sensitivity,
    custom: rules::data_sensitivity,
    // As written; the engine folds it.
    sent: str::to_owned,
};

fn choose(word: &Word, list: &List, faults: &mut Faults) -> Chosen {
    match word {
        Word::Path(path) => Chosen::Known(path.clone()),
        Word::Custom(Text::Path(path)) => Chosen::Custom(path.clone()),
        Word::Custom(Text::Literal(literal)) => {
            keeps(list.key, literal, list.custom, faults);
            Chosen::Text(literal.clone())
        }
        Word::Known(literal) => {
            let text = literal.value();
            match (list.is_known)(&text) {
                Ok(()) => {}
                Err(fault) if fault == list.unknown => unknown(literal, fault, list.known, faults),
                Err(fault) => faults.over(literal, about(list.key, fault)),
            }
            Chosen::Text(LitStr::new(&(list.sent)(&text), literal.span()))
        }
    }
}

fn check_systems(systems: &Systems, faults: &mut Faults) {
    let Systems::List { bracket, items } = systems else {
        return;
    };
    if items.is_empty() {
        faults.at(bracket.span.join(), Fault::NoSystem);
    }
    for item in items {
        if let Err(fault) = rules::system(&item.value()) {
            faults.over(item, fault);
        }
    }
}

fn check_summary(summary: &LitStr, faults: &mut Faults) {
    let text = summary.value();
    if rules::is_blank(&text) {
        faults.over(summary, about("summary", Fault::Blank));
    }
    if text.contains(['\n', '\r']) {
        let message = "`summary` is one line for the reviewer: remove the line break, or end the \
                       line with `\\` to continue it in the next";
        faults.over(summary, message);
    }
    if text.chars().count() > SUMMARY_MAX {
        let message = format!(
            "`summary` is too long: a reviewer is shown at most {SUMMARY_MAX} characters of it"
        );
        faults.over(summary, message);
    }
}

fn check_metadata_keys(arguments: &Arguments, faults: &mut Faults) {
    let mut seen = Vec::new();
    for member in &arguments.metadata {
        let key = member.key.value();
        if rules::is_blank(&key) {
            faults.over(
                &member.key,
                "a key of `metadata` is blank: write at least one visible character",
            );
        }
        if let Err(fault) = rules::metadata_key(&key) {
            faults.over(&member.key, format!("`{key}`: {fault}"));
        }
        if seen.contains(&key) {
            faults.over(
                &member.key,
                format!("`{key}` stands twice in `metadata`: keep one of them"),
            );
        }
        seen.push(key);
    }
}

fn keeps(key: &str, literal: &LitStr, rule: fn(&str) -> Result<(), Fault>, faults: &mut Faults) {
    if let Err(fault) = rule(&literal.value()) {
        faults.over(literal, about(key, fault));
    }
}

/// The fault's message with the key for its subject.
fn about(key: &str, fault: Fault) -> String {
    fault
        .message()
        .replacen("this value", &format!("`{key}`"), 1)
}

/// "unknown risk level `hi`: did you mean `high`? allowed are …".
fn unknown(literal: &LitStr, fault: Fault, known: &[&'static str], faults: &mut Faults) {
    let written = literal.value();
    let (what, allowed) = fault
        .message()
        .split_once(':')
        .unwrap_or((fault.message(), ""));
    let hint = suggest::hint(&written, known.iter().copied());
    faults.over(literal, format!("{what} `{written}`:{hint}{allowed}"));
}
