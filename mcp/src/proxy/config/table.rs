//! Reading a TOML file member by member, so that every fault names file, line, key and rule, and
//! never a value: that may be a secret in the wrong place.

use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use sernixa_protocol::display::one_line;
use sernixa_protocol::duration;
use sernixa_protocol::suggest::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with `sernixa.toml`, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(super) fn new(file: &Path, fault: impl fmt::Display) -> Self {
        Self(format!("{}: {fault}", one_line(&file.to_string_lossy())))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The file that is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    fn fault(&self, at: usize, fault: impl fmt::Display) -> ConfigError {
        let before = self.text.get(..at).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        ConfigError::new(self.file, format_args!("line {line}: {fault}"))
    }
}

/// One table of the file. Every member is taken once; [`Table::end`] refuses what is left.
pub(super) struct Table<'a> {
    source: Source<'a>,
    /// The names of the tables around it, with dots.
    path: String,
    /// Where it begins.
    at: usize,
    members: DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole of a file's text.
    pub(super) fn root(source: Source<'a>) -> Result<Self, ConfigError> {
        let parsed = DeTable::parse(source.text).map_err(|error| {
            let what = error.message().lines().next().unwrap_or_default();
            let at = error.span().map_or(0, |span| span.start);
            source.fault(at, one_line(what))
        })?;
        Ok(Self::of(source, String::new(), 0, parsed.into_inner()))
    }

    fn of(source: Source<'a>, path: String, at: usize, members: DeTable<'a>) -> Self {
        Self {
            source,
            path,
            at,
            members,
            known: Vec::new(),
        }
    }

    fn full(&self, name: &str) -> String {
        // A tool's name may hold dots and worse.
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let name = if !name.is_empty() && name.bytes().all(bare) {
            name.to_owned()
        } else {
            format!("\"{}\"", one_line(name))
        };
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// The member `name`, which stands at `at`, breaks `rule`.
    pub(super) fn fault(&self, name: &str, at: usize, rule: &str) -> ConfigError {
        let name = self.full(name);
        self.source.fault(at, format_args!("`{name}` {rule}"))
    }

    fn take(&mut self, name: &'static str) -> Option<(usize, DeValue<'a>)> {
        self.known.push(name);
        let (key, value) = self.members.remove_entry(name)?;
        Some((key.span().start, value.into_inner()))
    }

    /// A table within this one; an empty one if it is not there.
    pub(super) fn table(&mut self, name: &'static str) -> Result<Self, ConfigError> {
        match self.take(name) {
            None => {
                let (path, at) = (self.full(name), self.at);
                Ok(Self::of(self.source, path, at, DeTable::new()))
            }
            Some((at, DeValue::Table(members))) => {
                Ok(Self::of(self.source, self.full(name), at, members))
            }
            Some((at, _)) => Err(self.fault(name, at, "must be a table")),
        }
    }

    /// The tables within this one, which have names of the operator's choice.
    pub(super) fn named(self) -> Result<Vec<(String, Self)>, ConfigError> {
        let mut out = Vec::new();
        for (key, value) in self.members.clone() {
            let at = key.span().start;
            match value.into_inner() {
                DeValue::Table(members) => {
                    let inner = Self::of(self.source, self.full(key.as_ref()), at, members);
                    out.push((key.into_inner().into_owned(), inner));
                }
                _ => return Err(self.fault(key.as_ref(), at, "must be a table")),
            }
        }
        Ok(out)
    }

    /// Where this table begins, for a fault of its name.
    pub(super) fn misnamed(&self, rule: &str) -> ConfigError {
        self.source
            .fault(self.at, format_args!("`{}` {rule}", self.path))
    }

    /// A text that `read` understands; `rule` says what that is.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some((at, value)) => value
                .as_str()
                .and_then(read)
                .map(Some)
                .ok_or_else(|| self.fault(name, at, rule)),
        }
    }

    /// A known word.
    pub(super) fn word<T>(
        &mut self,
        name: &'static str,
        words: &[&str],
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((at, value)) = self.take(name) else {
            return Ok(None);
        };
        let text = value.as_str().unwrap_or_default();
        if let Some(meant) = read(text) {
            return Ok(Some(meant));
        }
        let mut rule = format!("must be one of {}", words.join(", "));
        if let Some(word) = nearest(text, words.iter().copied()) {
            let _ = write!(rule, "; did you mean \"{word}\"?");
        }
        Err(self.fault(name, at, &rule))
    }

    /// A list of texts, each of which `fits`; `rule` says what does.
    pub(super) fn texts(
        &mut self,
        name: &'static str,
        rule: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some((at, value)) = self.take(name) else {
            return Ok(None);
        };
        let list = value
            .as_array()
            .ok_or_else(|| self.fault(name, at, rule))?
            .iter()
            .map(|item| {
                let text = item.get_ref().as_str().filter(|text| fits(text));
                text.map(str::to_owned)
                    .ok_or_else(|| self.fault(name, item.span().start, rule))
            })
            .collect::<Result<_, _>>()?;
        Ok(Some(list))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some((_, DeValue::Boolean(flag))) => Ok(Some(flag)),
            Some((at, _)) => Err(self.fault(name, at, "must be true or false, without quotes")),
        }
    }

    /// A duration within bounds.
    pub(super) fn duration(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, ConfigError> {
        let (least, most) = bounds.clone().into_inner();
        let (least, most) = (duration::Shown(least), duration::Shown(most));
        let rule = format!(
            "must be a duration such as \"45s\", \"2m\" or \"1m30s\", from {least} to {most}"
        );
        self.read(name, &rule, |text| {
            duration::parse(text).filter(|duration| bounds.contains(duration))
        })
    }

    /// Refuses what nobody took.
    pub(super) fn end(self) -> Result<(), ConfigError> {
        // The first in the file, since the map has an order of its own.
        let unknown = self.members.keys().min_by_key(|key| key.span().start);
        let Some(unknown) = unknown else {
            return Ok(());
        };
        let mut rule = format!("is not a setting; known here: {}", self.known.join(", "));
        if let Some(word) = nearest(unknown.as_ref(), self.known.iter().copied()) {
            let _ = write!(rule, "; did you mean `{word}`?");
        }
        Err(self.fault(unknown.as_ref(), Spanned::span(unknown).start, &rule))
    }
}
