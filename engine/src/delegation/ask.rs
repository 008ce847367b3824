//! Asking for a token: the body of `POST /api/delegations`, every value bounded (PROTOCOL 5).

use std::time::Duration;

use sernixa_protocol::json::Node;

use super::scope::is_text;
use super::{Scope, TokenId, Tools};
use crate::receive::{invalid, parse, secret_in};
use crate::refusal::Refusal;

/// The most bytes of the body.
const BODY_MAX: usize = 64 << 10;
/// The most characters of an agent's or a session's id.
const ID_MAX: usize = 256;
/// The most characters of a reason.
const REASON_MAX: usize = 500;
/// The longest that a token lasts: 30 days.
const LONGEST: u64 = 30 * 24 * 60 * 60;
/// How long a token lasts where nobody says. The clients send it whenever their caller did not
/// choose, so it cannot be told from a choice.
const UNCHOSEN: u64 = 3_600;

/// What policies put before the name of a key's owner, to tell it from an agent's.
pub(crate) const OWNER_MARK: &str = "owner:";

/// What a token is asked to say.
#[derive(Clone, Debug)]
pub(crate) struct TokenAsk {
    pub(crate) parent: AskedParent,
    pub(crate) delegator: Box<str>,
    pub(crate) delegatee: Box<str>,
    pub(crate) scope: Scope,
    pub(crate) tools: Tools,
    pub(crate) session: Option<Box<str>>,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) lifetime: Lifetime,
}

/// The token that is to be narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedParent {
    /// None: a root is asked for.
    Root,
    /// This one.
    Token(TokenId),
    /// One by a name that no token of ours has.
    Unknown,
}

/// How long a token is to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Exactly so long.
    Chosen(Duration),
    /// So long, or as long as the parent does.
    AtMost(Duration),
}

impl TokenAsk {
    /// Reads a body.
    pub(crate) fn read(body: &str) -> Result<Self, Refusal> {
        let document = parse(body, BODY_MAX)?;
        let root = document.root();
        // All of it is written down, in the token and in the audit.
        if let Some(kind) = secret_in(root) {
            return Err(invalid(format!(
                "the request holds {}; leave secrets out",
                kind.describe()
            )));
        }
        Ok(Self {
            parent: parent(root)?,
            delegator: required(root, "delegator_agent_id")?,
            delegatee: delegatee(root)?,
            scope: Scope::read(root.get("scope"))?,
            tools: Tools::read(root.get("tool_subset"))?,
            session: optional(root, "root_human_session_id", ID_MAX)?,
            reason: optional(root, "reason", REASON_MAX)?,
            lifetime: lifetime(root)?,
        })
    }
}

fn parent(root: Node<'_>) -> Result<AskedParent, Refusal> {
    Ok(match optional(root, "parent_token_id", ID_MAX)? {
        None => AskedParent::Root,
        Some(id) => TokenId::parse(&id).map_or(AskedParent::Unknown, AskedParent::Token),
    })
}

/// The agent that is to act: policies know it by this name, and owners of keys by theirs.
fn delegatee(root: Node<'_>) -> Result<Box<str>, Refusal> {
    let agent = required(root, "delegatee_agent_id")?;
    if agent.starts_with(OWNER_MARK) {
        return Err(invalid(format!(
            "`delegatee_agent_id` must not begin with `{OWNER_MARK}`: policies name the owners of \
             keys so"
        )));
    }
    Ok(agent)
}

fn lifetime(root: Node<'_>) -> Result<Lifetime, Refusal> {
    let seconds = match root.get("expires_in_seconds") {
        None => Some(UNCHOSEN),
        Some(seconds) => seconds.as_u64(),
    };
    match seconds {
        Some(UNCHOSEN) => Ok(Lifetime::AtMost(Duration::from_secs(UNCHOSEN))),
        Some(seconds @ 1..=LONGEST) => Ok(Lifetime::Chosen(Duration::from_secs(seconds))),
        _ => Err(invalid(format!(
            "`expires_in_seconds` must be an integer from 1 to {LONGEST} (30 days)"
        ))),
    }
}

fn required(root: Node<'_>, name: &str) -> Result<Box<str>, Refusal> {
    optional(root, name, ID_MAX)?.ok_or_else(|| rule(name, ID_MAX))
}

fn optional(root: Node<'_>, name: &str, most: usize) -> Result<Option<Box<str>>, Refusal> {
    let Some(node) = root.get(name).filter(|node| !node.is_null()) else {
        return Ok(None);
    };
    node.as_str()
        .filter(|text| is_text(text, most))
        .map(|text| Some(text.into()))
        .ok_or_else(|| rule(name, most))
}

fn rule(name: &str, most: usize) -> Refusal {
    invalid(format!(
        "`{name}` must be a text of 1 to {most} characters, not blank, without control characters"
    ))
}
