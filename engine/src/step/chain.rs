//! The delegation that a request rests on: read from the token that is used up to its root, and
//! judged by all of it (DESIGN 9).

use std::sync::Arc;

use crate::approval::{Approval, Resume, Subject};
use crate::delegation::{
    BrokenLink, Claims, DEPTH_MAX, DelegationToken, Signed, TokenId, TokenKey,
};
use crate::digest::Digest;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::step::Step;
use crate::store::StoreError;

/// A token with what it says.
pub(super) struct Link {
    pub(super) token: DelegationToken,
    pub(super) claims: Claims,
}

/// A chain that holds together: the token that is used first, then its parents up to the root.
pub(super) struct Chain {
    pub(super) used: Link,
    parents: Vec<Link>,
}

impl Chain {
    /// From the token that is used up to the root.
    fn links(&self) -> impl DoubleEndedIterator<Item = &Link> {
        std::iter::once(&self.used).chain(&self.parents)
    }

    /// Whether no link has ended: expired first, then revoked (DESIGN 9).
    pub(super) fn stands(&self, now: crate::moment::Timestamp) -> Result<(), BrokenLink> {
        if self.links().any(|link| link.token.expires_at <= now) {
            Err(BrokenLink::Expired)
        } else if self.is_revoked() {
            Err(BrokenLink::Revoked)
        } else {
            Ok(())
        }
    }

    /// Whether it, or a token that it narrows, was taken back.
    pub(super) fn is_revoked(&self) -> bool {
        self.links().any(|link| link.token.revoked_at.is_some())
    }
}

/// A delegation that was verified against the state: what a subject says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delegation {
    agent: Box<str>,
    chain: Box<str>,
    token: TokenId,
    depth: u8,
    owners: Box<[Box<str>]>,
    signing_key: Box<str>,
}

impl Delegation {
    /// The subject of a request that rests on it. What memory and resumption know the call by is
    /// then the agent's: (key, agent, chain) and (key, agent, token). Resumption also asks for the
    /// same signing key, since that is what the steps of the approval are signed with.
    pub(crate) fn of(&self, subject: &Subject) -> Subject {
        let agent = self.agent.as_bytes();
        let resume = match &subject.resume {
            Resume::By(key) => Resume::By(Digest::of_parts(
                "sernixa.resume.delegated.v1",
                &[&key.0, agent, &self.token.0, self.signing_key.as_bytes()],
            )),
            other => *other,
        };
        let fingerprint = subject.fingerprint.as_ref().map(|known| {
            Digest::of_parts(
                "sernixa.memory.delegated.v1",
                &[&known.0, agent, self.chain.as_bytes()],
            )
        });
        Subject {
            agent_id: Some(self.agent.clone()),
            delegation_chain_id: Some(self.chain.clone()),
            delegation_token_id: Some(self.token),
            delegation_depth: self.depth,
            delegator_owners: self.owners.clone(),
            signing_key_id: Some(self.signing_key.clone()),
            resume,
            fingerprint,
            ..subject.clone()
        }
    }

    /// Whether the subject says so already.
    fn is_said_by(&self, subject: &Subject) -> bool {
        subject.agent_id.as_ref() == Some(&self.agent)
            && subject.delegation_chain_id.as_ref() == Some(&self.chain)
            && subject.delegation_token_id == Some(self.token)
            && subject.delegation_depth == self.depth
            && subject.delegator_owners == self.owners
            && subject.signing_key_id.as_ref() == Some(&self.signing_key)
    }
}

/// What became of a submission's delegation.
pub(super) enum Delegated {
    /// It holds, and the subject says so.
    Said,
    /// It holds, and the subject does not say so yet.
    Unsaid(Delegation),
    /// It does not hold.
    Refused(Refusal),
}

impl Step<'_> {
    pub(super) fn token_key(&self) -> Result<TokenKey, StoreError> {
        TokenKey::of(self.context.claim_key)
            .ok_or_else(|| StoreError::new("the key of delegation tokens cannot be made"))
    }

    /// The chain of a token, if all of it is as it was signed and each link follows from the one
    /// before. Whether it has ended is another question.
    pub(super) fn chain(
        &mut self,
        organisation: &str,
        id: TokenId,
    ) -> Result<Result<Chain, BrokenLink>, StoreError> {
        let key = self.token_key()?;
        let Some(used) = self.link(organisation, id, &key)? else {
            return Ok(Err(BrokenLink::Invalid));
        };
        let mut parents: Vec<Link> = Vec::new();
        loop {
            let last = parents.last().unwrap_or(&used);
            let Some(parent) = last.claims.parent else {
                break;
            };
            // Also where someone made a chain that never ends.
            if parents.len() >= usize::from(DEPTH_MAX) {
                return Ok(Err(BrokenLink::Invalid));
            }
            let Some(link) = self.link(organisation, parent.id, &key)? else {
                return Ok(Err(BrokenLink::Invalid));
            };
            if !last.claims.follows(&link.token, &link.claims) {
                return Ok(Err(BrokenLink::Invalid));
            }
            parents.push(link);
        }
        let root = parents.last().unwrap_or(&used);
        Ok(if root.claims.is_root() {
            Ok(Chain { used, parents })
        } else {
            Err(BrokenLink::Invalid)
        })
    }

    /// A token of the organisation that is as it was signed.
    fn link(
        &mut self,
        organisation: &str,
        id: TokenId,
        key: &TokenKey,
    ) -> Result<Option<Link>, StoreError> {
        let token = self.state.token(id)?;
        let token = token.filter(|token| token.id == id && *token.organisation == *organisation);
        Ok(token.and_then(|token| {
            let claims = Claims::verify(&token, key)?;
            Some(Link { token, claims })
        }))
    }

    /// The checks of a submission's delegation that need the state, in the order of DESIGN 9:
    /// chain, its end, who uses it, and how far it reaches.
    pub(super) fn delegated(
        &mut self,
        caller: &Principal,
        signed: &Signed,
        subject: &Subject,
    ) -> Result<Delegated, StoreError> {
        let refused = |word, reason: std::borrow::Cow<'static, str>| {
            Ok(Delegated::Refused(Refusal::new(word, reason)))
        };
        let broken = |link: BrokenLink| refused(Word::Delegation(link), link.reason().into());
        // A name that no token of ours has is that of an unknown one.
        let Some(id) = signed.token else {
            return broken(BrokenLink::Invalid);
        };
        let chain = match self.chain(caller.organisation(), id)? {
            Ok(chain) => chain,
            Err(link) => return broken(link),
        };
        let claims = &chain.used.claims;
        let name = claims.chain.to_string();
        if signed.chain.as_deref().is_some_and(|said| *said != *name) {
            let reason = "the delegation token belongs to another chain";
            return refused(Word::Delegation(BrokenLink::Invalid), reason.into());
        }
        if let Err(link) = chain.stands(self.now()) {
            return broken(link);
        }
        if claims.delegatee != signed.agent {
            let reason = "the delegation token was given to another agent";
            return refused(Word::MismatchedDelegatee, reason.into());
        }
        let Some(key) = self.context.keyring.get(&signed.key) else {
            return refused(Word::UnknownAgent, NOT_BOUND.into());
        };
        if !caller.acts_as(&signed.agent) || !key.agents().include(&signed.agent) {
            return refused(Word::UnknownAgent, NOT_BOUND.into());
        }
        if let Err(reason) = claims.covers(subject) {
            return refused(Word::OutOfScope, reason);
        }
        let delegation = Delegation {
            agent: signed.agent.clone(),
            chain: name.into(),
            token: id,
            depth: claims.depth,
            owners: owners(&chain, key.owner()),
            signing_key: Box::from(&*signed.key),
        };
        Ok(if delegation.is_said_by(subject) {
            Delegated::Said
        } else {
            Delegated::Unsaid(delegation)
        })
    }

    /// Whether the delegation that an approval rests on, if it rests on one, still holds.
    pub(super) fn still_delegated(
        &mut self,
        approval: &Approval,
    ) -> Result<Result<(), BrokenLink>, StoreError> {
        let Some(id) = approval.subject.delegation_token_id else {
            return Ok(Ok(()));
        };
        let organisation = Arc::clone(&approval.subject.organisation);
        let chain = self.chain(&organisation, id)?;
        Ok(chain.and_then(|chain| chain.stands(self.now())))
    }
}

pub(super) const NOT_BOUND: &str =
    "the agent may not act through this API key, or sign with this signing key";

/// Who answers for the agents that delegated, from the root on, and for the key that signs.
fn owners(chain: &Chain, signer: &Arc<str>) -> Box<[Box<str>]> {
    let mut owners: Vec<Box<str>> = Vec::new();
    let delegators = chain.links().rev().map(|link| &link.claims.owner);
    for owner in delegators.chain([signer]) {
        if !owners.iter().any(|known| **known == **owner) {
            owners.push(Box::from(&**owner));
        }
    }
    owners.into()
}
