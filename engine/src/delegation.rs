//! Delegation tokens: what one agent lets another do in its name (DESIGN 9).

use std::fmt;
use std::sync::Arc;

use crate::digest::{Digest, hex_to_bytes, write_hex};
use crate::moment::Timestamp;

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
