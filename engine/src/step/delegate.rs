//! Making delegation tokens, listing them, and taking them back.

use std::borrow::Cow;
use std::sync::Arc;

use crate::answer::Reply;
use crate::audit::{Entry, EventKind};
use crate::delegation::{
    AskedParent, BrokenLink, ChainId, Claims, DEPTH_MAX, DelegationToken, Lifetime, Parent,
    TokenAsk, TokenId, TokenView, token_id,
};
use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::principal::{Principal, Role};
use crate::refusal::{Refusal, Word};
use crate::step::chain::{Chain, NOT_BOUND};
use crate::step::{Step, refuse};
use crate::store::StoreError;

/// How many of the newest tokens are looked through for a caller who may see some of them only.
const SEARCHED: usize = 1_000;

impl Step<'_> {
    /// Makes a token: a root by leave of the role, a child by leave of its parent.
    pub(super) fn delegate(
        &mut self,
        caller: &Principal,
        ask: &TokenAsk,
    ) -> Result<Reply, StoreError> {
        let claims = match self.claims(caller, ask)? {
            Ok(claims) => claims,
            Err(refusal) => return self.refuse_token(caller, ask, refusal),
        };
        let mut entropy = self.context.entropy.clone();
        let id = token_id(&mut entropy);
        if self.state.token(id)?.is_some() {
            return Err(StoreError::new("a delegation token's id was drawn twice"));
        }
        let token = claims
            .sign(id, caller.organisation(), &self.token_key()?)
            .ok_or_else(|| StoreError::new("a delegation token cannot be signed"))?;
        self.state.put_token(&token)?;
        let entry = Entry::new(EventKind::TokenIssued, self.now())
            .by(caller)
            .with(|object| {
                object
                    .string("token_id", &id.to_string())
                    .string("chain_id", &claims.chain.to_string())
                    .optional("parent_token_id", parent_id(&token).as_deref())
                    .number("delegation_depth", u64::from(claims.depth))
                    .string("delegator_agent_id", &claims.delegator)
                    .string("delegatee_agent_id", &claims.delegatee)
                    .json("scope", &claims.scope.json())
                    .present("root_human_session_id", claims.session.as_deref())
                    .present("reason", claims.reason.as_deref())
                    .time("expires_at", claims.expires_at)
                    // Of the text that is kept: it can be shown later what was signed.
                    .digest("token_digest", &Digest::of(token.payload.as_bytes()))
            });
        let receipt = self.append(caller.organisation(), entry)?;
        let view = TokenView::new(&token, Some(&claims), Ok(())).with_receipt(receipt);
        Ok(Reply::Issued(view.json()))
    }

    /// What the token may say, or why there is to be none.
    fn claims(
        &mut self,
        caller: &Principal,
        ask: &TokenAsk,
    ) -> Result<Result<Claims, Refusal>, StoreError> {
        let now = self.now();
        let (parent, lasts) = match (ask.parent, ask.lifetime) {
            (AskedParent::Root, Lifetime::Chosen(lasts) | Lifetime::AtMost(lasts)) => {
                if !caller.has(Role::Admin) {
                    return Ok(no(
                        Word::Forbidden,
                        "a root token needs the admin role; to narrow a token, name it in \
                         parent_token_id",
                    ));
                }
                (None, now.plus(lasts))
            }
            (AskedParent::Unknown, _) => return Ok(no_chain(BrokenLink::Invalid)),
            (AskedParent::Token(id), lifetime) => {
                let chain = match self.parent(caller, ask, id)? {
                    Ok(chain) => chain,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let until = match lifetime {
                    Lifetime::Chosen(lasts) => now.plus(lasts),
                    Lifetime::AtMost(lasts) => now.plus(lasts).min(chain.used.claims.expires_at),
                };
                (Some(chain), until)
            }
        };
        let above = parent.as_ref().map(|chain| &chain.used);
        let mut entropy = self.context.entropy.clone();
        // The token's own id is drawn first, so the two never agree.
        let _ = token_id(&mut entropy);
        let claims = Claims {
            chain: above.map_or_else(|| ChainId(entropy.draw_id()), |link| link.claims.chain),
            parent: above.map(|link| Parent {
                id: link.token.id,
                digest: Digest::of(link.token.payload.as_bytes()),
            }),
            depth: above.map_or(1, |link| link.claims.depth.saturating_add(1)),
            delegator: ask.delegator.clone(),
            delegatee: ask.delegatee.clone(),
            scope: ask.scope.clone(),
            tools: ask.tools.clone(),
            session: match above {
                Some(link) => link.claims.session.clone(),
                None => ask.session.clone(),
            },
            reason: ask.reason.clone(),
            issued_by: Arc::clone(caller.key()),
            owner: Arc::clone(caller.owner()),
            issued_at: now,
            expires_at: lasts,
        };
        match above.map(|link| claims.narrows(&link.claims)) {
            Some(Err(broader)) => Ok(no(Word::OutOfScope, broader)),
            Some(Ok(())) | None => Ok(Ok(claims)),
        }
    }

    /// The chain that a child continues, if the caller may continue it: the checks of a request
    /// that rests on it, in the same order.
    fn parent(
        &mut self,
        caller: &Principal,
        ask: &TokenAsk,
        id: TokenId,
    ) -> Result<Result<Chain, Refusal>, StoreError> {
        if !caller.has(Role::Agent) {
            return Ok(no(
                Word::Forbidden,
                "narrowing a token needs the agent role",
            ));
        }
        let chain = match self.chain(caller.organisation(), id)? {
            Ok(chain) => chain,
            Err(broken) => return Ok(no_chain(broken)),
        };
        if let Err(broken) = chain.stands(self.now()) {
            return Ok(no_chain(broken));
        }
        let claims = &chain.used.claims;
        if claims.delegatee != ask.delegator {
            let reason = "only the parent token's delegatee may narrow it";
            return Ok(no(Word::MismatchedDelegatee, reason));
        }
        if !caller.acts_as(&ask.delegator) {
            return Ok(no(Word::UnknownAgent, NOT_BOUND));
        }
        if claims.depth >= DEPTH_MAX {
            return Ok(no(
                Word::Delegation(BrokenLink::Invalid),
                "a chain has at most 8 tokens, its root included",
            ));
        }
        if ask.session.is_some() && ask.session != claims.session {
            let reason = "root_human_session_id is the root's; leave it out of a child";
            return Ok(no(Word::Invalid, reason));
        }
        Ok(Ok(chain))
    }

    /// A token that was refused is a fact worth keeping: someone wanted more than they had.
    fn refuse_token(
        &mut self,
        caller: &Principal,
        ask: &TokenAsk,
        refusal: Refusal,
    ) -> Result<Reply, StoreError> {
        let entry = Entry::new(EventKind::TokenRefused, self.now())
            .by(caller)
            .with(|object| {
                let object = match ask.parent {
                    AskedParent::Token(id) => object.string("parent_token_id", &id.to_string()),
                    AskedParent::Root | AskedParent::Unknown => object,
                };
                object
                    .string("delegator_agent_id", &ask.delegator)
                    .string("delegatee_agent_id", &ask.delegatee)
                    .string("decision", refusal.word().as_str())
                    .string("reason", refusal.reason())
            });
        self.append(caller.organisation(), entry)?;
        Ok(refuse(refusal))
    }

    /// The tokens that the caller may see, the newest first: all of the organisation, or those of
    /// the agents that act through the key.
    pub(super) fn delegations(
        &mut self,
        caller: &Principal,
        limit: usize,
    ) -> Result<Reply, StoreError> {
        let (organisation, now) = (Arc::clone(caller.organisation()), self.now());
        let searched = if caller.sees_all() { limit } else { SEARCHED };
        let mut views = Vec::new();
        for token in self.state.tokens(&organisation, searched)? {
            if views.len() == limit {
                break;
            }
            let chain = self.chain(&organisation, token.id)?;
            let claims = chain.as_ref().ok().map(|chain| &chain.used.claims);
            if caller.sees_all() || claims.is_some_and(|claims| concerns(caller, claims)) {
                let stands = chain.as_ref().map_err(|broken| *broken);
                let stands = stands.and_then(|chain| shown(chain, now));
                views.push(TokenView::new(&token, claims, stands).json());
            }
        }
        Ok(Reply::Tokens(views))
    }

    /// Takes a token back, and with it all that narrow it. Again, it changes nothing.
    pub(super) fn revoke_delegation(
        &mut self,
        caller: &Principal,
        id: TokenId,
    ) -> Result<Reply, StoreError> {
        let organisation = Arc::clone(caller.organisation());
        let unknown = || Refusal::new(Word::NotFound, "there is no such delegation token");
        let token = self.state.token(id)?;
        let Some(mut token) = token.filter(|token| token.organisation == organisation) else {
            return Ok(refuse(unknown()));
        };
        let chain = self.chain(&organisation, id)?;
        let claims = chain.as_ref().ok().map(|chain| &chain.used.claims);
        let is_delegator = caller.has(Role::Agent)
            && claims.is_some_and(|claims| caller.acts_as(&claims.delegator));
        // An admin also takes back what does not verify.
        if !caller.has(Role::Admin) && !is_delegator {
            let sees = caller.sees_all() || claims.is_some_and(|claims| concerns(caller, claims));
            let reason = "revoking needs the admin role, or the key of the token's delegator";
            return Ok(refuse(if sees {
                Refusal::new(Word::Forbidden, reason)
            } else {
                unknown()
            }));
        }
        if token.revoked_at.is_none() {
            token.revoked_at = Some(self.now());
            self.state.put_token(&token)?;
            let entry = Entry::new(EventKind::TokenRevoked, self.now())
                .by(caller)
                .with(|object| {
                    let object = object.string("token_id", &id.to_string());
                    match claims {
                        Some(claims) => object
                            .string("chain_id", &claims.chain.to_string())
                            .string("delegator_agent_id", &claims.delegator)
                            .string("delegatee_agent_id", &claims.delegatee),
                        None => object,
                    }
                });
            self.append(&organisation, entry)?;
        }
        let stands = match &chain {
            Err(broken @ BrokenLink::Invalid) => Err(*broken),
            _ => Err(BrokenLink::Revoked),
        };
        Ok(Reply::Token(TokenView::new(&token, claims, stands).json()))
    }
}

/// How a list shows a chain: that it was taken back says more than that its time is over.
fn shown(chain: &Chain, now: Timestamp) -> Result<(), BrokenLink> {
    if chain.is_revoked() {
        Err(BrokenLink::Revoked)
    } else {
        chain.stands(now)
    }
}

/// Whether the token is between agents of which one acts through the caller's key.
fn concerns(caller: &Principal, claims: &Claims) -> bool {
    caller.acts_as(&claims.delegator)
        || caller.acts_as(&claims.delegatee)
        || claims.issued_by == *caller.key()
}

fn parent_id(token: &DelegationToken) -> Option<String> {
    token.parent.map(|id| id.to_string())
}

fn no<T>(word: Word, reason: impl Into<Cow<'static, str>>) -> Result<T, Refusal> {
    Err(Refusal::new(word, reason))
}

fn no_chain<T>(broken: BrokenLink) -> Result<T, Refusal> {
    no(Word::Delegation(broken), broken.reason())
}
