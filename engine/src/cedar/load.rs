//! Loading a policy set: everything that is wrong is found and told at once.

use std::collections::HashMap;

use cedar_policy::{
    ActionConstraint, Policy, PolicyId, PolicySet as CedarSet, ValidationMode, Validator,
};
use jiff::tz::TimeZone;
use sernixa_protocol::canonical_json;

use crate::cedar::expression::{self, Reads};
use crate::cedar::fault::{Fault, LoadError};
use crate::cedar::scan::{self, Piece};
use crate::cedar::schema::{self, Declared};
use crate::cedar::slices::Slices;
use crate::cedar::sources::{MAX_POLICIES, MAX_TEXT_BYTES, MAX_TOTAL_BYTES, Source, Sources};
use crate::cedar::visible;
use crate::digest::Digest;

/// The version of the rules that stand above every policy: high and critical are a person's, a
/// question with a failure is answered no, memory overrules no `request`. It is part of the digest.
const HARD_RULES: &str = "sernixa.hard_rules.v1";

/// The longest `@id`, in bytes.
const MAX_ID_BYTES: usize = 128;
/// The longest `@reason`, in characters: it is one line for a person.
const MAX_REASON_CHARS: usize = 300;

/// A policy with where it came from.
pub(super) struct Loaded {
    pub(super) policy: Policy,
    pub(super) file: Box<str>,
    /// Why it says no, in its own words.
    pub(super) reason: Option<Box<str>>,
    /// Which of the two questions it answers.
    pub(super) answers: Answers,
    /// Where in its text it begins.
    start: usize,
    depth: usize,
}

impl Loaded {
    pub(super) fn id(&self) -> &str {
        self.policy.id().as_ref()
    }
}

/// Which of the two questions a policy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) request: bool,
    pub(super) proceed: bool,
}

/// A set that is in order.
pub(super) struct Set {
    pub(super) digest: Digest,
    /// In order of their ids.
    pub(super) policies: Vec<Loaded>,
    pub(super) request: Slices,
    pub(super) proceed: Slices,
    /// What of `request` holds for every call.
    pub(super) scopes: Slices,
    pub(super) declared: Declared,
    pub(super) zone: TimeZone,
    pub(super) reads: Reads,
    /// How deep the deepest policy nests, at most.
    pub(super) depth: usize,
}

pub(super) fn load(sources: &Sources) -> Result<Set, LoadError> {
    let mut faults = Vec::new();
    let zone = zone(&sources.zone).map_err(|fault| faults.push(fault));
    let declared = match &sources.metadata {
        Some(source) => schema::declared(source).map_err(|found| faults.extend(found)),
        None => Ok(Declared::default()),
    };
    let mut policies = parse(sources, &mut faults);
    policies.sort_by(|a, b| a.id().cmp(b.id()));
    find_doubles(&policies, sources, &mut faults);
    let texts: HashMap<&str, &str> = sources
        .policies
        .iter()
        .map(|source| (source.name.as_str(), source.text.as_str()))
        .collect();
    let schema_text = declared.as_ref().map(schema::text).ok();
    if let Some(text) = &schema_text {
        validate(text, &policies, &texts, &mut faults);
    }
    let mut reads = Reads::default();
    let (mut forms, mut scopes) = (Vec::new(), Vec::new());
    for loaded in &policies {
        match loaded.policy.to_json() {
            Ok(form) => {
                let text = texts.get(&*loaded.file).copied().unwrap_or_default();
                for what in expression::read(&form, &mut reads) {
                    faults.push(
                        Fault::new(&loaded.file, what)
                            .at(text, loaded.start)
                            .of(Some(loaded.id())),
                    );
                }
                forms.push(canonical_json(&form));
                if loaded.answers.request {
                    match visible::scope_of(&loaded.policy, form) {
                        Ok(scope) => scopes.extend(scope),
                        Err(error) => faults.push(Fault::new(&loaded.file, error.to_string())),
                    }
                }
            }
            Err(error) => faults.push(Fault::new(&loaded.file, error.to_string())),
        }
    }
    for loaded in &policies {
        reads.intents(&loaded.policy);
    }
    let mut set = Set {
        digest: digest(
            schema_text.as_deref().unwrap_or_default(),
            &forms,
            &sources.zone,
        ),
        policies: Vec::new(),
        request: Slices::default(),
        proceed: Slices::default(),
        scopes: Slices::default(),
        declared: declared.unwrap_or_default(),
        zone: zone.unwrap_or(TimeZone::UTC),
        reads,
        depth: policies
            .iter()
            .map(|loaded| loaded.depth)
            .max()
            .unwrap_or_default(),
    };
    if !faults.is_empty() {
        return Err(LoadError::new(faults));
    }
    for loaded in &policies {
        let Answers { request, proceed } = loaded.answers;
        for (asked, slices) in [(request, &mut set.request), (proceed, &mut set.proceed)] {
            if asked && let Err(error) = slices.add(&loaded.policy) {
                faults.push(Fault::new(&loaded.file, error.to_string()).of(Some(loaded.id())));
            }
        }
    }
    for scope in &scopes {
        if let Err(error) = set.scopes.add(scope) {
            faults.push(Fault::new("", error.to_string()).of(Some(scope.id().as_ref())));
        }
    }
    set.policies = policies;
    if faults.is_empty() {
        Ok(set)
    } else {
        Err(LoadError::new(faults))
    }
}

fn zone(name: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(name).map_err(|_| {
        Fault::new("", format!("the time zone {name:?} is not known"))
            .fix("use a name of the IANA database, like UTC or Europe/Berlin; it must be installed on this machine")
    })
}

/// What the set is known by. Comments and layout do not count.
fn digest(schema: &str, policies: &[String], zone: &str) -> Digest {
    let language = cedar_policy::get_lang_version().to_string().to_lowercase();
    let mut parts = vec![
        HARD_RULES.as_bytes(),
        language.as_bytes(),
        schema.as_bytes(),
        zone.as_bytes(),
    ];
    parts.extend(policies.iter().map(String::as_bytes));
    Digest::of_parts("sernixa.policy.cedar.v1", &parts)
}

fn parse(sources: &Sources, faults: &mut Vec<Fault>) -> Vec<Loaded> {
    let total: usize = sources
        .policies
        .iter()
        .map(|source| source.text.len())
        .sum();
    if total > MAX_TOTAL_BYTES {
        let what = format!("the policies hold more than {} MiB", MAX_TOTAL_BYTES >> 20);
        faults.push(Fault::new("", what));
        return Vec::new();
    }
    let mut policies = Vec::new();
    for source in &sources.policies {
        if source.text.len() > MAX_TEXT_BYTES {
            faults.push(Fault::new(&source.name, "the text is longer than 1 MiB"));
            continue;
        }
        for piece in scan::pieces(&source.text) {
            if policies.len() >= MAX_POLICIES {
                let what = format!("the set holds more than {MAX_POLICIES} policies");
                faults.push(Fault::new(&source.name, what));
                return policies;
            }
            policies.extend(policy(source, &piece).map_err(|found| faults.extend(found)));
        }
    }
    if policies.is_empty() && faults.is_empty() {
        let fault = Fault::new("", "there are no policies, so everything would be blocked");
        faults.push(fault.fix("begin with the files of `sernixa policy init`"));
    }
    policies
}

fn policy(source: &Source, piece: &Piece) -> Result<Loaded, Vec<Fault>> {
    let Source { name: file, text } = source;
    let start = piece.range.start;
    let fault = |what: String| Fault::new(file, what).at(text, start);
    if piece.range.len() > scan::MAX_POLICY_BYTES {
        let what = format!(
            "a policy is longer than {} KiB",
            scan::MAX_POLICY_BYTES >> 10
        );
        return Err(vec![fault(what).fix("part it into several")]);
    }
    if piece.depth > scan::MAX_DEPTH {
        let what = format!("a policy nests more than {} levels deep", scan::MAX_DEPTH);
        let fix = "part it into several, or compare with a set: `[\"a\", \"b\"].contains(…)`";
        return Err(vec![fault(what).fix(fix)]);
    }
    let own = text.get(piece.range.clone()).unwrap_or_default();
    let policy = Policy::parse(None, own).map_err(|errors| {
        errors
            .iter()
            .map(|error| Fault::of_cedar(file, text, start, error))
            .collect::<Vec<_>>()
    })?;
    let Some(id) = policy.annotation("id") else {
        let fix = "write `@id(\"a-name-of-its-own\")` in front of it";
        return Err(vec![fault("a policy has no `@id`".to_owned()).fix(fix)]);
    };
    if !is_id(id) {
        let what = format!("{id:?} is no `@id`");
        let fix = format!("use 1 to {MAX_ID_BYTES} letters, digits, `-`, `_`, `.`, `:` and `/`");
        return Err(vec![fault(what).fix(fix)]);
    }
    let reason = policy.annotation("reason").map(str::trim);
    if let Some(reason) = reason
        && !is_reason(reason)
    {
        let what = "its `@reason` is not one line of text".to_owned();
        let fix = format!("use 1 to {MAX_REASON_CHARS} characters without control characters");
        return Err(vec![fault(what).of(Some(id)).fix(fix)]);
    }
    Ok(Loaded {
        file: file.as_str().into(),
        reason: reason.map(Box::from),
        answers: answers(&policy),
        start,
        depth: piece.depth,
        policy: policy.new_id(PolicyId::new(id)),
    })
}

/// Ids stand in answers, logs and the audit: plain ASCII, without spaces.
fn is_id(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
}

fn is_reason(reason: &str) -> bool {
    (1..=MAX_REASON_CHARS).contains(&reason.chars().count())
        && !reason.chars().any(char::is_control)
}

fn answers(policy: &Policy) -> Answers {
    let names = |uid: &cedar_policy::EntityUid, action: &str| uid.id().unescaped() == action;
    let asked = |action: &str| match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => names(&uid, action),
        ActionConstraint::In(uids) => uids.iter().any(|uid| names(uid, action)),
    };
    Answers {
        request: asked("request"),
        proceed: asked("proceed"),
    }
}

/// Two policies of one name: the second is told about the first.
fn find_doubles(policies: &[Loaded], sources: &Sources, faults: &mut Vec<Fault>) {
    for pair in policies.windows(2) {
        let [first, second] = pair else { continue };
        if first.id() != second.id() {
            continue;
        }
        let text = |name: &str| {
            sources
                .policies
                .iter()
                .find(|source| source.name == name)
                .map_or("", |source| &*source.text)
        };
        let before = Fault::new(&first.file, "").at(text(&first.file), first.start);
        let what = format!(
            "its `@id` is taken by the policy at {}:{}",
            before.file, before.line
        );
        faults.push(
            Fault::new(&second.file, what)
                .at(text(&second.file), second.start)
                .of(Some(second.id()))
                .fix("give one of them another `@id`"),
        );
    }
}

/// Strict validation. What Cedar only warns of is refused, too: a misspelt `has` is a warning.
fn validate(
    schema: &str,
    policies: &[Loaded],
    texts: &HashMap<&str, &str>,
    faults: &mut Vec<Fault>,
) {
    let schema = match schema::parse(schema) {
        Ok(schema) => schema,
        Err(fault) => return faults.push(fault),
    };
    let validator = Validator::new(schema);
    let mut set = CedarSet::new();
    let mut places: HashMap<&PolicyId, &Loaded> = HashMap::new();
    for loaded in policies {
        // Doubles are told elsewhere.
        if set.add(loaded.policy.clone()).is_ok() {
            places.insert(loaded.policy.id(), loaded);
        }
    }
    let result = validator.validate(&set, ValidationMode::Strict);
    let mut found = |id: &PolicyId, said: &(dyn miette::Diagnostic + 'static)| {
        let Some(loaded) = places.get(id) else {
            return faults.push(Fault::new("", said.to_string()));
        };
        let text = texts.get(&*loaded.file).copied().unwrap_or_default();
        let fault = Fault::of_cedar(&loaded.file, text, loaded.start, said);
        faults.push(fault.of(Some(loaded.id())));
    };
    for error in result.validation_errors() {
        found(error.policy_id(), error);
    }
    for warning in result.validation_warnings() {
        found(warning.policy_id(), warning);
    }
}
