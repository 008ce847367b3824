//! What to do with what is found, and how it is reported.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_core::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Map, Value};

/// What happens to metadata in which something is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// What is found is masked, and the metadata sent.
    #[default]
    Mask,
    /// The metadata is sent as it is, with the findings beside it.
    Warn,
    /// Nothing is sent.
    Block,
    /// Nothing is looked for.
    Off,
}

impl Mode {
    /// The word for it: `mask`, `warn`, `block` or `off`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Warn => "warn",
            Self::Block => "block",
            Self::Off => "off",
        }
    }

    /// The `dlp_status` of metadata with findings; none for `off`, which finds nothing. The
    /// reference says `masked` in mode `warn`, too, where nothing is (PROTOCOL 27.8).
    pub const fn status(self) -> Option<&'static str> {
        match self {
            Self::Mask => Some("masked"),
            Self::Warn => Some("warned"),
            Self::Block => Some("blocked"),
            Self::Off => None,
        }
    }

    /// The mode that `word` names, in any case.
    ///
    /// # Errors
    /// For every other word. The reference takes those to mean `off` (PROTOCOL 16).
    pub fn parse(word: &str) -> Result<Self, UnknownMode> {
        [Self::Mask, Self::Warn, Self::Block, Self::Off]
            .into_iter()
            .find(|mode| word.eq_ignore_ascii_case(mode.as_str()))
            .ok_or(UnknownMode(()))
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        Self::parse(word)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown DLP mode: expected mask, warn, block or off")]
pub struct UnknownMode(());

/// That something was found, and where; never the value.
///
/// In JSON it has the reference's three members: `kind`, `path`, `reaction`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// What it is: `email`, `credit_card_like`, or what a user's detector is called.
    pub kind: Cow<'static, str>,
    /// Where it is: `metadata.a[1].b`. Keys stand in it as they are after masking.
    pub path: String,
    /// What was done about it.
    pub reaction: Mode,
}

impl Finding {
    /// The finding as JSON.
    pub fn to_value(&self) -> Value {
        let member = |name: &str, text: &str| (name.to_owned(), Value::String(text.to_owned()));
        Value::Object(Map::from_iter([
            member("kind", &self.kind),
            member("path", &self.path),
            member("reaction", self.reaction.as_str()),
        ]))
    }

    /// Appends the finding as JSON text, members in the reference's order.
    pub fn write_json(&self, out: &mut String) {
        let mut name = "{\"kind\":";
        for (text, next) in [
            (&*self.kind, ",\"path\":"),
            (&self.path, ",\"reaction\":"),
            (self.reaction.as_str(), "}"),
        ] {
            out.push_str(name);
            crate::canonical::write_string(text, out);
            name = next;
        }
        out.push_str(name);
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Finding", 3)?;
        members.serialize_field("kind", &self.kind)?;
        members.serialize_field("path", &self.path)?;
        members.serialize_field("reaction", self.reaction.as_str())?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_one_of_four_words_and_nothing_else() {
        for mode in [Mode::Mask, Mode::Warn, Mode::Block, Mode::Off] {
            assert_eq!(mode.as_str().parse(), Ok(mode));
            assert_eq!(Mode::parse(&mode.as_str().to_uppercase()), Ok(mode));
        }
        for word in [
            "", " mask", "mask ", "masked", "none", "disabled", "0", "false", "maſk",
        ] {
            assert_eq!(Mode::parse(word), Err(UnknownMode(())), "{word}");
        }
        assert_eq!(Mode::default(), Mode::Mask);
        assert_eq!(Mode::Warn.status(), Some("warned"));
    }

    #[test]
    fn a_finding_has_the_references_three_members() {
        let finding = Finding {
            kind: "email".into(),
            path: "metadata.a\"b".into(),
            reaction: Mode::Mask,
        };
        let mut text = String::new();
        finding.write_json(&mut text);
        assert_eq!(
            text,
            r#"{"kind":"email","path":"metadata.a\"b","reaction":"mask"}"#
        );
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            finding.to_value()
        );
        assert_eq!(serde_json::to_value(&finding).unwrap(), finding.to_value());
    }
}
