//! What the proxy needs to know of a request besides its method: its generation, its token, its host.
//!
//! A request says its own version in `_meta` from 2026-07-28 on, and that mark decides; else
//! `initialize` agreed on one, and a session that was opened so is of the older generation whatever
//! the version is called. A version that nobody knows yet is taken for the newest known generation.

use sernixa_protocol::json::Node;

use crate::message::{Generation, Id, Message};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const HOST: &str = "io.modelcontextprotocol/clientInfo";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// The longest name of a host that is kept, in characters.
const NAME_MAX: usize = 200;

/// What `initialize` said.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// A version was agreed on.
    pub(super) is_agreed: bool,
    pub(super) host_name: Option<String>,
}

/// What a request says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) token: Option<Id>,
    /// It names its own version.
    pub(super) names_version: bool,
    pub(super) host_name: Option<String>,
    pub(super) elicits_url: bool,
    pub(super) wants_logs: bool,
}

impl Facts {
    pub(super) fn of(message: &Message) -> Self {
        message.look(Self::read).flatten().unwrap_or_default()
    }

    fn read(root: Node<'_>) -> Option<Self> {
        let meta = root.get("params")?.get("_meta")?;
        Some(Self {
            token: meta.get("progressToken").and_then(Id::read),
            names_version: meta.get(VERSION).is_some(),
            host_name: meta.get(HOST).and_then(name),
            elicits_url: meta.get(CAPABILITIES).is_some_and(elicits_url),
            wants_logs: meta.get(LOG_LEVEL).is_some_and(|level| !level.is_null()),
        })
    }

    /// The generation, if the request says it.
    pub(super) fn generation(&self) -> Option<Generation> {
        self.names_version.then_some(Generation::Stateless)
    }
}

impl Session {
    /// What the host says in its `initialize`. A version counts only once the server agreed.
    pub(super) fn opened(message: &Message) -> Self {
        message
            .look(|root| {
                let params = root.get("params")?;
                Some(Self {
                    is_agreed: false,
                    host_name: params.get("clientInfo").and_then(name),
                })
            })
            .flatten()
            .unwrap_or_default()
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        self.is_agreed.then_some(Generation::Sessions)
    }
}

fn name(info: Node<'_>) -> Option<String> {
    let name = info.get("name")?.as_str()?;
    (!name.trim().is_empty()).then(|| name.chars().take(NAME_MAX).collect())
}

fn elicits_url(capabilities: Node<'_>) -> bool {
    capabilities
        .get("elicitation")
        .and_then(|elicitation| elicitation.get("url"))
        .is_some_and(|url| url.is_object())
}

/// The members of `_meta` that a question of the proxy's own needs to be of the same generation: the
/// request's own, as they are written.
pub(super) fn meta_of(message: &Message) -> Option<String> {
    message
        .look(|root| {
            let meta = root.get("params")?.get("_meta")?;
            meta.get(VERSION)?;
            let members: Vec<String> = [VERSION, HOST, CAPABILITIES]
                .into_iter()
                .filter_map(|name| Some(format!(r#""{name}":{}"#, meta.get(name)?.raw())))
                .collect();
            Some(format!("{{{}}}", members.join(",")))
        })
        .flatten()
}
