//! What an operator may choose, within bounds that keep the promises.

use std::fmt;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// The engine's settings. Checked by [`Settings::check`] when an engine is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a request waits for a decision: 1 s to 30 days. Default 15 min.
    pub ttl: Duration,
    /// How long after its decision an approval may be claimed: 1 s to 24 h. Default 10 min.
    pub claim_within: Duration,
    /// After how long a claim without an outcome is `outcome_unknown`: 1 s to 30 days.
    /// Default 1 h.
    pub outcome_within: Duration,
    /// When a person's earlier approvals stand for a new one.
    pub memory: MemoryRule,
    /// Whether an owner may decide what its own keys asked.
    pub self_decision: SelfDecision,
    /// What answers offer besides what the engine always does.
    pub events: Events,
}

/// When a person's earlier approvals stand for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRule {
    /// How many approvals by a person it takes: 1 to 100. Default 3.
    pub threshold: u32,
    /// How long an approval counts: 1 s to 365 days. Default 30 days.
    pub window: Duration,
    /// What happens to requests without an arguments digest.
    pub unbound: Unbound,
}

/// Whether requests without an arguments digest, whose argument values nobody can tell apart, are
/// remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbound {
    /// Never. The default.
    Off,
    /// At low risk only. For demonstrations with clients that send no digest.
    Low,
}

/// Whether an owner may decide what its own keys asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfDecision {
    /// Never: two owners are needed. The default of a service.
    Refused,
    /// Yes, and the record says `self_decided`. For a single person at a terminal.
    Allowed,
}

/// Whether the transport in front of the engine pushes changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// It does not; clients poll.
    NotOffered,
    /// It does, and answers say so in `capabilities`.
    Offered,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: 15 * MINUTE,
            claim_within: 10 * MINUTE,
            outcome_within: 60 * MINUTE,
            memory: MemoryRule {
                threshold: 3,
                window: 30 * DAY,
                unbound: Unbound::Off,
            },
            self_decision: SelfDecision::Refused,
            events: Events::NotOffered,
        }
    }
}

impl Settings {
    /// The defaults for an engine inside one person's process: that person may decide.
    pub fn local() -> Self {
        Self {
            self_decision: SelfDecision::Allowed,
            ..Self::default()
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`SettingsError`] names the first setting that is out of bounds, and the bounds.
    pub fn check(&self) -> Result<(), SettingsError> {
        let second = Duration::from_secs(1);
        let durations = [
            ("ttl", self.ttl, 30 * DAY, "1 s to 30 days"),
            ("claim_within", self.claim_within, DAY, "1 s to 24 h"),
            (
                "outcome_within",
                self.outcome_within,
                30 * DAY,
                "1 s to 30 days",
            ),
            (
                "memory.window",
                self.memory.window,
                365 * DAY,
                "1 s to 365 days",
            ),
        ];
        for (name, value, most, bounds) in durations {
            if value < second || value > most {
                return Err(SettingsError { name, bounds });
            }
        }
        if !(1..=100).contains(&self.memory.threshold) {
            return Err(SettingsError {
                name: "memory.threshold",
                bounds: "1 to 100",
            });
        }
        Ok(())
    }

    /// The `capabilities` of answers (DESIGN 7), as a JSON array: a service says them in its readiness
    /// document, too.
    pub const fn capabilities(&self) -> &'static str {
        match self.events {
            Events::NotOffered => r#"["claim","outcome","withdraw","resume"]"#,
            Events::Offered => r#"["events","claim","outcome","withdraw","resume"]"#,
        }
    }
}

/// A setting is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsError {
    name: &'static str,
    bounds: &'static str,
}

impl SettingsError {
    /// The setting's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the engine setting `{}` must be {}",
            self.name, self.bounds
        )
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_lets_an_approval_stand_for_ever() {
        assert_eq!(Settings::default().check(), Ok(()));
        assert_eq!(Settings::local().check(), Ok(()));
        let good = Settings::default;
        let remembering = |rule| Settings {
            memory: rule,
            ..good()
        };
        let (memory, late) = (good().memory, DAY + Duration::from_millis(1));
        let spoilt = [
            (
                "ttl",
                Settings {
                    ttl: Duration::MAX,
                    ..good()
                },
            ),
            (
                "ttl",
                Settings {
                    ttl: Duration::ZERO,
                    ..good()
                },
            ),
            (
                "claim_within",
                Settings {
                    claim_within: late,
                    ..good()
                },
            ),
            (
                "outcome_within",
                Settings {
                    outcome_within: Duration::ZERO,
                    ..good()
                },
            ),
            (
                "memory.window",
                remembering(MemoryRule {
                    window: Duration::MAX,
                    ..memory
                }),
            ),
            (
                "memory.threshold",
                remembering(MemoryRule {
                    threshold: 0,
                    ..memory
                }),
            ),
        ];
        for (name, settings) in spoilt {
            assert_eq!(settings.check().unwrap_err().name(), name);
        }
    }
}
