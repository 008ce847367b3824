//! Who asks: an authenticated key with its organisation, owner and roles.
//!
//! The engine authenticates nobody. A server makes a [`Principal`] of the API key it has checked;
//! in the process there is [`Principal::local`].

use std::sync::Arc;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Submits, waits, claims, reports.
    Agent,
    /// Sees what waits in its organisation, and decides.
    Reviewer,
    /// Sees records and audit of its organisation.
    Auditor,
    /// Keeps the service: settings, keys, memory.
    Admin,
}

impl Role {
    const fn bit(self) -> u8 {
        match self {
            Self::Agent => 1,
            Self::Reviewer => 2,
            Self::Auditor => 4,
            Self::Admin => 8,
        }
    }
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    organisation: Arc<str>,
    key: Arc<str>,
    owner: Arc<str>,
    roles: u8,
}

impl Principal {
    /// The key `key` of `organisation`, without any role, owned by itself.
    ///
    /// `key` is the key's public id, never the secret: it stands in records and audit events.
    pub fn new(organisation: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        let key = key.into();
        Self {
            organisation: organisation.into(),
            owner: Arc::clone(&key),
            key,
            roles: 0,
        }
    }

    /// The caller inside the engine's own process: organisation, key and owner are `local`, and
    /// it has every role.
    pub fn local() -> Self {
        [Role::Agent, Role::Reviewer, Role::Auditor, Role::Admin]
            .into_iter()
            .fold(Self::new("local", "local"), Self::with)
    }

    /// The same with another owner: the person or team that answers for the key. Nobody decides
    /// what a key of the same owner asked.
    #[must_use]
    pub fn owned_by(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = owner.into();
        self
    }

    /// The same with one role more.
    #[must_use]
    pub fn with(mut self, role: Role) -> Self {
        self.roles |= role.bit();
        self
    }

    /// Whether the key has `role`.
    pub const fn has(&self, role: Role) -> bool {
        self.roles & role.bit() != 0
    }

    /// The organisation the key belongs to.
    pub const fn organisation(&self) -> &Arc<str> {
        &self.organisation
    }

    /// The key's public id.
    pub const fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Who answers for the key.
    pub const fn owner(&self) -> &Arc<str> {
        &self.owner
    }

    /// Whether the key may read every record of its organisation, not only its own.
    pub const fn sees_all(&self) -> bool {
        self.has(Role::Reviewer) || self.has(Role::Auditor) || self.has(Role::Admin)
    }
}
