//! The file of settings: `sernixa.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sernixa_engine::Unbound;

use super::fault::ConfigError;
use super::section::Section;
use super::webhooks::{self, WrittenHook};
use super::{Limits, Mode};

/// The most bytes that a file of settings holds.
const FILE_MAX: u64 = 1 << 20;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

/// What a file says; what it does not say is `None`.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) mode: Option<Mode>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) organisation: Option<String>,
    pub(super) store: Option<PathBuf>,
    pub(super) zone: Option<String>,
    pub(super) policies: Option<PathBuf>,
    pub(super) signing_keys: Option<PathBuf>,
    pub(super) audit_key: Option<PathBuf>,
    pub(super) behind_proxy: Option<bool>,
    pub(super) ttl: Option<Duration>,
    pub(super) claim_by: Option<Duration>,
    pub(super) outcome_within: Option<Duration>,
    pub(super) memory_threshold: Option<u32>,
    pub(super) memory_window: Option<Duration>,
    pub(super) memory_unbound: Option<Unbound>,
    pub(super) webhooks: Vec<WrittenHook>,
    pub(super) limits: Limits,
}

impl Written {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let fault = |error| ConfigError::new(path, format_args!("cannot be read: {error}"));
        let size = std::fs::metadata(path).map_err(fault)?.len();
        if size > FILE_MAX {
            return Err(ConfigError::new(path, "is larger than 1 MiB"));
        }
        let text = std::fs::read_to_string(path).map_err(fault)?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut root = Section::root(path, text)?;
        let mut memory = root.section("memory")?;
        let mut limits = root.section("limits")?;
        let written = Self {
            mode: root.word("mode", &Mode::WORDS)?,
            listen: root.read(
                "listen",
                "must be an IP address with a port, such as \"127.0.0.1:8000\"",
                |text| text.parse().ok(),
            )?,
            organisation: root.read("organisation", Self::ORGANISATION, |text| {
                is_organisation(text).then(|| text.to_owned())
            })?,
            store: root.path("store")?,
            zone: root.text("zone")?,
            policies: root.path("policies")?,
            signing_keys: root.path("signing_keys")?,
            audit_key: root.path("audit_key")?,
            behind_proxy: root.flag("behind_proxy")?,
            ttl: root.duration("ttl", SECOND..=30 * DAY)?,
            claim_by: root.duration("claim_by", SECOND..=DAY)?,
            outcome_within: root.duration("outcome_within", SECOND..=30 * DAY)?,
            memory_threshold: memory.number("threshold", 1..=100)?,
            memory_window: memory.duration("window", SECOND..=365 * DAY)?,
            memory_unbound: memory
                .word("unbound", &[("off", Unbound::Off), ("low", Unbound::Low)])?,
            webhooks: webhooks::read(&mut root)?,
            limits: read_limits(&mut limits)?,
        };
        memory.end()?;
        limits.end()?;
        // The proxy's: `sernixa mcp proxy` reads it, and is as strict.
        root.leave("mcp");
        root.end()?;
        Ok(written)
    }

    /// What an organisation may be called.
    pub(super) const ORGANISATION: &'static str =
        "must have 1 to 64 characters: letters, digits, `.`, `_` and `-`";
}

/// An organisation's name stands in URLs, file names and audit chains.
pub(super) fn is_organisation(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn read_limits(section: &mut Section<'_>) -> Result<Limits, ConfigError> {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    let default = Limits::default();
    let wait = SECOND..=10 * MINUTE;
    Ok(Limits {
        body_bytes: section
            .bytes("body", KIB..=MIB)?
            .unwrap_or(default.body_bytes),
        bundle_bytes: section
            .bytes("bundle", MIB..=64 * MIB)?
            .unwrap_or(default.bundle_bytes),
        head_bytes: section
            .bytes("head", KIB..=64 * KIB)?
            .unwrap_or(default.head_bytes),
        connections: section
            .number("connections", 1..=100_000)?
            .unwrap_or(default.connections),
        engine_calls: section
            .number("engine_calls", 1..=400)?
            .unwrap_or(default.engine_calls),
        requests_per_second: section
            .number("requests_per_second", 1..=1_000_000)?
            .unwrap_or(default.requests_per_second),
        reads_per_second: section
            .number("reads_per_second", 1..=1_000_000)?
            .unwrap_or(default.reads_per_second),
        attempts_per_minute: section
            .number("attempts_per_minute", 1..=1_000_000)?
            .unwrap_or(default.attempts_per_minute),
        request_timeout: section
            .duration("request_timeout", wait.clone())?
            .unwrap_or(default.request_timeout),
        head_timeout: section
            .duration("head_timeout", wait.clone())?
            .unwrap_or(default.head_timeout),
        body_timeout: section
            .duration("body_timeout", wait.clone())?
            .unwrap_or(default.body_timeout),
        write_timeout: section
            .duration("write_timeout", wait.clone())?
            .unwrap_or(default.write_timeout),
        shutdown: section
            .duration("shutdown", wait)?
            .unwrap_or(default.shutdown),
        ..default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Written::parse(Path::new("sernixa.toml"), text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            mode = "production"
            listen = "127.0.0.1:9000"
            organisation = "acme"
            store = "data/sernixa.db"
            zone = "Europe/Berlin"
            policies = "/etc/sernixa/policies"
            ttl = "15m"
            claim_by = "10m"
            [memory]
            threshold = 5
            window = "7d"
            unbound = "off"
            [limits]
            body = "512KiB"
            connections = 10
            request_timeout = "5s"
        "#;
        let written = Written::parse(Path::new("/etc/sernixa/sernixa.toml"), text).unwrap();
        assert_eq!(written.mode, Some(Mode::Production));
        assert_eq!(written.listen.unwrap().port(), 9_000);
        assert_eq!(
            written.store.unwrap(),
            Path::new("/etc/sernixa/data/sernixa.db")
        );
        assert_eq!(
            written.policies.unwrap(),
            Path::new("/etc/sernixa/policies")
        );
        assert_eq!(written.ttl, Some(Duration::from_mins(15)));
        assert_eq!(written.memory_threshold, Some(5));
        assert_eq!(written.memory_unbound, Some(Unbound::Off));
        assert_eq!(written.limits.body_bytes, 512 << 10);
        assert_eq!(written.limits.connections, 10);
        assert_eq!(written.limits.request_timeout, Duration::from_secs(5));
        assert_eq!(written.limits.head_timeout, Limits::default().head_timeout);
    }

    #[test]
    fn the_table_of_the_mcp_proxy_is_left_to_the_proxy() {
        let text = "mode = \"production\"\n[mcp.servers.files]\nanything = 1";
        let written = Written::parse(Path::new("sernixa.toml"), text).unwrap();
        assert_eq!(written.mode, Some(Mode::Production));
    }

    #[test]
    fn every_fault_names_file_key_and_rule() {
        for (text, says) in [
            (
                "organization = \"a\"",
                "`organization` is not a setting; did you mean `organisation`?",
            ),
            (
                "[memory]\ntreshold = 3",
                "`memory.treshold` is not a setting; did you mean `threshold`?",
            ),
            (
                "xyzzy = 1",
                "`xyzzy` is not a setting; known here: memory, limits, mode,",
            ),
            ("ttl = 15", "`ttl` must be a duration such as"),
            ("ttl = \"15\"", "from 1s to 30d"),
            ("ttl = \"31d\"", "`ttl` must be a duration"),
            ("claim_by = \"0s\"", "`claim_by` must be a duration"),
            (
                "mode = \"prod\"",
                "`mode` must be \"local_demo\" or \"production\"",
            ),
            ("mode = 1", "`mode` must be a text"),
            (
                "listen = \"localhost\"",
                "`listen` must be an IP address with a port",
            ),
            (
                "organisation = \"a b\"",
                "`organisation` must have 1 to 64 characters",
            ),
            ("memory = 3", "`memory` must be a table"),
            (
                "[memory]\nthreshold = 0",
                "`memory.threshold` must be a whole number from 1 to 100",
            ),
            ("[memory]\nthreshold = -1", "`memory.threshold` must be"),
            ("[memory]\nunbound = \"LOW\"", "did you mean \"low\"?"),
            (
                "[limits]\nbody = \"2MiB\"",
                "`limits.body` must be a number of bytes",
            ),
            (
                "[limits]\nbody = \"9999999999999999999MiB\"",
                "`limits.body`",
            ),
            (
                "policies = \"\"",
                "`policies` must be a text that is not empty",
            ),
            ("ttl = \"15m\"\nttl = \"15m\"", "line 2"),
            ("mode = ", "line 1"),
        ] {
            let fault = fault(text);
            assert!(fault.starts_with("sernixa.toml: "), "{fault}");
            assert!(fault.contains(says), "{text:?}: {fault}");
        }
    }

    #[test]
    fn the_documentation_names_every_setting_and_reads_as_it_says() {
        const SETTINGS: &str = include_str!("../../../docs/settings.md");
        let block = |nth: usize| {
            let (_, rest) = SETTINGS
                .match_indices("```toml\n")
                .map(|(at, fence)| SETTINGS.split_at(at + fence.len()))
                .nth(nth)
                .unwrap();
            rest.split("```").next().unwrap()
        };
        let written = Written::parse(Path::new("sernixa.toml"), block(0)).unwrap();
        // What is written there as a default is one.
        assert_eq!(written.limits, Limits::default());
        let default = sernixa_engine::Settings::default();
        assert_eq!(written.ttl, Some(default.ttl));
        assert_eq!(written.claim_by, Some(default.claim_within));
        assert_eq!(written.outcome_within, Some(default.outcome_within));
        assert_eq!(written.memory_window, Some(default.memory.window));
        assert_eq!(written.memory_threshold, Some(default.memory.threshold));
        for unknown in ["", "[memory]\n", "[limits]\n"] {
            let fault = fault(&format!("{unknown}qqqqqqqqq = 1"));
            let (_, known) = fault.split_once("known here: ").unwrap();
            for name in known.split(", ") {
                let is_there = block(0).lines().any(|line| {
                    let line = line.trim_start_matches('[');
                    line.strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with([' ', ']']))
                });
                assert!(is_there, "`{name}` is not documented");
            }
        }
    }

    #[test]
    fn a_fault_repeats_no_value() {
        for text in [
            "organisation = \"hunter2 hunter2\"",
            "listen = \"hunter2\"",
            "mode = \"hunter2\"",
            "ttl = \"hunter2\"",
            "[limits]\nbody = \"hunter2\"",
            "policies = \"hunter2",
            "signing_keys = { secret = \"hunter2\" }",
        ] {
            assert!(!fault(text).contains("hunter2"), "{}", fault(text));
        }
    }
}
