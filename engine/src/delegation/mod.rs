//! Delegation tokens: what one agent lets another do in its name (DESIGN 9).
//!
//! A token is a text, signed with a key that the store's database does not hold. It names the
//! digest of its parent's text, and that the digest of its own parent's, up to the root: nobody
//! can put a link in, take one out or change one. What makes a link of the chain worth nothing
//! makes all below it worth nothing.
//!
//! ```text
//! token key = HMAC-SHA256(claim key, "sernixa.delegation.token.key.v1")
//! signature = HMAC-SHA256(token key, payload)
//! payload   = { …, parent_token_id, parent_digest: SHA-256(parent's payload), … }
//! ```

mod ask;
mod claims;
mod envelope;
mod scope;
mod view;

use std::fmt;
use std::sync::Arc;

use crate::digest::{Digest, hex_to_bytes, write_hex};
use crate::moment::{Entropy, Timestamp};

#[cfg(feature = "cedar")]
pub(crate) use ask::OWNER_MARK;
pub(crate) use ask::{AskedParent, Lifetime, TokenAsk};
pub(crate) use claims::{ChainId, Claims, Parent, TokenKey};
pub(crate) use envelope::{Signed, SignedStep, StepSignature, Unverified, verify};
pub(crate) use scope::{Broader, Scope, Tools};
pub(crate) use view::TokenView;

/// The most links from a root token to the one used, both counted (DESIGN 9).
pub(crate) const DEPTH_MAX: u8 = 8;

/// Names one delegation token; safe in a URL path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 16]);

impl TokenId {
    const PREFIX: &str = "dgt_";

    /// Reads `dgt_` and 32 lower-case hex digits; anything else names no token.
    pub fn parse(text: &str) -> Option<Self> {
        hex_to_bytes(text.strip_prefix(Self::PREFIX)?).map(Self)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A new name for a token.
pub(crate) fn token_id(entropy: &mut Entropy) -> TokenId {
    TokenId(entropy.draw_id())
}

/// A delegation token as a store keeps it: the exact text that was signed, and copies of what is
/// searched by. Whoever uses a token verifies the signature, and the copies against the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationToken {
    /// Its name.
    pub id: TokenId,
    /// The organisation it belongs to.
    pub organisation: Arc<str>,
    /// The token that it narrows; `None` for a root.
    pub parent: Option<TokenId>,
    /// The JSON text that is signed: scope, agents, expiry, and the digest of the parent's text.
    pub payload: Box<str>,
    /// HMAC-SHA256 over the text.
    pub signature: Digest,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
    /// When it was taken back, and with it all that narrow it.
    pub revoked_at: Option<Timestamp>,
}

/// What is wrong with a delegation, from its root to the token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BrokenLink {
    /// A token is unknown or not as it was signed, a link does not follow from the one before, is
    /// broader than it, or is one too many.
    Invalid,
    /// A link has expired.
    Expired,
    /// A link was revoked.
    Revoked,
}

impl BrokenLink {
    /// The word on the wire (PROTOCOL 15).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_chain",
            Self::Expired => "expired_token",
            Self::Revoked => "revoked_token",
        }
    }

    /// Why, for the caller.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "the delegation token is unknown, or its chain to the root is broken",
            Self::Expired => "a link of the delegation has expired; ask for a new token",
            Self::Revoked => "a link of the delegation was revoked",
        }
    }
}
