//! The typed doors for API keys: make, list, take back, and find out who presents one.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::answer::Reply;
use crate::api_key::ApiKey;
use crate::digest::{Digest, push_hex};
use crate::engine::Engine;
use crate::moment::Moment;
use crate::principal::{Agents, Principal, Role};
use crate::receive::invalid;
use crate::refusal::Refusal;
use crate::step::Command;
use crate::store::StoreError;

/// What every key begins with: the reference's command line takes no other (PROTOCOL 0.9).
const PREFIX: &str = "srnx_live_";
/// The most bytes that are taken for a key at all.
const LONGEST: usize = 256;
/// The most characters of an owner's or an agent's name.
const NAME_MAX: usize = 128;
/// The most agents that one key is bound to.
const AGENTS_MAX: usize = 64;

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The person or team that answers for it: 1 to 128 characters. Nobody decides what a key of
    /// the same owner asked.
    pub owner: Arc<str>,
    /// What it may do: at least one.
    pub roles: Vec<Role>,
    /// The agents that may act through it.
    pub agents: Agents,
    /// Whether it submits delegated requests only.
    pub delegated_only: bool,
}

/// An API key's secret text. Wiped when dropped; in no `Debug`.
pub struct ApiSecret(Zeroizing<String>);

impl ApiSecret {
    /// The text, for the one it is made for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret(…)")
    }
}

impl Engine {
    /// Makes a key in the caller's organisation. Its secret is given here and never again: the
    /// store keeps a hash.
    ///
    /// # Errors
    /// [`Word::Forbidden`](crate::Word::Forbidden) without the admin role,
    /// [`Word::Invalid`](crate::Word::Invalid) for what it is to be,
    /// [`Word::Unavailable`](crate::Word::Unavailable).
    pub fn create_key(
        &self,
        caller: &Principal,
        asked: &NewKey,
        moment: &Moment,
    ) -> Result<(ApiKey, ApiSecret), Refusal> {
        asked.check()?;
        let mut entropy = moment.entropy.clone();
        let random = Zeroizing::new(entropy.draw_secret());
        let mut secret = Zeroizing::new(String::with_capacity(PREFIX.len() + 64));
        secret.push_str(PREFIX);
        push_hex(random.as_slice(), &mut secret);
        let mut id = String::from("key_");
        push_hex(&entropy.draw_id(), &mut id);
        let key = ApiKey {
            id: id.into(),
            organisation: Arc::clone(caller.organisation()),
            hash: Digest::of(secret.as_bytes()),
            owner: asked.owner.trim().into(),
            roles: Role::ALL
                .into_iter()
                .filter(|role| asked.roles.contains(role))
                .collect(),
            agents: asked.agents.clone(),
            delegated_only: asked.delegated_only,
            created_at: moment.now,
            revoked_at: None,
        };
        self.typed(Command::CreateKey(caller, &key), moment)?;
        Ok((key, ApiSecret(secret)))
    }

    /// The keys of the caller's organisation, revoked ones too, in the order they were made.
    ///
    /// # Errors
    /// [`Word::Forbidden`](crate::Word::Forbidden) without the auditor or admin role,
    /// [`Word::Unavailable`](crate::Word::Unavailable).
    pub fn keys(&self, caller: &Principal, moment: &Moment) -> Result<Vec<ApiKey>, Refusal> {
        match self.typed(Command::Keys(caller), moment)? {
            Reply::Keys(keys) => Ok(keys),
            other => Err(super::typed::unexpected(other)),
        }
    }

    /// Takes a key back. From then on it authenticates nobody.
    ///
    /// # Errors
    /// [`Word::Forbidden`](crate::Word::Forbidden) without the admin role,
    /// [`Word::NotFound`](crate::Word::NotFound), [`Word::Unavailable`](crate::Word::Unavailable).
    pub fn revoke_key(
        &self,
        caller: &Principal,
        id: &str,
        moment: &Moment,
    ) -> Result<ApiKey, Refusal> {
        match self.typed(Command::RevokeKey(caller, id), moment)? {
            Reply::Keys(keys) => keys
                .into_iter()
                .next()
                .ok_or_else(super::typed::unavailable),
            other => Err(super::typed::unexpected(other)),
        }
    }

    /// Whom `presented` authenticates; `None` if it is no key of the store, or was revoked.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read: then nobody is authenticated.
    pub fn authenticate(&self, presented: &str) -> Result<Option<Principal>, StoreError> {
        if presented.len() > LONGEST || !presented.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash = Digest::of(presented.as_bytes());
        let Some(key) = self.inner.store.api_key(&hash)? else {
            return Ok(None);
        };
        // The store found it by the hash of a secret that nobody can steer; that it is the whole
        // hash is checked without telling how much of it was right.
        if bool::from(key.hash.0.ct_eq(&hash.0)) {
            Ok(key.principal())
        } else {
            Ok(None)
        }
    }
}

impl NewKey {
    fn check(&self) -> Result<(), Refusal> {
        if self.roles.is_empty() {
            return Err(invalid("a key needs at least one role"));
        }
        check_name("the owner", self.owner.trim())?;
        let acts = self.roles.contains(&Role::Agent);
        if self.delegated_only && !acts {
            return Err(invalid(
                "only a key with the agent role can be delegated-only",
            ));
        }
        match &self.agents {
            Agents::Only(agents) if agents.len() > AGENTS_MAX => {
                Err(invalid("a key is bound to at most 64 agents"))
            }
            Agents::Only(agents) if !agents.is_empty() && !acts => {
                Err(invalid("only a key with the agent role acts for agents"))
            }
            Agents::Only(agents) => agents
                .iter()
                .try_for_each(|agent| check_name("an agent's id", agent)),
            Agents::Any if acts => Ok(()),
            Agents::Any => Err(invalid("only a key with the agent role acts for agents")),
        }
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    let fits = (1..=NAME_MAX).contains(&name.chars().count())
        && !name.trim().is_empty()
        && !name.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(invalid(format!(
            "{what} must have 1 to 128 characters, without control characters"
        )))
    }
}
