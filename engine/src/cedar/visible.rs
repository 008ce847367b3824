//! Whether a policy set can permit calls of a tool at all.
//!
//! Asked are the `request` policies as far as their scopes say: each `permit` without its
//! conditions, and the `forbid`s that have none. A no to that is a no to every call; a yes promises
//! nothing.

use std::collections::HashSet;

use cedar_policy::{
    Context, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyFromJsonError, Request,
};
use serde_json::Value;

use crate::cedar::PolicySet;
use crate::cedar::slices::Names;
use crate::delegation::OWNER_MARK;
use crate::policy::Tool;

/// What of a policy holds for every call; `form` is its JSON. `None` for a `forbid` with conditions.
///
/// # Errors
/// Cedar's, which for a policy of its own making there are none of.
pub(super) fn scope_of(
    policy: &Policy,
    mut form: Value,
) -> Result<Option<Policy>, Box<PolicyFromJsonError>> {
    let is_bare = form
        .get("conditions")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    match policy.effect() {
        _ if is_bare => Ok(Some(policy.clone())),
        Effect::Forbid => Ok(None),
        Effect::Permit => {
            if let Some(conditions) = form.get_mut("conditions") {
                *conditions = Value::Array(Vec::new());
            }
            Policy::from_json(Some(policy.id().clone()), form)
                .map(Some)
                .map_err(Box::new)
        }
    }
}

impl PolicySet {
    /// Whether some call of this tool may be permitted. What cannot be asked is not ruled out.
    pub(super) fn permits_some(&self, tool: &Tool<'_>) -> bool {
        let agent = format!("{OWNER_MARK}{}", tool.owner);
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let (principal, resource) = (
            uid(&self.words.agent, &agent),
            uid(&self.words.tool, tool.action_id),
        );
        let intents = HashSet::from([uid(&self.words.intent, tool.intent_id)]);
        let entity = Entity::new_no_attrs(resource.clone(), intents);
        let action = self.words.request.clone();
        let request = Request::new(principal, action, resource, Context::empty(), None);
        let (Ok(request), Ok(entities)) = (request, Entities::from_entities([entity], None)) else {
            return true;
        };
        let names = Names {
            agent: &agent,
            tool: tool.action_id,
            intent: tool.intent_id,
        };
        let said = self
            .set
            .scopes
            .ask(&self.authorizer, &request, &entities, names);
        said.is_yes() || !said.failed.is_empty()
    }
}
