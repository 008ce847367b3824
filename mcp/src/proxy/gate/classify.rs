//! How grave a call is: what the operator wrote, what the server says, and whether anybody ever saw
//! what the server says now.

use sernixa::{DataSensitivity, OperationClass, RiskLevel};

use super::definition::Hints;
use crate::proxy::config::{Given, Rules};

/// What is known of a tool's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pin {
    /// It is as it was when it was first met, or a person accepted it since.
    Accepted,
    /// It is not, or the server does not list it any more.
    Changed,
    /// The server lists its tools, and never listed this one.
    Unlisted,
    /// The server did not say which tools it has.
    Unknown,
    /// Its name may be taken for another tool's, by policies or by the server.
    Alike,
}

impl Pin {
    /// As metadata says it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Changed => "changed",
            Self::Unlisted => "unlisted",
            Self::Unknown => "unknown",
            Self::Alike => "alike",
        }
    }

    /// Whether only a person may decide: nobody has seen what this tool is now, or what was decided of
    /// another one could count for it.
    const fn needs_person(self) -> bool {
        matches!(self, Self::Changed | Self::Unknown | Self::Alike)
    }
}

/// What is submitted of a call's gravity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gravity {
    pub(super) risk: RiskLevel,
    pub(super) class: OperationClass,
    pub(super) sensitivity: DataSensitivity,
    pub(super) systems: Vec<String>,
}

/// Classifies a call. From the weakest to the strongest:
///
/// 1. medium, `tool_call`, internal, the server as system;
/// 2. the server's defaults in `sernixa.toml`;
/// 3. `destructiveHint: true`: at least high, and `delete` unless the defaults name a class. Only the
///    explicit hint counts: its default is `true`, and would make every tool that says nothing high;
/// 4. `readOnlyHint: true` of a server whose annotations are trusted, if nothing destroys: low and
///    `read`;
/// 5. what `sernixa.toml` says of this tool;
/// 6. a tool that nobody has seen as it is now, or that goes by another's name: at least high.
///
/// Where two definitions of one tool are about, the graver hint counts.
pub(super) fn classify(
    server: &str,
    rules: &Rules,
    tool: &str,
    hints: &[Hints],
    pin: Pin,
) -> Gravity {
    let defaults = &rules.defaults;
    let mut risk = defaults.risk.unwrap_or(RiskLevel::Medium);
    let mut class = defaults.class.clone().unwrap_or(OperationClass::ToolCall);
    let destroys = hints.iter().any(|hints| hints.destructive == Some(true));
    let reads = !hints.is_empty() && hints.iter().all(|hints| hints.read_only == Some(true));
    if destroys {
        risk = graver(risk, RiskLevel::High);
        if defaults.class.is_none() {
            class = OperationClass::Delete;
        }
    } else if reads && rules.trust_annotations {
        risk = RiskLevel::Low;
        class = OperationClass::Read;
    }
    let none = Given::default();
    let given = rules.tool(tool).map_or(&none, |tool| &tool.given);
    risk = given.risk.unwrap_or(risk);
    if pin.needs_person() {
        risk = graver(risk, RiskLevel::High);
    }
    let systems = given.systems.as_ref().or(defaults.systems.as_ref());
    let sensitivity = given.sensitivity.as_ref().or(defaults.sensitivity.as_ref());
    Gravity {
        risk,
        class: given.class.clone().unwrap_or(class),
        sensitivity: sensitivity.cloned().unwrap_or(DataSensitivity::Internal),
        systems: systems.cloned().unwrap_or_else(|| vec![server.to_owned()]),
    }
}

fn graver(one: RiskLevel, other: RiskLevel) -> RiskLevel {
    if one.rank() >= other.rank() {
        one
    } else {
        other
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::proxy::config::Config;

    fn hints(read_only: Option<bool>, destructive: Option<bool>) -> Hints {
        Hints {
            read_only,
            destructive,
            ..Hints::default()
        }
    }

    fn of(config: &str, hints: &[Hints], pin: Pin) -> (RiskLevel, String) {
        let rules = Config::parse(Path::new("sernixa.toml"), config)
            .unwrap()
            .server("files");
        let gravity = classify("files", &rules, "wipe", hints, pin);
        (gravity.risk, gravity.class.to_string())
    }

    const TRUST: &str = "[mcp.servers.files]\ntrust_annotations = true\n";

    #[test]
    fn without_a_word_from_anybody_a_call_is_medium() {
        let gravity = classify(
            "files",
            &Rules::default(),
            "wipe",
            &[Hints::default()],
            Pin::Accepted,
        );
        assert_eq!(
            gravity,
            Gravity {
                risk: RiskLevel::Medium,
                class: OperationClass::ToolCall,
                sensitivity: DataSensitivity::Internal,
                systems: vec!["files".to_owned()],
            }
        );
    }

    #[test]
    fn a_server_may_call_its_tools_graver_and_only_a_trusted_one_less_grave() {
        let (medium, high, low) = (RiskLevel::Medium, RiskLevel::High, RiskLevel::Low);
        for (config, said, risk, class) in [
            ("", hints(None, Some(true)), high, "delete"),
            ("", hints(Some(false), None), medium, "tool_call"),
            ("", hints(None, None), medium, "tool_call"),
            ("", hints(Some(true), None), medium, "tool_call"),
            ("", hints(Some(true), Some(false)), medium, "tool_call"),
            ("", hints(Some(true), Some(true)), high, "delete"),
            (TRUST, hints(Some(true), None), low, "read"),
            (TRUST, hints(Some(true), Some(false)), low, "read"),
            (TRUST, hints(Some(true), Some(true)), high, "delete"),
            (TRUST, hints(None, None), medium, "tool_call"),
        ] {
            let found = of(config, &[said], Pin::Accepted);
            assert_eq!(found, (risk, class.to_owned()), "{config} {said:?}");
        }
        assert_eq!(of(TRUST, &[], Pin::Unlisted), (medium, "tool_call".into()));
    }

    #[test]
    fn of_two_definitions_the_graver_hint_counts() {
        let both = [hints(Some(true), None), hints(None, Some(true))];
        assert_eq!(of(TRUST, &both, Pin::Accepted).0, RiskLevel::High);
        let both = [hints(Some(true), None), hints(None, None)];
        assert_eq!(of(TRUST, &both, Pin::Accepted).0, RiskLevel::Medium);
    }

    #[test]
    fn what_the_operator_says_of_a_tool_beats_annotations_and_defaults() {
        let config = "[mcp.servers.files]\nrisk_level = \"critical\"\noperation_class = \"financial\"\n\
                      [mcp.servers.files.tools.wipe]\nrisk_level = \"low\"";
        let destroys = [hints(None, Some(true))];
        // A server cannot talk itself out of the class that a policy may ask for.
        assert_eq!(
            of(config, &destroys, Pin::Accepted),
            (RiskLevel::Low, "financial".into())
        );
        let defaults = "[mcp.servers.files]\nrisk_level = \"critical\"";
        assert_eq!(
            of(defaults, &destroys, Pin::Accepted),
            (RiskLevel::Critical, "delete".into())
        );
    }

    #[test]
    fn a_tool_that_nobody_has_seen_as_it_is_needs_a_person_whatever_is_written() {
        let config = "[mcp.servers.files]\ntrust_annotations = true\n\
                      [mcp.servers.files.tools.wipe]\nrisk_level = \"low\"";
        let reads = [hints(Some(true), None)];
        for pin in [Pin::Changed, Pin::Unknown, Pin::Alike] {
            assert_eq!(of(config, &reads, pin).0, RiskLevel::High);
        }
        let critical = "[mcp.servers.files]\nrisk_level = \"critical\"";
        assert_eq!(of(critical, &reads, Pin::Changed).0, RiskLevel::Critical);
    }
}
