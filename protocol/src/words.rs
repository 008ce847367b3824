//! The governance words: risk levels, operation classes, data sensitivities, decision statuses.
//!
//! Known words are parsed in any case. What travels is the text as it was written; [`fold`]
//! (`OperationClass::fold`, `DataSensitivity::fold`) is what two sides compare.
//!
//! [`fold`]: OperationClass::fold

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// How grave an action is. Ordered: `Low < Medium < High < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskLevel {
    /// Harmless if it goes wrong.
    Low,
    /// Worth a look.
    Medium,
    /// A person decides.
    High,
    /// A person decides, and the damage cannot be undone.
    Critical,
}

impl RiskLevel {
    /// All levels, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The words of [`Self::ALL`], for messages.
    pub const KNOWN: &'static [&'static str] = &["low", "medium", "high", "critical"];

    /// The word on the wire, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level that `text` names, in any case. Surrounding blanks are not trimmed (PROTOCOL 17).
    pub const fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("low") {
            Some(Self::Low)
        } else if text.eq_ignore_ascii_case("medium") {
            Some(Self::Medium)
        } else if text.eq_ignore_ascii_case("high") {
            Some(Self::High)
        } else if text.eq_ignore_ascii_case("critical") {
            Some(Self::Critical)
        } else {
            None
        }
    }

    /// The level as policies see it: 1 (low) to 4 (critical).
    pub const fn rank(self) -> u8 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Critical => 4,
        }
    }

    /// Whether only a person may approve it: high and critical (DESIGN promise 5).
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::High | Self::Critical)
    }
}

/// A word outside a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWord;

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a known word")
    }
}

impl std::error::Error for UnknownWord {}

impl FromStr for RiskLevel {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::parse(text).ok_or(UnknownWord)
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An open list of words: known variants, and `Custom` for the rest.
macro_rules! open_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $folded:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A word of the user's own. [`fold`](Self::fold) compares it without regard to case.
            Custom(Cow<'static, str>),
        }

        impl $name {
            /// The known words as they are sent, for messages and suggestions.
            pub const KNOWN: &'static [&'static str] = &[$($word),+];

            /// The known word that `text` names, in any case; never `Custom`.
            pub const fn parse(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($word) {
                    return Some(Self::$variant);
                })+
                None
            }

            /// A word of the user's own, known at compile time.
            pub const fn custom(word: &'static str) -> Self {
                Self::Custom(Cow::Borrowed(word))
            }

            /// The text that is sent: the known word, or the custom one as it was written.
            pub const fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Custom(Cow::Borrowed(word)) => word,
                    Self::Custom(Cow::Owned(word)) => word.as_str(),
                }
            }

            /// The text of a known word; `None` for a custom one. For `const` items, whose
            /// borrow must outlive the value.
            pub const fn known(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($word),)+
                    Self::Custom(_) => None,
                }
            }

            /// The text in lower case, which is what policies and rules compare.
            pub fn fold(&self) -> Cow<'_, str> {
                match self {
                    $(Self::$variant => Cow::Borrowed($folded),)+
                    Self::Custom(word) => Cow::Owned(word.to_lowercase()),
                }
            }

            /// The value of a text from the wire: known in any case, else custom as written.
            pub fn from_text(text: impl Into<Cow<'static, str>>) -> Self {
                let text = text.into();
                Self::parse(&text).unwrap_or(Self::Custom(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_words! {
    /// What kind of thing an action does.
    OperationClass {
        /// Looks, changes nothing.
        Read = "read", "read";
        /// Makes something new.
        Create = "create", "create";
        /// Changes what is there.
        Update = "update", "update";
        /// Removes something.
        Delete = "delete", "delete";
        /// Runs code or a command.
        Execute = "execute", "execute";
        /// Moves money or changes what is owed.
        Financial = "financial", "financial";
        /// Changes who may do what.
        Identity = "identity", "identity";
        /// Speaks to people.
        Communication = "communication", "communication";
        /// Changes what runs in production.
        Deploy = "deploy", "deploy";
        /// Calls a tool whose effect is not known more closely.
        ToolCall = "tool_call", "tool_call";
        /// Starts an agent.
        AgentRun = "agent_run", "agent_run";
    }
}

open_words! {
    /// How sensitive the data is that an action touches.
    DataSensitivity {
        /// Anyone may see it.
        Public = "public", "public";
        /// The organisation's own.
        Internal = "internal", "internal";
        /// Only for those who need it.
        Confidential = "confidential", "confidential";
        /// Only for named people.
        Restricted = "restricted", "restricted";
        /// Under a law or contract of its own.
        Regulated = "regulated", "regulated";
        /// Money, accounts, invoices.
        Financial = "financial", "financial";
        /// Says who a person is.
        Pii = "PII", "pii";
        /// Says how a person's health is.
        Phi = "PHI", "phi";
    }
}

/// Where an approval stands (PROTOCOL 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecisionStatus {
    /// Not decided yet.
    Pending,
    /// Waits for a person.
    PendingReview,
    /// A person said yes.
    Approved,
    /// Policy or memory said yes.
    AutoApproved,
    /// Said yes, and the action ran: the reference's word for an allow.
    Executed,
    /// A person said no.
    Rejected,
    /// Policy or a hard rule said no.
    Blocked,
    /// Nobody decided, or nobody claimed, in time.
    Expired,
    /// The service could not decide.
    Failed,
}

impl DecisionStatus {
    /// All statuses, in the order of an approval's life.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::PendingReview,
        Self::Approved,
        Self::AutoApproved,
        Self::Executed,
        Self::Rejected,
        Self::Blocked,
        Self::Expired,
        Self::Failed,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::PendingReview => "pending_review",
            Self::Approved => "approved",
            Self::AutoApproved => "auto_approved",
            Self::Executed => "executed",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The status that `text` names, exactly as written on the wire: `"APPROVED"` is no status.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing will change it any more.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::PendingReview)
    }

    /// Whether it lets an action run.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::AutoApproved | Self::Executed)
    }
}

impl FromStr for DecisionStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::parse(text).ok_or(UnknownWord)
    }
}

impl fmt::Display for DecisionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_parse_in_any_case_and_are_sent_canonically() {
        for level in RiskLevel::ALL {
            assert_eq!(
                RiskLevel::parse(&level.as_str().to_uppercase()),
                Some(level)
            );
        }
        assert_eq!(RiskLevel::parse(" low"), None);
        for word in OperationClass::KNOWN {
            let class = OperationClass::parse(&word.to_uppercase()).unwrap();
            assert_eq!(class.as_str(), *word);
        }
        for word in DataSensitivity::KNOWN {
            let sensitivity = DataSensitivity::parse(&word.to_lowercase()).unwrap();
            assert_eq!(sensitivity.as_str(), *word);
            assert_eq!(sensitivity.fold(), word.to_lowercase());
        }
    }

    #[test]
    fn a_custom_word_is_sent_as_written_and_compared_folded() {
        let class = OperationClass::from_text("Wire_Transfer");
        assert_eq!(class.as_str(), "Wire_Transfer");
        assert_eq!(class.fold(), "wire_transfer");
        assert_eq!(
            OperationClass::custom("READ").fold(),
            OperationClass::Read.fold()
        );
        assert_eq!(DataSensitivity::from_text("pii"), DataSensitivity::Pii);
    }

    #[test]
    fn words_work_in_const_items() {
        const CLASS: OperationClass = OperationClass::Financial;
        const TEXT: Option<&str> = CLASS.known();
        const RISK: Option<RiskLevel> = RiskLevel::parse("HIGH");
        assert_eq!((TEXT, RISK), (Some("financial"), Some(RiskLevel::High)));
    }

    #[test]
    fn status_words_are_exact_and_know_their_end() {
        for status in DecisionStatus::ALL {
            assert_eq!(DecisionStatus::parse(status.as_str()), Some(status));
            assert!(!status.is_approved() || status.is_terminal());
        }
        assert_eq!(DecisionStatus::parse("APPROVED"), None);
        assert!(!DecisionStatus::PendingReview.is_terminal());
        assert!(!DecisionStatus::Blocked.is_approved());
    }
}
