//! What a service says when it starts: to the log, for whoever runs it.

use std::net::SocketAddr;
use std::path::Path;

use sernixa_protocol::display::one_line;

use crate::app::Shared;
use crate::config::{Mode, Origin, StoreAt};
use crate::door::DEMO_KEY;

/// Says how the service runs.
pub(crate) fn tell(app: &Shared, address: SocketAddr) {
    let config = &app.config;
    let store = match &config.store {
        StoreAt::Memory => "memory, gone when this process ends".to_owned(),
        StoreAt::File(path) => one_line(&path.to_string_lossy()).to_string(),
    };
    let audit = app.engine.audit_public_key();
    let audit = audit.map_or_else(|| "none".to_owned(), |key| key.to_string());
    tracing::info!(
        %address,
        mode = config.mode.as_str(),
        organisation = &*config.organisation,
        store,
        policy = %app.engine.policy_digest(),
        policies = if config.policies.is_some() { "folder" } else { "default" },
        signing_keys = config.keyring.keys().len(),
        audit_public_key = audit,
        "the service starts"
    );
    if config.mode == Mode::LocalDemo {
        tracing::warn!(
            "LOCAL DEMO: everybody on this machine may do everything with the key `{DEMO_KEY}`, and \
             whoever asks may approve it themselves. Never for work: use --mode production there"
        );
    }
    if config.behind_proxy && !address.ip().is_loopback() {
        tracing::warn!(
            "{address} is reachable from other machines in plain HTTP; it relies on the reverse proxy \
             in front for TLS"
        );
    }
}

/// Says where the key that signs the audit comes from.
pub(crate) fn audit_key(path: &Path, origin: Origin) {
    if origin == Origin::Made {
        tracing::info!(
            file = %one_line(&path.to_string_lossy()),
            "a new key for signing the audit was made; keep a copy, and write its public half down \
             elsewhere: `sernixa audit verify --key` needs it"
        );
    }
}
