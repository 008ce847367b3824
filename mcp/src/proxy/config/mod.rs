//! The `[mcp]` table of `sernixa.toml`: how the tools of each server are classified, and what the
//! proxy does by default. What stands beside it belongs to the service, and is not read.

mod table;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use sernixa::{DataSensitivity, OperationClass, RiskLevel};
use sernixa_protocol::rules;
use url::Url;

pub use table::ConfigError;
use table::{Source, Table};

/// The most bytes that a file of settings holds.
const FILE_MAX: u64 = 1 << 20;

/// The longest that a call may be held.
pub const HOLD_MAX: Duration = Duration::from_hours(1);

/// How long a call is held where nobody says.
pub const HOLD_DEFAULT: Duration = Duration::from_secs(45);

/// The `[mcp]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `hold`: how long a call is held at most, 0 s to 1 h; a flag beats it.
    pub hold: Option<Duration>,
    /// `console`: where people decide; a flag beats it.
    pub console: Option<Url>,
    /// `allow_methods`: methods outside the specification that may pass.
    pub allow_methods: Vec<String>,
    servers: BTreeMap<String, Rules>,
}

/// `[mcp.servers.NAME]`: what the operator says of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `trust_annotations`: what the server says of its tools may make them less grave.
    pub trust_annotations: bool,
    /// `intent_id`; else `mcp:NAME`.
    pub intent_id: Option<String>,
    /// What holds for its tools where nothing else is said.
    pub defaults: Given,
    tools: BTreeMap<String, ToolRules>,
}

/// A classification, as far as it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `risk_level`.
    pub risk: Option<RiskLevel>,
    /// `operation_class`.
    pub class: Option<OperationClass>,
    /// `data_sensitivity`.
    pub sensitivity: Option<DataSensitivity>,
    /// `systems`: at least one.
    pub systems: Option<Vec<String>>,
}

/// `[mcp.servers.NAME.tools."TOOL"]`: what the operator says of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolRules {
    /// What holds for it, whatever else is said.
    pub given: Given,
    /// `hidden`: it is not shown, and not called.
    pub hidden: bool,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or says what is not allowed: file, line, key and rule.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let fault = |error| ConfigError::new(path, format_args!("cannot be read: {error}"));
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text))
            .map_err(fault)?;
        if text.len() as u64 > FILE_MAX {
            return Err(ConfigError::new(path, "is larger than 1 MiB"));
        }
        Self::parse(path, &text)
    }

    /// Reads a file's text; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut root = Table::root(Source { file, text })?;
        let mut table = root.table("mcp")?;
        let config = Self {
            hold: table.duration("hold", Duration::ZERO..=HOLD_MAX)?,
            console: table.read("console", CONSOLE, console)?,
            allow_methods: table
                .texts("allow_methods", METHODS, is_method)?
                .unwrap_or_default(),
            servers: table
                .table("servers")?
                .named()?
                .into_iter()
                .map(server)
                .collect::<Result<_, _>>()?,
        };
        table.end()?;
        Ok(config)
    }

    /// What it says of the server called `name`.
    pub fn server(&self, name: &str) -> Rules {
        self.servers.get(name).cloned().unwrap_or_default()
    }

    /// The servers that the file names, where it names some and not this one: a name that was
    /// misspelt would leave a server without its settings.
    pub fn others(&self, name: &str) -> Option<String> {
        if self.servers.is_empty() || self.servers.contains_key(name) {
            return None;
        }
        let names: Vec<&str> = self.servers.keys().map(String::as_str).collect();
        Some(names.join(", "))
    }
}

impl Rules {
    /// What it says of a tool; the name is taken as the server writes it.
    pub fn tool(&self, name: &str) -> Option<&ToolRules> {
        self.tools.get(name)
    }

    /// The tools that it says something of.
    pub fn tool_names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }
}

/// Whether a server may be called so: it stands in intents, paths of tools and messages.
pub fn is_server_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// What a server may be called, for messages.
pub const SERVER_NAME: &str = "must have 1 to 64 characters: letters, digits, `.`, `_` and `-`";

const CONSOLE: &str =
    "must be an http(s) URL without user name, query and fragment: https:// beyond this machine";
const METHODS: &str = "must be a list of methods as they stand in messages: [\"vendor/method\"]";
const INTENT: &str = "must be a text that is not blank, at most 128 characters";
const SYSTEMS: &str = "must be a list of names that are not blank: [\"crm\", \"mail\"]";

/// A console's address, as [`Config::console`] may hold it.
pub fn console(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let local = match url.host()? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
    };
    let plain = url.scheme() == "http" && local;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    ((plain || url.scheme() == "https") && bare).then_some(url)
}

fn is_method(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn server((name, mut table): (String, Table<'_>)) -> Result<(String, Rules), ConfigError> {
    if !is_server_name(&name) {
        return Err(table.misnamed(SERVER_NAME));
    }
    let rules = Rules {
        trust_annotations: table.flag("trust_annotations")?.unwrap_or_default(),
        intent_id: table.read("intent_id", INTENT, |text| {
            rules::intent_id(text).is_ok().then(|| text.to_owned())
        })?,
        defaults: given(&mut table)?,
        tools: table
            .table("tools")?
            .named()?
            .into_iter()
            .map(tool)
            .collect::<Result<_, _>>()?,
    };
    table.end()?;
    Ok((name, rules))
}

fn tool((name, mut table): (String, Table<'_>)) -> Result<(String, ToolRules), ConfigError> {
    let rules = ToolRules {
        given: given(&mut table)?,
        hidden: table.flag("hidden")?.unwrap_or_default(),
    };
    table.end()?;
    Ok((name, rules))
}

/// A word of the operator's own stands behind this.
const CUSTOM: &str = "custom:";

fn custom(text: &str) -> Option<String> {
    let word = text.strip_prefix(CUSTOM)?;
    (!word.trim().is_empty()).then(|| word.to_owned())
}

fn given(table: &mut Table<'_>) -> Result<Given, ConfigError> {
    let with_custom = |known: &[&'static str]| [known, &["custom:WORD"]].concat();
    Ok(Given {
        risk: table.word(
            "risk_level",
            &["low", "medium", "high", "critical"],
            RiskLevel::parse,
        )?,
        class: table.word(
            "operation_class",
            &with_custom(OperationClass::KNOWN),
            |text| {
                OperationClass::parse(text).or_else(|| custom(text).map(OperationClass::from_text))
            },
        )?,
        sensitivity: table.word(
            "data_sensitivity",
            &with_custom(DataSensitivity::KNOWN),
            |text| {
                DataSensitivity::parse(text)
                    .or_else(|| custom(text).map(DataSensitivity::from_text))
            },
        )?,
        systems: table
            .texts("systems", SYSTEMS, |text| !text.trim().is_empty())?
            .map(|systems| {
                if systems.is_empty() {
                    return Err(table.misnamed("`systems` names no system; leave it out instead"));
                }
                Ok(systems)
            })
            .transpose()?,
    })
}

#[cfg(test)]
mod tests;
