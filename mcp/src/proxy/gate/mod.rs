//! The gate: decides each `tools/call`, and what is shown of the server's tools.
//!
//! Nothing is forwarded but what ends in [`Verdict::Forward`], and that takes a permit of the client, or
//! the unspent state of a call that was begun with one.

mod action;
mod answer;
mod call;
mod classify;
mod decide;
mod definition;
mod ordinals;
mod retry;
mod running;
mod seal;
mod show;
mod splice;
#[cfg(test)]
mod tests;
mod tools;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _};
use secrecy::ExposeSecret as _;
use sernixa::Client;
use sha2::Sha256;
use url::Url;

use super::config::Rules;
use super::seam::{Gate, Later, Line, ToolCall, Verdict};
use super::state::State;
use crate::message::Message;
use ordinals::Ordinals;
use seal::{Sealed, Sealer};
use tools::Tools;

/// How often a host may come back with a sealed state in one call: so often a person is waited for,
/// and so often a server may ask for input.
const ROUNDS: u8 = 8;

/// What a gate is made of.
pub(crate) struct Settings {
    /// The server's name, as the operator calls it:
    /// [`is_server_name`](super::config::is_server_name).
    pub(crate) server: String,
    /// Who is asked.
    pub(crate) client: Client,
    /// What `sernixa.toml` says of this server.
    pub(crate) rules: Rules,
    /// Pins, spent states, the proxy's own key.
    pub(crate) state: State,
    /// How long a call is held at most; zero: not at all, but for one look whether a person approved it
    /// before. What is shorter than a second counts as a second.
    pub(crate) hold: Duration,
    /// Where people decide, for hosts that can open it.
    pub(crate) console: Option<Url>,
    /// What a person types to decide, without the approval's id: `sernixa approvals approve`.
    pub(crate) decide: String,
    /// What to do when whoever decides is out of reach, in a sentence; empty for nothing.
    pub(crate) way_out: String,
}

/// The gate in front of one server.
pub(crate) struct ToolGate {
    core: Arc<Core>,
}

/// What a gate and the calls that it let through share.
struct Core {
    settings: Settings,
    tools: Tools,
    ordinals: Ordinals,
    sealer: Sealer,
    /// What this process digests calls with.
    digests: Hmac<Sha256>,
}

impl ToolGate {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut block = [0; 64];
        let key = settings.state.derive("digests");
        for (place, byte) in block.iter_mut().zip(key.expose_secret()) {
            *place = *byte;
        }
        let core = Core {
            tools: Tools::new(&settings.server, &settings.state, &settings.rules),
            ordinals: Ordinals::default(),
            sealer: Sealer::new(
                &settings.state,
                &settings.server,
                &settings.client.principal_digest(),
            ),
            digests: Hmac::new(&block.into()),
            settings,
        };
        Self {
            core: Arc::new(core),
        }
    }
}

impl Core {
    fn server(&self) -> &str {
        &self.settings.server
    }

    fn seal(&self, sealed: &Sealed) -> Option<String> {
        self.sealer.seal(sealed, SystemTime::now())
    }
}

impl Gate for ToolGate {
    fn call<'a>(&'a self, call: ToolCall, line: &'a dyn Line) -> Later<'a, Verdict> {
        Box::pin(decide::decide(&self.core, call, line))
    }

    fn listed<'a>(&'a self, answer: &'a Message) -> Later<'a, Bytes> {
        // As it comes, not as it is looked at.
        let changes = self.core.tools.changes();
        Box::pin(show::listed(&self.core, answer, changes))
    }

    fn tool<'a>(&'a self, call: &'a Message, line: &'a dyn Line) -> Later<'a, Option<Bytes>> {
        Box::pin(async move {
            let name = call.look(|root| {
                let name = root.get("params")?.get("name")?;
                Some(name.as_str()?.into_owned())
            })??;
            if self.core.is_hidden(&name) {
                return None;
            }
            let facts = self.core.tools.facts(&name, line).await;
            // Of several, the one that counts.
            let tool = facts.definitions.last()?;
            Some(Bytes::from(tool.text.clone()))
        })
    }

    fn tools_changed(&self) {
        self.core.tools.forget();
    }
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
