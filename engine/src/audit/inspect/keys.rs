//! Comparing API keys with the events that made them: whoever can write the store must not be able
//! to give themselves a key unseen.

use std::fmt;
use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::audit::inspect::{is, says};
use crate::audit::{Event, EventFilter, EventKind};
use crate::principal::{Agents, Role};
use crate::store::{Store, StoreError};

/// More events about keys than any organisation has.
const EVENTS_MAX: usize = 1 << 24;

/// An API key that the audit does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// Its public id. As it stands in the store: escape it before a person reads it.
    pub key_id: Arc<str>,
    /// What does not fit.
    pub kind: KeyFaultKind,
}

/// What of an API key does not fit the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFaultKind {
    /// No event made it.
    NoEvent,
    /// Its secret, owner, roles or agents are not those it was made with.
    OtherKey,
    /// It was revoked, and works again.
    Restored,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            KeyFaultKind::NoEvent => "no audit event made it",
            KeyFaultKind::OtherKey => "its secret, owner, roles or agents are not those recorded",
            KeyFaultKind::Restored => "it was revoked, and that does not show",
        };
        write!(f, "API key {}: {what}", self.key_id)
    }
}

/// Compares the API keys of an organisation with the events about them. Check the chain first:
/// this believes it. Where events were dropped, a key that they made counts as made by none.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub fn verify_api_keys(store: &dyn Store, organisation: &str) -> Result<Vec<KeyFault>, StoreError> {
    let mut keys = Vec::new();
    store.transact(&mut |state| {
        keys = state.api_keys(organisation)?;
        Ok(())
    })?;
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    // Read after the keys: each of them has its events by now.
    let events = |kind| {
        let filter = EventFilter {
            kind: Some(kind),
            ..EventFilter::default()
        };
        store.find_events(organisation, &filter, EVENTS_MAX)
    };
    let (made, revoked) = (
        events(EventKind::KeyCreated)?,
        events(EventKind::KeyRevoked)?,
    );
    let faults = keys.iter().filter_map(|key| {
        let kind = compare(key, &made, &revoked).err()?;
        Some(KeyFault {
            key_id: Arc::clone(&key.id),
            kind,
        })
    });
    Ok(faults.collect())
}

fn compare(key: &ApiKey, made: &[Event], revoked: &[Event]) -> Result<(), KeyFaultKind> {
    let about = |event: &&Event| says(event, |event| is(event, "api_key_id", &key.id));
    let made = made.iter().find(about).ok_or(KeyFaultKind::NoEvent)?;
    let agents = match &key.agents {
        Agents::Any => None,
        Agents::Only(agents) => Some(agents),
    };
    let same = says(made, |event| {
        let flag = |name| event.get(name).and_then(|node| node.as_bool());
        let same_list = |name, wanted: &[&str]| {
            event.get(name).is_some_and(|list| {
                let mut said = list.elements();
                wanted
                    .iter()
                    .all(|text| said.next().is_some_and(|node| node.is(text)))
                    && said.next().is_none()
            })
        };
        let roles: Vec<&str> = key.roles.iter().copied().map(Role::as_str).collect();
        is(event, "api_key_fingerprint", &key.fingerprint().to_string())
            && is(event, "api_key_owner", &key.owner)
            && same_list("roles", &roles)
            && flag("delegated_only") == Some(key.delegated_only)
            && match agents {
                None => flag("any_agent") == Some(true),
                Some(agents) => {
                    let agents: Vec<&str> = agents.iter().map(AsRef::as_ref).collect();
                    same_list("agents", &agents)
                }
            }
    });
    if !same {
        Err(KeyFaultKind::OtherKey)
    } else if key.revoked_at.is_none() && revoked.iter().any(|event| about(&event)) {
        Err(KeyFaultKind::Restored)
    } else {
        Ok(())
    }
}
