//! Who decides the calls: a service, or an engine in this process on a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sernixa::Client;
use sernixa_engine::Keyring;
use sernixa_mcp::proxy::state::State;
use sernixa_server::Local;
use sernixa_server::policies::Reloader;
use sernixa_store::SqliteStore;

use super::cannot_start;
use crate::backend::{DEFAULT_URL, Target, now};
use crate::global::variable;
use crate::{Failure, Global};

/// How much longer than a call is held the client would wait by itself.
const MARGIN: Duration = Duration::from_mins(1);

/// Who decides.
pub(super) struct Decider {
    pub(super) client: Client,
    target: Target,
    /// Keeps the policies of a folder in force.
    policies: Option<Arc<Reloader>>,
}

impl Decider {
    pub(super) fn open(
        target: &Target,
        config: Option<&Path>,
        hold: Duration,
        state: &State,
        global: &Global,
    ) -> Result<Self, Failure> {
        let mut policies = None;
        let mut builder = Client::builder()
            // Each call says itself how long it is held; this must not end first.
            .poll_timeout(hold + MARGIN);
        match (target, config) {
            (Target::Service(url), _) => {
                builder = builder.base_url(url.as_str().trim_end_matches('/'));
                if let Some(found) = global.credential()? {
                    builder = builder.access_token(found.secret);
                }
                if variable("SERNIXA_BINDING_KEY")?.is_none() {
                    let key: SecretString = state.binding_key();
                    builder = builder.binding_key(key);
                }
            }
            (Target::File(file), None) => {
                builder = builder.base_url(format!("embedded:{}", utf8(file)?));
            }
            (Target::File(file), Some(config)) => {
                let store = SqliteStore::open(file).map_err(|error| {
                    let message = format!("the store {} cannot be opened", file.display());
                    Failure::new(message).caused_by(error)
                })?;
                let opened =
                    Local::open(config, Arc::new(store), Keyring::new()).map_err(cannot_start)?;
                builder = builder.engine(opened.engine.clone());
                policies = opened.policies;
            }
        }
        Ok(Self {
            client: builder.build().map_err(cannot_start)?,
            target: target.clone(),
            policies,
        })
    }

    /// What has to run as long as the proxy does: policies are reloaded when their folder changes.
    pub(super) fn watch(&self) {
        if let Some(policies) = &self.policies {
            let policies = Arc::clone(policies);
            tokio::spawn(policies.watch_folder(now, std::future::pending()));
        }
    }

    pub(super) fn is_service(&self) -> bool {
        matches!(self.target, Target::Service(_))
    }

    /// Who decides, as the beginning of a sentence.
    pub(super) fn who(&self) -> String {
        match &self.target {
            Target::Service(url) => format!(
                "The service at {} decides",
                url.as_str().trim_end_matches('/')
            ),
            Target::File(file) => format!("Approvals are kept in {}", file.display()),
        }
    }

    /// What to do when it is out of reach: for whoever reads the refusal of a call.
    pub(super) fn way_out(&self) -> String {
        match &self.target {
            Target::Service(url) => format!(
                "(Whoever set this up can start the service at {}, as with `sernixa serve`, or have the \
                 proxy work on a file, with `--store FILE`.)",
                url.as_str().trim_end_matches('/')
            ),
            Target::File(_) => String::new(),
        }
    }

    /// A command about approvals that reaches the same place from any folder.
    pub(super) fn command(&self, word: &str) -> String {
        match &self.target {
            Target::Service(url) if url.as_str().trim_end_matches('/') == DEFAULT_URL => {
                format!("sernixa approvals {word}")
            }
            Target::Service(url) => {
                let url = url.as_str().trim_end_matches('/');
                format!("sernixa approvals {word} --base-url {}", quoted(url))
            }
            Target::File(file) => {
                let file = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
                let file = file.display().to_string();
                format!("sernixa approvals {word} --store {}", quoted(&file))
            }
        }
    }
}

fn utf8(file: &Path) -> Result<&str, Failure> {
    file.to_str()
        .ok_or_else(|| Failure::new("the path of --store is not UTF-8"))
}

/// As one word of a shell's.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
