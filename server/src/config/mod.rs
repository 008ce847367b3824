//! What an operator chooses.

mod limits;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use sernixa_engine::{MemoryRule, Settings, Unbound};

pub use limits::Limits;

/// How the service is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For trying it on one machine: loopback only, one well-known key that may do everything.
    LocalDemo,
    /// For work: made keys, an organisation, signing secrets, an audit key.
    Production,
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
    /// The organisation of the demonstration key, and of keys that are made without another.
    pub organisation: Arc<str>,
    /// Where state is kept.
    pub store: StoreAt,
    /// The engine's settings.
    pub settings: Settings,
    /// What the service takes, and how long it waits.
    pub limits: Limits,
}

impl Config {
    /// For trying it: everything in memory, on port 8000 of this machine alone.
    pub fn local_demo() -> Self {
        let settings = Settings::local();
        Self {
            mode: Mode::LocalDemo,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            organisation: "local".into(),
            store: StoreAt::Memory,
            settings: Settings {
                memory: MemoryRule {
                    unbound: Unbound::Low,
                    ..settings.memory
                },
                ..settings
            },
            limits: Limits::default(),
        }
    }
}
