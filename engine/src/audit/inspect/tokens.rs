//! Comparing delegation tokens with the events about them: what a token says is signed, but that it
//! was taken back is not, so a revocation must not be undone unseen.

use std::collections::{HashMap, HashSet};
use std::fmt;

use sernixa_protocol::json::Document;

use crate::audit::{Event, EventFilter, EventKind};
use crate::delegation::{DelegationToken, TokenId};
use crate::digest::Digest;
use crate::store::{Store, StoreError};

/// More tokens than any organisation has, and more events about them.
const MOST: usize = 1 << 24;

/// A delegation token that the audit does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFault {
    /// Which.
    pub token_id: TokenId,
    /// What does not fit.
    pub kind: TokenFaultKind,
}

/// What of a delegation token does not fit the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFaultKind {
    /// No event made it.
    NoEvent,
    /// Its text is not the one that was signed when it was made.
    OtherToken,
    /// It was revoked, and works again.
    Restored,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TokenFaultKind::NoEvent => "no audit event made it",
            TokenFaultKind::OtherToken => "it does not say what it said when it was made",
            TokenFaultKind::Restored => "it was revoked, and that does not show",
        };
        write!(f, "delegation token {}: {what}", self.token_id)
    }
}

/// Compares the delegation tokens of an organisation with the events about them. Check the chain
/// first: this believes it. Where events were dropped, a token that they made counts as made by
/// none.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub fn verify_delegations(
    store: &dyn Store,
    organisation: &str,
) -> Result<Vec<TokenFault>, StoreError> {
    let mut tokens = Vec::new();
    store.transact(&mut |state| {
        tokens = state.tokens(organisation, MOST)?;
        Ok(())
    })?;
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    // Read after the tokens: each of them has its events by now. What was revoked in between is
    // read again.
    let events = |kind| {
        let filter = EventFilter {
            kind: Some(kind),
            ..EventFilter::default()
        };
        store.find_events(organisation, &filter, MOST)
    };
    let (issued, revoked) = (
        events(EventKind::TokenIssued)?,
        events(EventKind::TokenRevoked)?,
    );
    let issued: HashMap<TokenId, Option<Digest>> = issued
        .iter()
        .filter_map(|event| Some((named(event)?, digest(event))))
        .collect();
    let revoked: HashSet<TokenId> = revoked.iter().filter_map(named).collect();
    let mut faults = Vec::new();
    for token in tokens {
        if let Err(kind) = compare(&token, &issued, &revoked) {
            let again = kind != TokenFaultKind::Restored || !is_revoked(store, token.id)?;
            faults.extend(again.then_some(TokenFault {
                token_id: token.id,
                kind,
            }));
        }
    }
    Ok(faults)
}

fn compare(
    token: &DelegationToken,
    issued: &HashMap<TokenId, Option<Digest>>,
    revoked: &HashSet<TokenId>,
) -> Result<(), TokenFaultKind> {
    let recorded = issued.get(&token.id).ok_or(TokenFaultKind::NoEvent)?;
    if *recorded != Some(Digest::of(token.payload.as_bytes())) {
        Err(TokenFaultKind::OtherToken)
    } else if token.revoked_at.is_none() && revoked.contains(&token.id) {
        Err(TokenFaultKind::Restored)
    } else {
        Ok(())
    }
}

fn is_revoked(store: &dyn Store, id: TokenId) -> Result<bool, StoreError> {
    let mut revoked = false;
    store.transact(&mut |state| {
        let token = state.token(id)?;
        revoked = token.is_some_and(|token| token.revoked_at.is_some());
        Ok(())
    })?;
    Ok(revoked)
}

/// Which token an event is about.
fn named(event: &Event) -> Option<TokenId> {
    let document = Document::parse(&event.payload).ok()?;
    TokenId::parse(&document.root().get("token_id")?.as_str()?)
}

/// The digest of the token's text that an event holds.
fn digest(event: &Event) -> Option<Digest> {
    let document = Document::parse(&event.payload).ok()?;
    Digest::parse(&document.root().get("token_digest")?.as_str()?)
}
