//! What an operator chooses: a flag beats the file, the file beats the defaults.

mod audit_key;
mod fault;
mod file;
mod limits;
mod private_file;
mod section;
mod signing;
mod webhooks;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use sernixa_engine::{Keyring, MemoryRule, Settings, Unbound};

use crate::webhook::Webhook;

pub(crate) use audit_key::{Origin, open as open_audit_key};
pub use fault::ConfigError;
pub use limits::Limits;
pub(crate) use private_file::check as check_private;

use file::Written;

/// Where a service keeps its state when nothing else is said: in the folder it is started in.
pub const DEFAULT_STORE: &str = "sernixa.db";

/// How the service is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For trying it on one machine: loopback only, one well-known key that may do everything.
    LocalDemo,
    /// For work: made keys, an organisation, signing secrets, an audit key.
    Production,
}

impl Mode {
    /// The modes by their words in the file of settings.
    pub const WORDS: [(&'static str, Self); 2] = [
        ("local_demo", Self::LocalDemo),
        ("production", Self::Production),
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LocalDemo => "local_demo",
            Self::Production => "production",
        }
    }

    /// The mode that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::WORDS
            .into_iter()
            .find_map(|(word, mode)| (word == text).then_some(mode))
    }
}

/// Where state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAt {
    /// In this process alone; gone when it ends. For tests.
    Memory,
    /// In an `SQLite` file, made if there is none.
    File(PathBuf),
}

/// What an operator chooses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How the service is run.
    pub mode: Mode,
    /// Where it listens. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether something in front of it ends TLS: without, production listens on loopback alone.
    pub behind_proxy: bool,
    /// The organisation of the demonstration key, and of keys that are made without another.
    pub organisation: Arc<str>,
    /// Where state is kept.
    pub store: StoreAt,
    /// The file of the key that signs the audit, made at the first start; `None` signs nothing.
    pub audit_key: Option<PathBuf>,
    /// The secrets that delegated requests are signed with.
    pub keyring: Keyring,
    /// The folder of policies; `None` for the default policy.
    pub policies: Option<PathBuf>,
    /// The IANA time zone in which policies read the time. Default UTC.
    pub zone: Option<String>,
    /// The engine's settings.
    pub settings: Settings,
    /// Who hears of what waits for review.
    pub webhooks: Vec<Webhook>,
    /// What the service takes, and how long it waits.
    pub limits: Limits,
}

/// What flags say. What they do not say is `None`.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The file of settings.
    pub config: Option<PathBuf>,
    /// As [`Config::mode`].
    pub mode: Option<Mode>,
    /// As [`Config::listen`].
    pub listen: Option<SocketAddr>,
    /// As [`Config::behind_proxy`].
    pub behind_proxy: bool,
    /// As [`Config::organisation`].
    pub organisation: Option<String>,
    /// The file of [`StoreAt::File`].
    pub store: Option<PathBuf>,
    /// As [`Config::policies`].
    pub policies: Option<PathBuf>,
}

impl Config {
    /// For trying it: everything in memory, on port 8000 of this machine alone.
    pub fn local_demo() -> Self {
        Self {
            mode: Mode::LocalDemo,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            behind_proxy: false,
            organisation: "local".into(),
            store: StoreAt::Memory,
            audit_key: None,
            keyring: Keyring::new(),
            policies: None,
            zone: None,
            settings: settings(Mode::LocalDemo, &Written::default()),
            webhooks: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The settings of the file that `flags` name, overruled by `flags`; secrets from files of
    /// their own, or through `environment`, which reads a variable.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault, with the file, the key and the rule.
    pub fn load(
        flags: Flags,
        environment: &dyn Fn(&str) -> Option<SecretString>,
    ) -> Result<Self, ConfigError> {
        let written = match &flags.config {
            Some(path) => Written::read(path)?,
            None => Written::default(),
        };
        let mode = flags.mode.or(written.mode).unwrap_or(Mode::LocalDemo);
        let store = flags.store.or_else(|| written.store.clone());
        let store = store.unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
        let config = Self {
            mode,
            listen: flags
                .listen
                .or(written.listen)
                .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8000))),
            behind_proxy: flags.behind_proxy || written.behind_proxy.unwrap_or(false),
            organisation: organisation(mode, flags.organisation, &written)?,
            audit_key: Some(
                written
                    .audit_key
                    .clone()
                    .unwrap_or_else(|| beside(&store, ".audit-key")),
            ),
            store: StoreAt::File(store),
            keyring: signing::keyring(mode, written.signing_keys.as_deref(), environment)?,
            policies: flags.policies.or_else(|| written.policies.clone()),
            zone: written.zone.clone(),
            settings: settings(mode, &written),
            webhooks: written.webhooks(environment)?,
            limits: written.limits,
        };
        config.check()?;
        Ok(config)
    }

    /// The store and the organisation that `flags`, or the file they name, speak of.
    ///
    /// # Errors
    /// As [`Config::load`], for the file alone: no secrets are read.
    pub fn place(flags: &Flags) -> Result<(PathBuf, Arc<str>), ConfigError> {
        let written = match &flags.config {
            Some(path) => Written::read(path)?,
            None => Written::default(),
        };
        let mode = flags.mode.or(written.mode).unwrap_or(Mode::LocalDemo);
        let organisation = organisation(mode, flags.organisation.clone(), &written)?;
        let store = flags.store.clone().or(written.store);
        let store = store.unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
        Ok((store, organisation))
    }

    /// What the file says of deciding, for an engine in another process than a service: settings,
    /// policy folder and zone. Whoever may read and write its store is one person, who may decide.
    pub(crate) fn of_deciding(
        path: &Path,
    ) -> Result<(Settings, Option<PathBuf>, Option<String>), ConfigError> {
        let written = Written::read(path)?;
        let unbound = written.memory_unbound.unwrap_or(Unbound::Off);
        let mut settings = settings(Mode::LocalDemo, &written);
        settings.memory.unbound = unbound;
        Ok((settings, written.policies, written.zone))
    }

    /// Refuses what does not go together, however the configuration was made.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault.
    pub fn check(&self) -> Result<(), ConfigError> {
        let loopback = self.listen.ip().is_loopback();
        match self.mode {
            Mode::LocalDemo if !loopback => Err(ConfigError::of_settings(format!(
                "local demo mode has a key that everybody knows, so it listens on this machine alone; \
                 {} is not: use 127.0.0.1, or --mode production",
                self.listen
            ))),
            Mode::Production if !loopback && !self.behind_proxy => {
                Err(ConfigError::of_settings(format!(
                    "{} is reachable from other machines, and this service speaks plain HTTP, which \
                     would show every API key: listen on 127.0.0.1 with a reverse proxy for TLS in \
                     front (nginx, Caddy, Envoy), or, if the proxy runs elsewhere in a network you \
                     trust, say so with behind_proxy = true",
                    self.listen
                )))
            }
            Mode::Production if self.store == StoreAt::Memory => Err(ConfigError::of_settings(
                "production mode keeps its state in a file: set `store`",
            )),
            Mode::Production if self.audit_key.is_none() => Err(ConfigError::of_settings(
                "production mode signs its audit: set `audit_key` to a file",
            )),
            Mode::LocalDemo | Mode::Production => Ok(()),
        }
    }
}

fn organisation(
    mode: Mode,
    flag: Option<String>,
    written: &Written,
) -> Result<Arc<str>, ConfigError> {
    match (flag.or_else(|| written.organisation.clone()), mode) {
        (Some(name), _) if file::is_organisation(&name) => Ok(name.into()),
        (Some(_), _) => Err(ConfigError::of_settings(format!(
            "the organisation {}",
            Written::ORGANISATION
        ))),
        (None, Mode::LocalDemo) => Ok("local".into()),
        (None, Mode::Production) => Err(ConfigError::of_settings(
            "production mode needs the name of your organisation: set `organisation`, or use \
             --organisation NAME",
        )),
    }
}

/// The engine's settings: the mode's defaults, and what the file says.
fn settings(mode: Mode, written: &Written) -> Settings {
    let (default, unbound) = match mode {
        Mode::LocalDemo => (Settings::local(), Unbound::Low),
        Mode::Production => (Settings::default(), Unbound::Off),
    };
    Settings {
        ttl: written.ttl.unwrap_or(default.ttl),
        claim_within: written.claim_by.unwrap_or(default.claim_within),
        outcome_within: written.outcome_within.unwrap_or(default.outcome_within),
        memory: MemoryRule {
            threshold: written.memory_threshold.unwrap_or(default.memory.threshold),
            window: written.memory_window.unwrap_or(default.memory.window),
            unbound: written.memory_unbound.unwrap_or(unbound),
        },
        ..default
    }
}

/// The path of a file that belongs to `store`.
fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: Flags) -> Result<Config, String> {
        Config::load(flags, &|_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_it_is_a_demonstration_for_this_machine() {
        let config = load(Flags::default()).unwrap();
        assert_eq!(config.mode, Mode::LocalDemo);
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.store, StoreAt::File("sernixa.db".into()));
        assert_eq!(config.audit_key, Some("sernixa.db.audit-key".into()));
        assert_eq!(config.settings.memory.unbound, Unbound::Low);
    }

    #[test]
    fn a_demonstration_never_listens_to_other_machines() {
        let flags = Flags {
            listen: Some("0.0.0.0:8000".parse().unwrap()),
            behind_proxy: true,
            ..Flags::default()
        };
        assert!(load(flags).unwrap_err().contains("this machine alone"));
    }

    #[test]
    fn production_asks_for_what_it_needs_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sernixa.toml");
        let keys = folder.path().join("keys.toml");
        let key =
            "[[key]]\nid = \"a\"\nsecret = \"0123456789abcdef\"\nowner = \"o\"\nagents = [\"*\"]\n";
        private_file::create(&keys, key).unwrap();
        let mut text = String::from("mode = \"production\"\n");
        let production = |text: &str, listen: Option<&str>| {
            std::fs::write(&file, text).unwrap();
            load(Flags {
                config: Some(file.clone()),
                listen: listen.map(|listen| listen.parse().unwrap()),
                ..Flags::default()
            })
        };
        assert!(
            production(&text, None)
                .unwrap_err()
                .contains("organisation")
        );
        text.push_str("organisation = \"acme\"\n");
        assert!(
            production(&text, None)
                .unwrap_err()
                .contains("signing_keys")
        );
        text.push_str("signing_keys = \"keys.toml\"\n");
        let config = production(&text, None).unwrap();
        assert_eq!(config.settings.memory.unbound, Unbound::Off);
        assert_eq!(
            config.settings.self_decision,
            sernixa_engine::SelfDecision::Refused
        );
        let open = Some("0.0.0.0:8000");
        assert!(
            production(&text, open)
                .unwrap_err()
                .contains("behind_proxy")
        );
        text.push_str("behind_proxy = true\n");
        assert!(production(&text, open).is_ok());
    }

    #[test]
    fn a_flag_beats_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sernixa.toml");
        std::fs::write(
            &file,
            "listen = \"127.0.0.1:9\"\nstore = \"one.db\"\nttl = \"1m\"",
        )
        .unwrap();
        let config = load(Flags {
            config: Some(file),
            store: Some("two.db".into()),
            ..Flags::default()
        });
        let config = config.unwrap();
        assert_eq!(config.listen.port(), 9);
        assert_eq!(config.store, StoreAt::File("two.db".into()));
        assert_eq!(config.settings.ttl.as_secs(), 60);
    }
}
