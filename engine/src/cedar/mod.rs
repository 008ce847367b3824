//! Policies in [Cedar](https://www.cedarpolicy.com), behind the feature `cedar`.
//!
//! A [`PolicySet`] answers both questions of a [`Policy`]: `request`, may this be asked at all,
//! and `proceed`, may it run without a person. The schema that policies are checked against, and
//! what they read, is in `docs/policies.md`.
//!
//! A question is answered yes only where some policy permits it, none forbids it, and none fails.
//! Cedar itself skips a policy that fails, a `forbid` too; here a failure is a no.
//!
//! ```
//! use sernixa_engine::cedar::{PolicySet, Sources};
//!
//! let set = PolicySet::load(&Sources::new().policies("default.cedar", PolicySet::DEFAULT))?;
//! assert_eq!(set.ids().count(), 2);
//!
//! let broken = Sources::new().policies("mine.cedar", "permit(principal, action, resource);");
//! let error = PolicySet::load(&broken).unwrap_err();
//! assert!(error.to_string().starts_with("mine.cedar:1:1: a policy has no `@id`"));
//! # Ok::<(), sernixa_engine::cedar::LoadError>(())
//! ```

mod cache;
mod explain;
mod expression;
mod facts;
mod fault;
mod load;
mod scan;
mod schema;
mod slices;
mod sources;
mod visible;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
};

use crate::cedar::cache::Cache;
use crate::cedar::expression::Attribute;
use crate::cedar::facts::{Facts, Unfit};
use crate::cedar::load::{Loaded, Set};
use crate::cedar::slices::{AGENT, INTENT, Names, Said, TOOL};
use crate::digest::Digest;
use crate::policy::{
    Because, Grounds, Policy, ProceedVerdict, Question, RequestVerdict, Tool, Verdict,
};

pub use explain::{Explanation, Opinion, Opinions, Supposed};
pub use fault::{Fault, LoadError};
pub use sources::{MAX_POLICIES, MAX_TEXT_BYTES, MAX_TOTAL_BYTES, Source, Sources};

/// A policy set in order: parsed, validated, and ready to be asked.
pub struct PolicySet {
    set: Set,
    words: Words,
    authorizer: Authorizer,
    nothing: Entities,
    /// `None` for a set whose answers change with the time.
    cache: Option<Cache>,
    /// How much stack a question may take, in bytes.
    stack: usize,
}

/// The names of the schema, parsed once.
struct Words {
    agent: EntityTypeName,
    tool: EntityTypeName,
    intent: EntityTypeName,
    request: EntityUid,
    proceed: EntityUid,
}

impl Words {
    fn new() -> Result<Self, Fault> {
        let kind = |name: &str| {
            name.parse::<EntityTypeName>()
                .map_err(|error| Fault::new("", error.to_string()))
        };
        let action = kind("Sernixa::Action")?;
        let named =
            |name: &str| EntityUid::from_type_name_and_id(action.clone(), EntityId::new(name));
        Ok(Self {
            agent: kind(AGENT)?,
            tool: kind(TOOL)?,
            intent: kind(INTENT)?,
            request: named("request"),
            proceed: named("proceed"),
        })
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySet")
            .field("digest", &self.set.digest)
            .field("policies", &self.set.policies.len())
            .finish_non_exhaustive()
    }
}

/// What Cedar is asked with, but the action.
struct Put<'a> {
    principal: EntityUid,
    resource: EntityUid,
    context: Context,
    entities: Cow<'a, Entities>,
}

impl Put<'_> {
    /// Puts the question that `action` names.
    fn to<T>(
        &self,
        action: &EntityUid,
        ask: impl FnOnce(&Request, &Entities) -> T,
    ) -> Result<T, Unfit> {
        let (principal, resource) = (self.principal.clone(), self.resource.clone());
        // Not checked against the schema again: every value was made as the schema says.
        Request::new(
            principal,
            action.clone(),
            resource,
            self.context.clone(),
            None,
        )
        .map(|request| ask(&request, &self.entities))
        .map_err(|_| Unfit::Failed)
    }
}

/// What Cedar takes of the stack for one level of a policy, without optimisation; measured: 45 KiB
/// to evaluate it, 55 KiB to parse it.
const STACK_PER_LEVEL: usize = 64 << 10;
/// What is left over for everything else; Cedar answers with a failure below 100 KiB.
const SPARE_STACK: usize = 256 << 10;
/// Enough for the deepest policy that is taken.
const LOADING_STACK: usize = SPARE_STACK + scan::MAX_DEPTH * STACK_PER_LEVEL;
/// The most ids that a verdict lists: it stands in audit events.
const MAX_LISTED: usize = 64;
/// The longest reason that is put together from several, in characters.
const MAX_REASON_CHARS: usize = 500;

impl PolicySet {
    /// The default policy's text: low-risk reads proceed, the rest is reviewed, everything may be
    /// asked. Equal in effect to [`BuiltInPolicy`](crate::BuiltInPolicy).
    pub const DEFAULT: &'static str = include_str!("default.cedar");

    /// Parses and validates the texts.
    ///
    /// Looks up the time zone in the machine's database; does no other I/O.
    ///
    /// # Errors
    /// [`LoadError`] with everything that is wrong: what Cedar only warns of is wrong, too.
    pub fn load(sources: &Sources) -> Result<Self, LoadError> {
        let set = stacker::grow(LOADING_STACK, || load::load(sources))?;
        let words = Words::new().map_err(|fault| LoadError::new(vec![fault]))?;
        Ok(Self {
            cache: (!set.reads.has(Attribute::Time)).then(Cache::default),
            stack: SPARE_STACK + set.depth * STACK_PER_LEVEL,
            set,
            words,
            authorizer: Authorizer::new(),
            nothing: Entities::empty(),
        })
    }

    /// The ids of the policies, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.set.policies.iter().map(Loaded::id)
    }

    /// Whether an answer may change with the time alone.
    pub fn reads_time(&self) -> bool {
        self.set.reads.has(Attribute::Time)
    }

    fn judge(&self, question: &Question<'_>) -> Verdict {
        let subject = question.subject;
        let verdict = |request, proceed, grounds: Option<Grounds>| Verdict {
            request,
            proceed,
            digest: self.set.digest,
            delegation_depth: subject.delegation_depth,
            grounds: grounds.map(Arc::new),
        };
        let facts = match self.facts(question) {
            Ok(facts) => facts,
            Err(unfit) => return verdict(self.unfit(unfit), ProceedVerdict::Review, None),
        };
        let key = self.cache.as_ref().map(|_| facts.key());
        if let (Some(cache), Some(key)) = (&self.cache, &key)
            && let Some(known) = cache.get(key)
        {
            return known;
        }
        // A thread with little stack left gets more for it: policies mean the same everywhere.
        let asked = stacker::maybe_grow(self.stack, self.stack, || self.ask(facts));
        let Ok((request, proceed)) = asked else {
            return verdict(RequestVerdict::Error, ProceedVerdict::Error, None);
        };
        let may_ask = if request.is_yes() {
            RequestVerdict::Permit
        } else if request.failed.is_empty() {
            RequestVerdict::Deny(self.reason(&request).into_string().into())
        } else {
            RequestVerdict::Error
        };
        let may_run = if proceed.is_yes() {
            ProceedVerdict::Proceed
        } else if proceed.failed.is_empty() {
            ProceedVerdict::Review
        } else {
            ProceedVerdict::Error
        };
        let why_review = (!proceed.forbids.is_empty()).then(|| self.reason(&proceed));
        let grounds = Grounds {
            request: because(request, None),
            proceed: because(proceed, why_review),
        };
        let verdict = verdict(may_ask, may_run, Some(grounds));
        if let (Some(cache), Some(key)) = (&self.cache, key) {
            cache.put(key, &verdict);
        }
        verdict
    }

    fn facts<'a>(&self, question: &Question<'a>) -> Result<Facts<'a>, Unfit> {
        let zone = self.reads_time().then_some(&self.set.zone);
        Facts::of(question, &self.set.declared, zone)
    }

    /// The answer to what cannot be asked.
    fn unfit(&self, unfit: Unfit) -> RequestVerdict {
        match unfit {
            Unfit::Type { at, wanted } => RequestVerdict::MetadataType {
                key: self.set.declared.name(at).into(),
                wanted: wanted.as_str(),
            },
            Unfit::Failed => RequestVerdict::Error,
        }
    }

    /// Puts both questions. Whether it may run is asked only of what may be asked.
    fn ask(&self, facts: Facts<'_>) -> Result<(Said, Said), Unfit> {
        let agent = facts.agent.to_string();
        let names = Names {
            agent: &agent,
            tool: facts.tool,
            intent: facts.intent,
        };
        let put = self.ready(facts)?;
        let request = put.to(&self.words.request, |request, entities| {
            self.set
                .request
                .ask(&self.authorizer, request, entities, names)
        })?;
        if !request.is_yes() {
            return Ok((request, Said::default()));
        }
        let proceed = put.to(&self.words.proceed, |request, entities| {
            self.set
                .proceed
                .ask(&self.authorizer, request, entities, names)
        })?;
        Ok((request, proceed))
    }

    /// Makes of the facts what Cedar is asked with.
    fn ready(&self, facts: Facts<'_>) -> Result<Put<'_>, Unfit> {
        let words = &self.words;
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let principal = uid(&words.agent, &facts.agent.to_string());
        let resource = uid(&words.tool, facts.tool);
        // Only a policy that names the intent can tell whether the tool is in it.
        let entities = if self.set.reads.intents.contains(facts.intent) {
            let parents = HashSet::from([uid(&words.intent, facts.intent)]);
            let tool = Entity::new_no_attrs(resource.clone(), parents);
            let made = Entities::from_entities([tool], None).map_err(|_| Unfit::Failed)?;
            Cow::Owned(made)
        } else {
            Cow::Borrowed(&self.nothing)
        };
        Ok(Put {
            principal,
            resource,
            context: facts.context(&self.set.declared, &self.set.reads)?,
            entities,
        })
    }

    fn loaded(&self, id: &str) -> Option<&Loaded> {
        let at = self
            .set
            .policies
            .binary_search_by(|loaded| loaded.id().cmp(id))
            .ok()?;
        self.set.policies.get(at)
    }

    /// Why not, in one line: what the policies that forbid it say for themselves.
    fn reason(&self, said: &Said) -> Box<str> {
        if said.forbids.is_empty() {
            return "no policy permits this".into();
        }
        let mut text = String::new();
        for id in &said.forbids {
            let own = self.loaded(id).and_then(|loaded| loaded.reason.as_deref());
            let next = own.map_or_else(|| format!("policy `{id}` forbids it"), str::to_owned);
            if text.contains(&next) {
                continue;
            }
            if text.chars().count() + next.chars().count() > MAX_REASON_CHARS - 2 {
                break;
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&next);
        }
        text.into_boxed_str()
    }
}

fn because(said: Said, reason: Option<Box<str>>) -> Because {
    let determining = if said.forbids.is_empty() {
        said.permits
    } else {
        said.forbids
    };
    let listed = |ids: Vec<Box<str>>| ids.into_iter().take(MAX_LISTED).collect();
    Because {
        policies: listed(determining),
        failed: listed(said.failed),
        reason,
    }
}

impl Policy for PolicySet {
    fn digest(&self) -> Digest {
        self.set.digest
    }

    fn verdict(&self, question: &Question<'_>) -> Verdict {
        self.judge(question)
    }

    fn permits_some(&self, tool: &Tool<'_>) -> bool {
        self.permits_some(tool)
    }
}
