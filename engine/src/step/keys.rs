//! API keys: made, listed, taken back. The key itself never comes here, only its hash.

use crate::answer::Reply;
use crate::api_key::ApiKey;
use crate::audit::{Entry, EventKind};
use crate::principal::{Agents, Principal, Role};
use crate::refusal::{Refusal, Word};
use crate::step::{Step, lacks, refuse};
use crate::store::StoreError;
use crate::text::Object;

impl Step<'_> {
    pub(super) fn create_key(
        &mut self,
        caller: &Principal,
        key: &ApiKey,
    ) -> Result<Reply, StoreError> {
        if !caller.has(Role::Admin) {
            return Ok(lacks("making keys needs the admin role"));
        }
        self.state.put_api_key(key)?;
        let entry = Entry::new(EventKind::KeyCreated, self.now())
            .by(caller)
            .with(|object| about(object, key));
        self.append(caller.organisation(), entry)?;
        Ok(Reply::Keys(vec![key.clone()]))
    }

    pub(super) fn keys(&mut self, caller: &Principal) -> Result<Reply, StoreError> {
        if !caller.has(Role::Admin) && !caller.has(Role::Auditor) {
            return Ok(lacks("listing keys needs the auditor or admin role"));
        }
        Ok(Reply::Keys(self.state.api_keys(caller.organisation())?))
    }

    /// Taking a key back twice is taking it back once: the first time stays.
    pub(super) fn revoke_key(&mut self, caller: &Principal, id: &str) -> Result<Reply, StoreError> {
        if !caller.has(Role::Admin) {
            return Ok(lacks("revoking keys needs the admin role"));
        }
        let keys = self.state.api_keys(caller.organisation())?;
        let Some(mut key) = keys.into_iter().find(|key| *key.id == *id) else {
            return Ok(refuse(Refusal::new(
                Word::NotFound,
                "there is no such key in this organisation",
            )));
        };
        if key.revoked_at.is_none() {
            key.revoked_at = Some(self.now());
            self.state.put_api_key(&key)?;
            let entry = Entry::new(EventKind::KeyRevoked, self.now())
                .by(caller)
                .with(|object| about(object, &key));
            self.append(caller.organisation(), entry)?;
        }
        Ok(Reply::Keys(vec![key]))
    }
}

/// What the audit says of a key. Its hash stays out; the digest of the hash shows whether the one
/// in the store was exchanged.
fn about(object: Object, key: &ApiKey) -> Object {
    let object = object
        .string("api_key_id", &key.id)
        .digest("api_key_fingerprint", &key.fingerprint())
        .string("api_key_owner", &key.owner)
        .strings("roles", key.roles.iter().map(|role| role.as_str()))
        .flag("delegated_only", key.delegated_only);
    match &key.agents {
        Agents::Any => object.flag("any_agent", true),
        Agents::Only(agents) => object.strings("agents", agents.iter().map(AsRef::as_ref)),
    }
}
