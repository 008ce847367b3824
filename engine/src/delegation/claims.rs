//! What a token says, and the signature that nobody makes without the key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sernixa_protocol::json::{Document, Node};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Broader, DEPTH_MAX, DelegationToken, Scope, TokenId, Tools};
use crate::approval::Subject;
use crate::digest::{Digest, hex_to_bytes, write_hex};
use crate::moment::Timestamp;
use crate::store::SecretKey;
use crate::text::Object;

const SCHEMA: &str = "sernixa.delegation_token.v1";
const KEY_LABEL: &[u8] = b"sernixa.delegation.token.key.v1";

/// The key that tokens are signed with: derived from the store's claim key, so that the database
/// alone makes none. Wiped when dropped.
pub(crate) struct TokenKey(Zeroizing<[u8; 32]>);

impl TokenKey {
    /// The key of a store.
    pub(crate) fn of(claim_key: &SecretKey) -> Option<Self> {
        mac(claim_key.expose(), KEY_LABEL).map(|key| Self(Zeroizing::new(key)))
    }

    fn sign(&self, payload: &str) -> Option<Digest> {
        mac(&self.0, payload.as_bytes()).map(Digest)
    }
}

/// HMAC takes a key of any length, so there is always one; were it not so, nothing would verify.
fn mac(key: &[u8; 32], text: &[u8]) -> Option<[u8; 32]> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().into())
}

/// Names a chain of tokens: all that narrow one root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainId(pub(crate) [u8; 16]);

impl ChainId {
    const PREFIX: &str = "chn_";

    fn parse(text: &str) -> Option<Self> {
        hex_to_bytes(text.strip_prefix(Self::PREFIX)?).map(Self)
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        write_hex(&self.0, f)
    }
}

/// The token that another one narrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) id: TokenId,
    /// SHA-256 of its payload.
    pub(crate) digest: Digest,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) chain: ChainId,
    pub(crate) parent: Option<Parent>,
    /// 1 for a root.
    pub(crate) depth: u8,
    pub(crate) delegator: Box<str>,
    pub(crate) delegatee: Box<str>,
    pub(crate) scope: Scope,
    pub(crate) tools: Tools,
    /// The session of the person whom all of it goes back to.
    pub(crate) session: Option<Box<str>>,
    /// Why, for the record.
    pub(crate) reason: Option<Box<str>>,
    /// The API key that asked for it, and so acted as the delegator.
    pub(crate) issued_by: Arc<str>,
    /// Who answers for that key.
    pub(crate) owner: Arc<str>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Claims {
    /// The signed token of that name.
    pub(crate) fn sign(
        &self,
        id: TokenId,
        organisation: &Arc<str>,
        key: &TokenKey,
    ) -> Option<DelegationToken> {
        let parent = self.parent.as_ref();
        let payload = Object::with_capacity(1_024)
            .string("schema_version", SCHEMA)
            .string("organisation", organisation)
            .string("token_id", &id.to_string())
            .string("chain_id", &self.chain.to_string())
            .optional(
                "parent_token_id",
                parent.map(|parent| parent.id.to_string()).as_deref(),
            )
            .optional(
                "parent_digest",
                parent.map(|parent| parent.digest.to_string()).as_deref(),
            )
            .number("depth", u64::from(self.depth))
            .string("delegator_agent_id", &self.delegator)
            .string("delegatee_agent_id", &self.delegatee)
            .json("scope", &self.scope.json());
        let payload = self
            .tools
            .write(payload)
            .optional("root_human_session_id", self.session.as_deref())
            .optional("reason", self.reason.as_deref())
            .string("issued_by", &self.issued_by)
            .string("owner", &self.owner)
            .number("issued_at_ms", self.issued_at.millis())
            .number("expires_at_ms", self.expires_at.millis())
            .finish();
        Some(DelegationToken {
            id,
            organisation: Arc::clone(organisation),
            parent: parent.map(|parent| parent.id),
            signature: key.sign(&payload)?,
            payload: payload.into(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            revoked_at: None,
        })
    }

    /// What a stored token says, if it is as it was signed: the text by its signature, and the
    /// copies beside it by the text.
    pub(crate) fn verify(token: &DelegationToken, key: &TokenKey) -> Option<Self> {
        let signature = key.sign(&token.payload)?;
        if !bool::from(signature.0.ct_eq(&token.signature.0)) {
            return None;
        }
        let document = Document::parse(&token.payload).ok()?;
        let root = document.root();
        let claims = Self::read(root)?;
        let as_signed = root.get("schema_version")?.is(SCHEMA)
            && root.get("organisation")?.is(&token.organisation)
            && root.get("token_id")?.is(&token.id.to_string())
            && claims.parent.map(|parent| parent.id) == token.parent
            && claims.issued_at == token.issued_at
            && claims.expires_at == token.expires_at;
        as_signed.then_some(claims)
    }

    fn read(root: Node<'_>) -> Option<Self> {
        let text = |name: &str| root.get(name)?.as_str();
        let optional = |name: &str| text(name).map(Box::from);
        let time = |name: &str| root.get(name)?.as_u64().map(Timestamp::from_millis);
        let parent = match (text("parent_token_id"), text("parent_digest")) {
            (None, None) => None,
            (id, digest) => Some(Parent {
                id: TokenId::parse(&id?)?,
                digest: Digest::parse(&digest?)?,
            }),
        };
        Some(Self {
            chain: ChainId::parse(&text("chain_id")?)?,
            parent,
            depth: u8::try_from(root.get("depth")?.as_u64()?).ok()?,
            delegator: text("delegator_agent_id")?.into(),
            delegatee: text("delegatee_agent_id")?.into(),
            scope: Scope::read(root.get("scope")).ok()?,
            tools: Tools::read(root.get("tool_subset")).ok()?,
            session: optional("root_human_session_id"),
            reason: optional("reason"),
            issued_by: text("issued_by")?.into(),
            owner: text("owner")?.into(),
            issued_at: time("issued_at_ms")?,
            expires_at: time("expires_at_ms")?,
        })
    }

    /// Whether a submission lies within.
    pub(crate) fn covers(&self, subject: &Subject) -> Result<(), Broader> {
        self.scope.covers(subject)?;
        self.tools.covers(&subject.action_id)
    }

    /// Whether it lets nobody do, at any time, what `parent` does not.
    pub(crate) fn narrows(&self, parent: &Self) -> Result<(), Broader> {
        self.scope.narrows(&parent.scope)?;
        self.tools.narrows(&parent.tools)?;
        if self.expires_at > parent.expires_at {
            let left = parent
                .expires_at
                .millis()
                .saturating_sub(self.issued_at.millis());
            let left = Duration::from_millis(left).as_secs();
            return Err(format!(
                "it would outlive the parent token; set expires_in_seconds to at most {left}"
            )
            .into());
        }
        Ok(())
    }

    /// Whether it is a root.
    pub(crate) const fn is_root(&self) -> bool {
        self.parent.is_none() && self.depth == 1
    }

    /// Whether it is the link after `parent`, which says `claims`.
    pub(crate) fn follows(&self, parent: &DelegationToken, claims: &Self) -> bool {
        let named = Parent {
            id: parent.id,
            digest: Digest::of(parent.payload.as_bytes()),
        };
        self.parent == Some(named)
            && self.chain == claims.chain
            && self.depth <= DEPTH_MAX
            && claims.depth.checked_add(1) == Some(self.depth)
            && self.delegator == claims.delegatee
            && self.session == claims.session
            && self.narrows(claims).is_ok()
    }
}
