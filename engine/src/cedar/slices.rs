//! Policies parted by what their scope names, so that a question meets only those that can match.
//!
//! Cedar's answer is made of three sets: the permits that match, the forbids that match, and the
//! policies that fail. All three can be found part by part and joined, so the parts together
//! answer exactly as the whole would.

use std::collections::HashMap;

use cedar_policy::{
    AuthorizationError, Authorizer, Decision, Entities, EntityUid, Policy, PolicySet,
    PolicySetError, PrincipalConstraint, Request, ResourceConstraint,
};

/// The policies of one action.
#[derive(Default)]
pub(super) struct Slices {
    /// Those that name nobody and nothing.
    any: Part,
    tools: HashMap<Box<str>, Part>,
    intents: HashMap<Box<str>, Part>,
    agents: HashMap<Box<str>, Part>,
}

#[derive(Default)]
struct Part(PolicySet);

/// What Cedar says to one question.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) permits: Vec<Box<str>>,
    pub(super) forbids: Vec<Box<str>>,
    pub(super) failed: Vec<Box<str>>,
}

/// The names that a question is about.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) agent: &'a str,
    pub(super) tool: &'a str,
    pub(super) intent: &'a str,
}

/// The types of entities, by the names that the schema gives them.
pub(super) const AGENT: &str = "Sernixa::Agent";
pub(super) const TOOL: &str = "Sernixa::Tool";
pub(super) const INTENT: &str = "Sernixa::Intent";

impl Slices {
    /// Adds a policy, under the narrowest name that its scope holds.
    pub(super) fn add(&mut self, policy: &Policy) -> Result<(), Box<PolicySetError>> {
        let part = match scope(policy) {
            Scope::Any => &mut self.any,
            Scope::Tool(id) => self.tools.entry(id).or_default(),
            Scope::Intent(id) => self.intents.entry(id).or_default(),
            Scope::Agent(id) => self.agents.entry(id).or_default(),
        };
        part.0.add(policy.clone()).map_err(Box::new)
    }

    /// Asks those that can match.
    pub(super) fn ask(
        &self,
        authorizer: &Authorizer,
        request: &Request,
        entities: &Entities,
        names: Names<'_>,
    ) -> Said {
        let mut said = Said::default();
        let parts = [
            Some(&self.any),
            self.tools.get(names.tool),
            self.intents.get(names.intent),
            self.agents.get(names.agent),
        ];
        for Part(policies) in parts.into_iter().flatten() {
            if policies.is_empty() {
                continue;
            }
            let response = authorizer.is_authorized(request, policies, entities);
            let diagnostics = response.diagnostics();
            let matched = diagnostics.reason().map(|id| Box::from(id.as_ref()));
            match response.decision() {
                Decision::Allow => said.permits.extend(matched),
                // The forbids that match; none where nothing permits.
                Decision::Deny => said.forbids.extend(matched),
            }
            for error in diagnostics.errors() {
                let AuthorizationError::PolicyEvaluationError(error) = error;
                let id: &str = error.policy_id().as_ref();
                said.failed.push(id.into());
            }
        }
        // By name, so that a verdict is the same text every time.
        said.permits.sort_unstable();
        said.forbids.sort_unstable();
        said.failed.sort_unstable();
        said
    }
}

impl Said {
    /// Whether it is a yes: some policy permits, none forbids, and none failed. Cedar skips a
    /// forbid that fails; here that is a no.
    pub(super) fn is_yes(&self) -> bool {
        self.failed.is_empty() && self.forbids.is_empty() && !self.permits.is_empty()
    }
}

enum Scope {
    Any,
    Tool(Box<str>),
    Intent(Box<str>),
    Agent(Box<str>),
}

fn scope(policy: &Policy) -> Scope {
    // `in` holds for the entity itself too; agents and tools have nothing below them.
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Eq(uid)
        | ResourceConstraint::In(uid)
        | ResourceConstraint::IsIn(_, uid) => Some(uid),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
    };
    let principal = match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid)
        | PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    };
    let named = |uid: Option<&EntityUid>, kind: &str| {
        uid.filter(|uid| uid.type_name().to_string() == kind)
            .map(|uid| Box::from(uid.id().unescaped()))
    };
    if let Some(id) = named(resource.as_ref(), TOOL) {
        Scope::Tool(id)
    } else if let Some(id) = named(principal.as_ref(), AGENT) {
        Scope::Agent(id)
    } else if let Some(id) = named(resource.as_ref(), INTENT) {
        Scope::Intent(id)
    } else {
        // Whatever else a scope may say: asked every time.
        Scope::Any
    }
}
