//! Reading a TOML file member by member, so that every fault names file, key and rule.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sernixa_protocol::display::one_line;
use sernixa_protocol::duration;
use sernixa_protocol::suggest::nearest;
use toml::{Table, Value};

use super::fault::ConfigError;

/// One table of the file. Every member is taken once; [`Section::end`] refuses what is left.
pub(super) struct Section<'a> {
    file: &'a Path,
    /// The names of the tables around it, with dots.
    path: String,
    table: Table,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The whole of a file's text.
    pub(super) fn root(file: &'a Path, text: &str) -> Result<Self, ConfigError> {
        let table = text.parse::<Table>().map_err(|error| {
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or_default();
                1 + before.matches('\n').count()
            });
            let what = error
                .message()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            ConfigError::new(file, format!("line {line}: {}", one_line(&what)))
        })?;
        Ok(Self::of(file, String::new(), table))
    }

    fn of(file: &'a Path, path: String, table: Table) -> Self {
        Self {
            file,
            path,
            table,
            known: Vec::new(),
        }
    }

    /// The name of a member with the tables around it.
    fn full(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A member that breaks `rule`, which says what would fit.
    pub(super) fn fault(&self, name: &str, rule: &str) -> ConfigError {
        ConfigError::of_key(self.file, &self.full(name), rule)
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.table.remove(name)
    }

    /// A table within this one; an empty one if it is not there.
    pub(super) fn section(&mut self, name: &'static str) -> Result<Section<'a>, ConfigError> {
        let table = match self.take(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => return Err(self.fault(name, "must be a table: `[name]`")),
        };
        Ok(Section::of(self.file, self.full(name), table))
    }

    /// A list of tables; an empty one if it is not there.
    pub(super) fn sections(&mut self, name: &'static str) -> Result<Vec<Section<'a>>, ConfigError> {
        let list = match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.fault(name, "must be a list of tables: `[[name]]`")),
        };
        list.into_iter()
            .enumerate()
            .map(|(at, item)| match item {
                Value::Table(table) => {
                    let path = format!("{}[{at}]", self.full(name));
                    Ok(Section::of(self.file, path, table))
                }
                _ => Err(self.fault(name, "must be a list of tables: `[[name]]`")),
            })
            .collect()
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "must be a text that is not empty, in quotes")),
        }
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
            Some(Value::String(text)) => {
                read(&text).map(Some).ok_or_else(|| self.fault(name, rule))
            }
            Some(_) => Err(self.fault(name, rule)),
        }
    }

    /// A path; a relative one starts at the file's own folder.
    pub(super) fn path(&mut self, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        Ok(self.text(name)?.map(|text| folder.join(text)))
    }

    /// One of the words of `words`.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*meant));
        }
        let mut rule = String::from("must be ");
        for (at, (word, _)) in words.iter().enumerate() {
            let between = if at == 0 { "" } else { " or " };
            let _ = write!(rule, "{between}\"{word}\"");
        }
        if let Some(word) = nearest(&text, words.iter().map(|(word, _)| *word)) {
            let _ = write!(rule, "; did you mean \"{word}\"?");
        }
        Err(self.fault(name, &rule))
    }

    /// A list of texts that are not blank.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, ConfigError> {
        let rule = "must be a list of texts: [\"one\", \"two\"]";
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let Value::Array(list) = value else {
            return Err(self.fault(name, rule));
        };
        list.into_iter()
            .map(|item| match item {
                Value::String(text) if !text.trim().is_empty() => Ok(text),
                _ => Err(self.fault(name, rule)),
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.fault(name, "must be true or false, without quotes")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ConfigError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        value
            .as_integer()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .map(Some)
            .ok_or_else(|| {
                let (least, most) = bounds.into_inner();
                self.fault(
                    name,
                    &format!("must be a whole number from {least} to {most}"),
                )
            })
    }

    /// A duration within bounds.
    pub(super) fn duration(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, ConfigError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        value
            .as_str()
            .and_then(duration::parse)
            .filter(|duration| bounds.contains(duration))
            .map(Some)
            .ok_or_else(|| {
                let (least, most) = bounds.into_inner();
                let (least, most) = (duration::Shown(least), duration::Shown(most));
                let rule = format!(
                    "must be a duration such as \"90s\", \"15m\", \"1h30m\" or \"30d\", from {least} \
                     to {most}"
                );
                self.fault(name, &rule)
            })
    }

    /// A number of bytes within bounds: a whole number, or a text with KiB or MiB.
    pub(super) fn bytes(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let read = match &value {
            Value::Integer(number) => usize::try_from(*number).ok(),
            Value::String(text) => bytes(text),
            _ => None,
        };
        read.filter(|bytes| bounds.contains(bytes))
            .map(Some)
            .ok_or_else(|| {
                let (least, most) = bounds.into_inner();
                let rule = format!(
                    "must be a number of bytes, or a text as \"64KiB\" or \"2MiB\", from {least} to \
                     {most}"
                );
                self.fault(name, &rule)
            })
    }

    /// Leaves a table to whoever else reads this file.
    pub(super) fn leave(&mut self, name: &str) {
        self.table.remove(name);
    }

    /// Refuses what nobody took.
    pub(super) fn end(self) -> Result<(), ConfigError> {
        let Some(unknown) = self.table.keys().next() else {
            return Ok(());
        };
        let mut rule = String::from("is not a setting;");
        match nearest(unknown, self.known.iter().copied()) {
            Some(word) => {
                let _ = write!(rule, " did you mean `{word}`?");
            }
            None => {
                let _ = write!(rule, " known here: {}", self.known.join(", "));
            }
        }
        Err(self.fault(unknown, &rule))
    }
}

fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let (number, shift) = if let Some(number) = text.strip_suffix("KiB") {
        (number, 10)
    } else if let Some(number) = text.strip_suffix("MiB") {
        (number, 20)
    } else {
        (text, 0)
    };
    number.trim().parse::<usize>().ok()?.checked_mul(1 << shift)
}
