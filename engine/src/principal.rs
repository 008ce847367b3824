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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Reviewer, Self::Auditor, Self::Admin];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// The role that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Agent => 1,
            Self::Reviewer => 2,
            Self::Auditor => 4,
            Self::Admin => 8,
        }
    }
}

/// The agents that may act through a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agents {
    /// Every agent: a single person's own process, and local demonstrations.
    Any,
    /// These alone; none, for a key that does not act for agents.
    Only(Arc<[Box<str>]>),
}

impl Agents {
    /// Whether `agent` is one of them.
    pub fn include(&self, agent: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(agents) => agents.iter().any(|known| **known == *agent),
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
    agents: Agents,
    delegated_only: bool,
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
            agents: Agents::Only(Arc::default()),
            delegated_only: false,
        }
    }

    /// The caller inside the engine's own process: organisation, key and owner are `local`, and
    /// it has every role.
    pub fn local() -> Self {
        [Role::Agent, Role::Reviewer, Role::Auditor, Role::Admin]
            .into_iter()
            .fold(Self::new("local", "local"), Self::with)
            .acting_as(Agents::Any)
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

    /// The same with the agents that may act through it.
    #[must_use]
    pub fn acting_as(mut self, agents: Agents) -> Self {
        self.agents = agents;
        self
    }

    /// The same, but every submission must be delegated.
    #[must_use]
    pub const fn delegated_only(mut self) -> Self {
        self.delegated_only = true;
        self
    }

    /// Whether `agent` may act through the key.
    pub fn acts_as(&self, agent: &str) -> bool {
        self.agents.include(agent)
    }

    /// Whether the key submits delegated requests only.
    pub const fn is_delegated_only(&self) -> bool {
        self.delegated_only
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
