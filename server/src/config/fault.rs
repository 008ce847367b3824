//! What is wrong with a configuration: file, key and rule.

use std::fmt;
use std::path::Path;

use sernixa_protocol::display::one_line;

/// What is wrong with a configuration, and what would be right. It never holds a value: that may be
/// a secret in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(file: &Path, fault: impl fmt::Display) -> Self {
        Self(format!("{}: {fault}", one_line(&file.to_string_lossy())))
    }

    pub(crate) fn of_key(file: &Path, key: &str, rule: &str) -> Self {
        Self::new(file, format_args!("`{}` {rule}", one_line(key)))
    }

    /// About a combination of settings, wherever they come from.
    pub(crate) fn of_settings(fault: impl Into<String>) -> Self {
        Self(fault.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
