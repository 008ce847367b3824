//! What a token covers, and whether one covers no more than another.
//!
//! Nothing is covered but what is named: an empty list of classes or sensitivities names nothing.
//! Resources and the tool subset narrow further: each that is there must fit, and what is not
//! understood is refused when the token is asked for, never ignored.

use std::borrow::Cow;

use sernixa_protocol::json::{Document, Kind, Node};
use sernixa_protocol::{RiskLevel, canonicalize};

use crate::approval::Subject;
use crate::receive::invalid;
use crate::refusal::Refusal;
use crate::text::{Object, array};

/// The most words of one list.
const WORDS_MAX: usize = 64;
/// The most characters of a word, a name or a value.
const TEXT_MAX: usize = 256;
/// The most resources of a scope.
const RESOURCES_MAX: usize = 32;
/// The most actions of a tool subset.
const TOOLS_MAX: usize = 256;

/// Why something is outside of a scope: one line for the caller.
pub(crate) type Broader = Cow<'static, str>;

/// The scope of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    max_risk: RiskLevel,
    /// As written; compared in lower case.
    classes: Vec<Box<str>>,
    /// As written; compared in lower case.
    sensitivities: Vec<Box<str>>,
    resources: Vec<Resource>,
}

/// A member of the metadata, and the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    name: Box<str>,
    /// Canonical JSON of what was written: a value, or an array of them.
    written: Box<str>,
    /// Canonical JSON of each value.
    allowed: Vec<Box<str>>,
}

impl Scope {
    /// Reads the `scope` of a request or of a payload.
    ///
    /// Absent members are those of the clients' helper (PROTOCOL 5): low risk, nothing named.
    pub(crate) fn read(node: Option<Node<'_>>) -> Result<Self, Refusal> {
        let node = node
            .filter(Node::is_object)
            .ok_or_else(|| invalid("`scope` must be an object"))?;
        for (name, _) in node.members() {
            // A restriction that nobody here understands must not be left out unseen.
            let known = [
                "max_risk_level",
                "allowed_operation_classes",
                "allowed_data_sensitivities",
                "resources",
            ];
            if !known.iter().any(|known| name.is(known)) {
                return Err(invalid(
                    "`scope` may hold max_risk_level, allowed_operation_classes, \
                     allowed_data_sensitivities and resources, and nothing else",
                ));
            }
        }
        let max_risk = match node.get("max_risk_level") {
            None => Some(RiskLevel::Low),
            Some(level) => level.as_str().and_then(|text| RiskLevel::parse(&text)),
        };
        Ok(Self {
            max_risk: max_risk.ok_or_else(|| {
                invalid("`scope.max_risk_level` must be low, medium, high or critical")
            })?,
            classes: words(node, "allowed_operation_classes")?,
            sensitivities: words(node, "allowed_data_sensitivities")?,
            resources: resources(node.get("resources"))?,
        })
    }

    /// The JSON that [`read`](Self::read) reads: every member, in one order.
    pub(crate) fn json(&self) -> String {
        let resources = self.resources.iter();
        let resources = resources.fold(Object::new(), |object, resource| {
            object.json_under(&resource.name, &resource.written)
        });
        Object::new()
            .string("max_risk_level", self.max_risk.as_str())
            .strings(
                "allowed_operation_classes",
                self.classes.iter().map(AsRef::as_ref),
            )
            .strings(
                "allowed_data_sensitivities",
                self.sensitivities.iter().map(AsRef::as_ref),
            )
            .json("resources", &resources.finish())
            .finish()
    }

    /// Whether a submission lies within.
    pub(crate) fn covers(&self, subject: &Subject) -> Result<(), Broader> {
        if subject.risk > self.max_risk {
            return Err(format!(
                "the delegation covers risk up to {}, and this is {}",
                self.max_risk.as_str(),
                subject.risk.as_str()
            )
            .into());
        }
        covers_word(
            &self.classes,
            &subject.operation_class,
            "the delegation does not cover this operation class",
        )?;
        covers_word(
            &self.sensitivities,
            &subject.data_sensitivity,
            "the delegation does not cover this data sensitivity",
        )?;
        if self.resources.is_empty() {
            return Ok(());
        }
        let Ok(metadata) = Document::parse(&subject.metadata) else {
            return Err("the metadata cannot be read".into());
        };
        self.resources
            .iter()
            .try_for_each(|resource| resource.covers(metadata.root()))
    }

    /// Whether nothing lies within that is not within `parent`.
    pub(crate) fn narrows(&self, parent: &Self) -> Result<(), Broader> {
        if self.max_risk > parent.max_risk {
            return Err("max_risk_level is above the parent token's".into());
        }
        let among = |words: &[Box<str>], known: &[Box<str>], broader: &'static str| {
            words
                .iter()
                .try_for_each(|word| covers_word(known, word, broader))
        };
        among(
            &self.classes,
            &parent.classes,
            "allowed_operation_classes names one that the parent token does not cover",
        )?;
        among(
            &self.sensitivities,
            &parent.sensitivities,
            "allowed_data_sensitivities names one that the parent token does not cover",
        )?;
        for theirs in &parent.resources {
            let own = self.resources.iter().find(|own| own.name == theirs.name);
            let within = own.is_some_and(|own| {
                own.allowed
                    .iter()
                    .all(|value| theirs.allowed.contains(value))
            });
            if !within {
                return Err(format!(
                    "resources must repeat the parent token's `{}`, with no other values",
                    theirs.name
                )
                .into());
            }
        }
        Ok(())
    }
}

impl Resource {
    /// The metadata must name this resource, and nothing of it that is not allowed. An empty list
    /// names nothing: what the action makes of that, nobody here knows.
    fn covers(&self, metadata: Node<'_>) -> Result<(), Broader> {
        let allows = |value: Node<'_>| {
            is_scalar(value)
                && canonicalize(value.raw())
                    .is_ok_and(|text| self.allowed.iter().any(|allowed| **allowed == *text))
        };
        let covered = metadata.get(&self.name).is_some_and(|value| {
            if value.kind() == Kind::Array {
                let mut elements = value.elements().peekable();
                elements.peek().is_some() && elements.all(allows)
            } else {
                allows(value)
            }
        });
        if covered {
            Ok(())
        } else {
            Err(format!(
                "the delegation is narrowed to some values of the metadata's `{}`, and this names \
                 none or others",
                self.name
            )
            .into())
        }
    }
}

/// What a resource's value may be; a float has too many spellings to be compared.
fn is_scalar(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::String | Kind::Integer | Kind::Bool)
}

fn covers_word(known: &[Box<str>], word: &str, broader: &'static str) -> Result<(), Broader> {
    if known.is_empty() {
        return Err(format!("{broader}: it names none").into());
    }
    let word = word.to_lowercase();
    if known.iter().any(|known| known.to_lowercase() == word) {
        Ok(())
    } else {
        Err(broader.into())
    }
}

/// The list of words under `name`; absent, it is empty.
fn words(scope: Node<'_>, name: &str) -> Result<Vec<Box<str>>, Refusal> {
    let Some(list) = scope.get(name) else {
        return Ok(Vec::new());
    };
    texts(list, WORDS_MAX).ok_or_else(|| {
        invalid(format!(
            "`scope.{name}` must be a list of at most {WORDS_MAX} words of 1 to {TEXT_MAX} \
             characters"
        ))
    })
}

/// A list of at most `most` texts, each of which [`is_text`].
fn texts(list: Node<'_>, most: usize) -> Option<Vec<Box<str>>> {
    if list.kind() != Kind::Array || list.elements().count() > most {
        return None;
    }
    list.elements()
        .map(|word| Some(word.as_str().filter(|word| is_text(word, TEXT_MAX))?.into()))
        .collect()
}

/// Something to read of 1 to `most` characters, without control characters.
pub(super) fn is_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().take(most + 1).count() <= most
        && !text.chars().any(char::is_control)
}

fn resources(node: Option<Node<'_>>) -> Result<Vec<Resource>, Refusal> {
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    let rule = || {
        invalid(format!(
            "`scope.resources` must be an object of at most {RESOURCES_MAX} members, each with a \
             name of 1 to {TEXT_MAX} characters and a string, integer or boolean, or a list of 1 \
             to {WORDS_MAX} of them"
        ))
    };
    if !node.is_object() || node.members().count() > RESOURCES_MAX {
        return Err(rule());
    }
    node.members()
        .map(|(name, value)| resource(name, value).ok_or_else(rule))
        .collect()
}

fn resource(name: Node<'_>, value: Node<'_>) -> Option<Resource> {
    let name = name.as_str().filter(|name| is_text(name, TEXT_MAX))?;
    let values: Vec<Node<'_>> = if value.kind() == Kind::Array {
        value.elements().take(WORDS_MAX + 1).collect()
    } else {
        vec![value]
    };
    let fits = (1..=WORDS_MAX).contains(&values.len())
        && values
            .iter()
            .all(|value| is_scalar(*value) && value.raw().len() <= 4 * TEXT_MAX);
    if !fits {
        return None;
    }
    let allowed = values
        .iter()
        .map(|value| canonicalize(value.raw()).ok().map(Into::into))
        .collect::<Option<Vec<Box<str>>>>()?;
    let written = if value.kind() == Kind::Array {
        array(allowed.iter().map(|value| String::from(&**value)))
    } else {
        canonicalize(value.raw()).ok()?
    };
    Some(Resource {
        name: name.into(),
        written: written.into(),
        allowed,
    })
}

/// The actions that a token covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tools {
    /// All of the scope's.
    All,
    /// These alone. Each is an action id, or the function's name that one was made of.
    Only(Vec<Box<str>>),
}

impl Tools {
    /// Reads `tool_subset`: `null` for all.
    pub(crate) fn read(node: Option<Node<'_>>) -> Result<Self, Refusal> {
        let Some(list) = node.filter(|node| !node.is_null()) else {
            return Ok(Self::All);
        };
        texts(list, TOOLS_MAX)
            .filter(|tools| !tools.is_empty())
            .map(Self::Only)
            .ok_or_else(|| {
                invalid(format!(
                    "`tool_subset` must be null for all tools, or a list of 1 to {TOOLS_MAX} \
                     action ids of 1 to {TEXT_MAX} characters"
                ))
            })
    }

    /// The JSON that [`read`](Self::read) reads.
    pub(crate) fn write(&self, object: Object) -> Object {
        match self {
            Self::All => object.optional("tool_subset", None),
            Self::Only(tools) => object.strings("tool_subset", tools.iter().map(AsRef::as_ref)),
        }
    }

    /// Whether the action is one of them.
    pub(crate) fn covers(&self, action_id: &str) -> Result<(), Broader> {
        match self {
            Self::Only(tools) if !tools.iter().any(|tool| names(tool, action_id)) => {
                Err("the delegation is narrowed to other actions than this one".into())
            }
            Self::All | Self::Only(_) => Ok(()),
        }
    }

    /// Whether every action in it is covered by `parent`.
    pub(crate) fn narrows(&self, parent: &Self) -> Result<(), Broader> {
        match (self, parent) {
            (_, Self::All) => Ok(()),
            (Self::All, Self::Only(_)) => {
                Err("tool_subset is null, and the parent token's names some tools".into())
            }
            (Self::Only(tools), Self::Only(_)) => {
                if tools.iter().all(|tool| parent.covers(tool).is_ok()) {
                    Ok(())
                } else {
                    Err("tool_subset names one that the parent token does not cover".into())
                }
            }
        }
    }
}

/// Whether `tool` names that action: by its id, or by the function's name, of which clients make
/// the id with `-` for `_` (PROTOCOL 2).
fn names(tool: &str, action_id: &str) -> bool {
    tool == action_id || tool.replace('_', "-") == action_id
}
