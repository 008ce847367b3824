//! API keys as a store keeps them: never the key, only its hash.

use std::sync::Arc;

use crate::digest::Digest;
use crate::moment::Timestamp;
use crate::principal::{Agents, Principal, Role};
use crate::text::Object;

/// An API key: who may do what with it. The key itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public id: stands in records, audit events and lists.
    pub id: Arc<str>,
    /// The organisation it belongs to.
    pub organisation: Arc<str>,
    /// SHA-256 of the whole key.
    pub hash: Digest,
    /// The person or team that answers for it.
    pub owner: Arc<str>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The agents that may act through it.
    pub agents: Agents,
    /// Whether it submits delegated requests only.
    pub delegated_only: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// The key as JSON, for lists: everything but its hash.
    pub fn json(&self) -> String {
        let object = Object::new()
            .string("key_id", &self.id)
            .string("organization_id", &self.organisation)
            .string("owner", &self.owner)
            .strings("roles", self.roles.iter().map(|role| role.as_str()));
        let object = match &self.agents {
            Agents::Any => object.flag("any_agent", true),
            Agents::Only(agents) => object
                .flag("any_agent", false)
                .strings("agents", agents.iter().map(AsRef::as_ref)),
        };
        object
            .flag("delegated_only", self.delegated_only)
            .time("created_at", self.created_at)
            .optional_time("revoked_at", self.revoked_at)
            .finish()
    }

    /// The digest of its hash: what the audit knows the secret by.
    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::of(&self.hash.0)
    }

    /// The caller that this key authenticates; `None` once it is revoked.
    pub fn principal(&self) -> Option<Principal> {
        if self.revoked_at.is_some() {
            return None;
        }
        let principal = Principal::new(Arc::clone(&self.organisation), Arc::clone(&self.id))
            .owned_by(Arc::clone(&self.owner))
            .acting_as(self.agents.clone());
        let principal = if self.delegated_only {
            principal.delegated_only()
        } else {
            principal
        };
        Some(self.roles.iter().copied().fold(principal, Principal::with))
    }
}
