//! The secrets that delegated requests are signed with, and on whose behalf each may sign.
//!
//! Several ids at once is how a secret is rotated: the new one is added, the clients change over,
//! the old one goes. A keyring lives in memory alone; where its secrets come from is for the
//! program to say, and no store ever holds them.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::principal::Agents;

/// The fewest bytes of a secret, except in a local demonstration (DESIGN 9).
const SECRET_MIN: usize = 16;
/// The most characters of a key id or an owner.
const NAME_MAX: usize = 128;

/// How short a secret may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRule {
    /// At least 16 bytes.
    Strong,
    /// Any length but none: for a service in local demo mode, which says so at every start.
    LocalDemo,
}

/// One secret: what it is called, who answers for it, and which agents may sign with it.
#[derive(Clone)]
pub struct SigningKey {
    id: Arc<str>,
    secret: Zeroizing<Vec<u8>>,
    owner: Arc<str>,
    agents: Agents,
}

impl SigningKey {
    /// The key `id`, which `owner` answers for and `agents` sign with.
    ///
    /// # Errors
    /// [`KeyringError`] when `secret` is shorter than `rule` asks, or when `id` or `owner` is
    /// blank, holds a control character or more than 128 characters.
    pub fn new(
        id: &str,
        secret: &[u8],
        owner: &str,
        agents: Agents,
        rule: SecretRule,
    ) -> Result<Self, KeyringError> {
        let fewest = match rule {
            SecretRule::Strong => SECRET_MIN,
            SecretRule::LocalDemo => 1,
        };
        if !is_name(id) {
            return Err(KeyringError::Id);
        }
        if !is_name(owner) {
            return Err(KeyringError::Owner(id.into()));
        }
        if secret.len() < fewest {
            return Err(KeyringError::Short(id.into()));
        }
        Ok(Self {
            id: id.into(),
            secret: Zeroizing::new(secret.to_vec()),
            // As the owners of API keys: one with a space more would be another.
            owner: owner.trim().into(),
            agents,
        })
    }

    /// Its public id, the `key_id` of an envelope.
    pub const fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Who answers for it.
    pub const fn owner(&self) -> &Arc<str> {
        &self.owner
    }

    /// The agents that may sign with it.
    pub const fn agents(&self) -> &Agents {
        &self.agents
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// Without the secret and its length.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("agents", &self.agents)
            .finish_non_exhaustive()
    }
}

/// A name is shown to people and stands in audit events.
fn is_name(text: &str) -> bool {
    let characters = text.chars().take(NAME_MAX + 1).count();
    characters <= NAME_MAX && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// The signing keys of an engine, by id. Empty, it verifies nothing: every delegated request is
/// then `invalid_signature`.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SigningKey>,
}

impl Keyring {
    /// Without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`KeyringError::Twice`] when there is one of that id: which of them counts would be chance.
    pub fn add(&mut self, key: SigningKey) -> Result<(), KeyringError> {
        if self.get(&key.id).is_some() {
            return Err(KeyringError::Twice(Box::from(&*key.id)));
        }
        self.keys.push(key);
        Ok(())
    }

    /// The same with one key more.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn with(mut self, key: SigningKey) -> Result<Self, KeyringError> {
        self.add(key)?;
        Ok(self)
    }

    /// The key of that id. Ids are no secrets, so they are compared as any text.
    pub fn get(&self, id: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| *key.id == *id)
    }

    /// The keys, in the order in which they were added.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SigningKey> {
        self.keys.iter()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A signing key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// A key id that is none.
    Id,
    /// The owner of this key is none.
    Owner(Box<str>),
    /// The secret of this key is too short.
    Short(Box<str>),
    /// There are two keys of this id.
    Twice(Box<str>),
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => write!(
                f,
                "a signing key needs an id of 1 to {NAME_MAX} characters without controls"
            ),
            Self::Owner(id) => write!(
                f,
                "the signing key `{id}` needs an owner of 1 to {NAME_MAX} characters"
            ),
            Self::Short(id) => write!(
                f,
                "the secret of the signing key `{id}` is too short; give it at least \
                 {SECRET_MIN} random bytes"
            ),
            Self::Twice(id) => write!(f, "there are two signing keys with the id `{id}`"),
        }
    }
}

impl std::error::Error for KeyringError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, secret: &str, rule: SecretRule) -> Result<SigningKey, KeyringError> {
        SigningKey::new(id, secret.as_bytes(), "ops", Agents::Any, rule)
    }

    #[test]
    fn a_short_secret_is_refused_but_in_a_local_demonstration() {
        use SecretRule::{LocalDemo, Strong};
        assert!(key("k", "fifteen bytes ..", Strong).is_ok());
        let short = key("k", "fifteen bytes .", Strong).unwrap_err();
        assert_eq!(short, KeyringError::Short("k".into()));
        assert!(key("k", "test-secret", LocalDemo).is_ok());
        assert!(key("k", "", LocalDemo).is_err());
    }

    #[test]
    fn a_key_without_a_name_or_an_owner_is_refused() {
        for id in ["", " ", "a\nb", &"k".repeat(129)] {
            let refused = key(id, "a secret of 16 b.", SecretRule::Strong);
            assert_eq!(refused.unwrap_err(), KeyringError::Id, "{id:?}");
        }
        let owner = SigningKey::new("k", &[7; 32], " ", Agents::Any, SecretRule::Strong);
        assert_eq!(owner.unwrap_err(), KeyringError::Owner("k".into()));
    }

    #[test]
    fn an_owner_is_the_same_as_that_of_an_api_key_with_a_space_more() {
        let key = SigningKey::new("k", &[7; 32], " ops ", Agents::Any, SecretRule::Strong);
        assert_eq!(&**key.unwrap().owner(), "ops");
    }

    #[test]
    fn two_keys_at_once_are_told_apart_by_their_ids_and_one_id_is_one_key() {
        let strong = |id, secret| key(id, secret, SecretRule::Strong).unwrap();
        let mut ring = Keyring::new()
            .with(strong("old", "the old secret ..."))
            .unwrap();
        ring.add(strong("new", "the new secret ...")).unwrap();
        assert_eq!(ring.get("old").unwrap().secret(), b"the old secret ...");
        assert_eq!(ring.get("new").unwrap().secret(), b"the new secret ...");
        assert!(ring.get("New").is_none());
        let twice = ring.add(strong("old", "another secret ...")).unwrap_err();
        assert_eq!(twice, KeyringError::Twice("old".into()));
    }

    #[test]
    fn debug_leaks_nothing_of_a_secret() {
        let secret = "correct horse battery";
        let ring = Keyring::new()
            .with(key("k", secret, SecretRule::Strong).unwrap())
            .unwrap();
        let shown = format!("{ring:?} {ring:#?}");
        assert!(shown.contains("ops") && !shown.contains("horse"), "{shown}");
        assert!(!shown.contains("99, 111, 114"), "{shown}");
        assert!(!shown.contains(&secret.len().to_string()), "{shown}");
    }
}
