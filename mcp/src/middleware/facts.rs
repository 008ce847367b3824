//! How grave a tool's calls are.

use std::collections::HashMap;

use rmcp::model::ToolAnnotations;
use sernixa::{DataSensitivity, OperationClass, RiskLevel};

/// What the developer says of a tool. What is not said has its default: risk medium, class
/// `tool_call`, sensitivity `internal`, the server as the one system.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ToolFacts {
    risk: Option<RiskLevel>,
    class: Option<OperationClass>,
    sensitivity: Option<DataSensitivity>,
    systems: Vec<String>,
}

impl ToolFacts {
    /// How grave its calls are. An annotation may raise it.
    pub fn risk(mut self, level: RiskLevel) -> Self {
        self.risk = Some(level);
        self
    }

    /// What kind of thing it does.
    pub fn class(mut self, class: OperationClass) -> Self {
        self.class = Some(class);
        self
    }

    /// How sensitive the data is that it touches.
    pub fn sensitivity(mut self, sensitivity: DataSensitivity) -> Self {
        self.sensitivity = Some(sensitivity);
        self
    }

    /// The systems that it touches: at least one, none of them blank.
    pub fn systems(mut self, systems: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.systems = systems.into_iter().map(Into::into).collect();
        self
    }
}

/// What the developer says of all tools.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) tools: HashMap<String, ToolFacts>,
    pub(super) others: ToolFacts,
    pub(super) trust_annotations: bool,
}

/// What is submitted of a call's gravity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gravity {
    pub(super) risk: RiskLevel,
    pub(super) class: OperationClass,
    pub(super) sensitivity: DataSensitivity,
    /// Empty for the server alone.
    pub(super) systems: Vec<String>,
}

impl Facts {
    /// How grave a call of this tool is: what the developer says, and what the tool's annotations
    /// add.
    pub(super) fn of(&self, tool: &str, annotations: Option<&ToolAnnotations>) -> Gravity {
        let said = self.tools.get(tool).unwrap_or(&self.others);
        let destructive = annotations.and_then(|hints| hints.destructive_hint) == Some(true);
        let read_only = annotations.and_then(|hints| hints.read_only_hint) == Some(true);
        let silent = said.risk.is_none() && said.class.is_none();
        let (risk, class) = if destructive {
            // Its own word against it counts always; what it is then called is the developer's.
            let risk = said
                .risk
                .map_or(RiskLevel::High, |risk| risk.max(RiskLevel::High));
            (Some(risk), Some(OperationClass::Delete))
        } else if read_only && self.trust_annotations && silent {
            (Some(RiskLevel::Low), Some(OperationClass::Read))
        } else {
            (said.risk, None)
        };
        Gravity {
            risk: risk.unwrap_or(RiskLevel::Medium),
            class: said
                .class
                .clone()
                .or(class)
                .unwrap_or(OperationClass::ToolCall),
            sensitivity: said
                .sensitivity
                .clone()
                .unwrap_or(DataSensitivity::Internal),
            systems: said.systems.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(destructive: Option<bool>, read_only: Option<bool>) -> ToolAnnotations {
        let mut hints = ToolAnnotations::default();
        (hints.destructive_hint, hints.read_only_hint) = (destructive, read_only);
        hints
    }

    fn of(facts: &Facts, hints: Option<&ToolAnnotations>) -> (RiskLevel, OperationClass) {
        let gravity = facts.of("t", hints);
        (gravity.risk, gravity.class)
    }

    fn saying(said: ToolFacts) -> Facts {
        Facts {
            tools: [("t".to_owned(), said)].into(),
            ..Facts::default()
        }
    }

    #[test]
    fn a_tool_of_which_nothing_is_said_is_of_medium_risk() {
        let medium = (RiskLevel::Medium, OperationClass::ToolCall);
        let silent = Facts::default();
        assert_eq!(of(&silent, None), medium);
        assert_eq!(of(&silent, Some(&hints(None, None))), medium);
        assert_eq!(of(&silent, Some(&hints(Some(false), None))), medium);
        assert_eq!(silent.of("t", None).sensitivity, DataSensitivity::Internal);
    }

    #[test]
    fn annotations_raise_whoever_is_trusted() {
        let high = (RiskLevel::High, OperationClass::Delete);
        for read_only in [None, Some(true), Some(false)] {
            let hints = hints(Some(true), read_only);
            assert_eq!(of(&Facts::default(), Some(&hints)), high);
            let low = saying(ToolFacts::default().risk(RiskLevel::Low));
            assert_eq!(of(&low, Some(&hints)), high);
            let critical = ToolFacts::default().risk(RiskLevel::Critical);
            assert_eq!(of(&saying(critical), Some(&hints)).0, RiskLevel::Critical);
            let named = ToolFacts::default().class(OperationClass::Financial);
            let financial = (RiskLevel::High, OperationClass::Financial);
            assert_eq!(of(&saying(named), Some(&hints)), financial);
            let trusted = Facts {
                trust_annotations: true,
                ..Facts::default()
            };
            assert_eq!(of(&trusted, Some(&hints)), high);
        }
    }

    #[test]
    fn annotations_lower_only_where_they_are_trusted_and_nothing_is_said() {
        let medium = (RiskLevel::Medium, OperationClass::ToolCall);
        let reads = hints(None, Some(true));
        assert_eq!(of(&Facts::default(), Some(&reads)), medium);
        let mut trusted = Facts {
            trust_annotations: true,
            ..Facts::default()
        };
        assert_eq!(
            of(&trusted, Some(&reads)),
            (RiskLevel::Low, OperationClass::Read)
        );
        trusted.others = ToolFacts::default().risk(RiskLevel::Medium);
        assert_eq!(of(&trusted, Some(&reads)), medium);
        trusted.others = ToolFacts::default().class(OperationClass::Execute);
        assert_eq!(
            of(&trusted, Some(&reads)),
            (RiskLevel::Medium, OperationClass::Execute)
        );
    }

    #[test]
    fn what_is_said_of_one_tool_is_said_of_no_other() {
        let facts = saying(ToolFacts::default().risk(RiskLevel::Low).systems(["a"]));
        assert_eq!(facts.of("t", None).systems, ["a"]);
        assert_eq!(facts.of("T", None).risk, RiskLevel::Medium);
        assert!(facts.of("T", None).systems.is_empty());
    }
}
