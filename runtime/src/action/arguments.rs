//! The arguments of an action: values by name, or one JSON text.

use serde_json::Value;
use sernixa_protocol::canonical::{self, canonicalize};
use sernixa_protocol::json::{Document, JsonError, JsonErrorKind, Node};

use super::prepare::value_fault;
use crate::capture::{Json, VALUE_LIMIT};
use crate::digest::{BindingKey, Digest, digest, digest_of_text};
use crate::error::Error;

/// The arguments as they were given.
#[derive(Clone)]
pub(super) enum Arguments {
    Values(Vec<(String, Value)>),
    /// One object, or why the text is none.
    Text(Result<Object, JsonError>),
}

/// One JSON object.
#[derive(Clone)]
pub(super) struct Object {
    canonical: String,
    members: usize,
}

impl Arguments {
    /// The arguments that a JSON text holds: one object.
    pub(super) fn of_text(json: &str) -> Self {
        Self::Text(canonicalize(json).and_then(|canonical| {
            let document = Document::parse(&canonical)?;
            let root = document.root();
            if !root.is_object() {
                return Err(JsonError::new(JsonErrorKind::WrongKind, 0));
            }
            let members = root.members().count();
            Ok(Object { canonical, members })
        }))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Text(Ok(object)) => object.members,
            Self::Text(Err(_)) => 0,
        }
    }

    /// # Errors
    /// `Validation` when two have the same name, or the text is no object.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Values(values) => {
                let mut names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                let twice = |pair: &[&str]| matches!(pair, [a, b] if a == b);
                if names.windows(2).any(twice) {
                    return Err(Error::validation("two arguments have the same name"));
                }
                Ok(())
            }
            Self::Text(Ok(_)) => Ok(()),
            Self::Text(Err(error)) => {
                Err(Error::validation(match error.kind() {
                    JsonErrorKind::DuplicateMember => {
                        "the arguments hold two members with the same name".to_owned()
                    }
                    JsonErrorKind::WrongKind => "the arguments are not a JSON object".to_owned(),
                    // It says where, and nothing of the text.
                    _ => format!("the arguments are not strict JSON: {error}"),
                }))
            }
        }
    }

    /// What binds the submission to them.
    pub(super) fn digest(&self, key: &BindingKey) -> Digest {
        match self {
            Self::Values(values) => {
                let listed: Vec<(&str, Option<&dyn Json>)> = values
                    .iter()
                    .map(|(name, value)| (name.as_str(), Some(value as &dyn Json)))
                    .collect();
                digest(key, &listed)
            }
            Self::Text(object) => {
                // What is no object was refused by `check`.
                let canonical = object.as_ref().map_or("{}", |object| &object.canonical);
                digest_of_text(key, canonical)
            }
        }
    }

    /// Their values as a JSON array: in the order given, those of a text in the order of their
    /// names.
    ///
    /// # Errors
    /// `Validation` for values without a JSON form, or longer than a submission may be.
    pub(super) fn captured(&self) -> Result<String, Error> {
        let mut text = String::new();
        match self {
            Self::Values(values) => {
                let values: Vec<_> = values.iter().map(|(_, value)| value).collect();
                canonical::append(&values, VALUE_LIMIT, &mut text)
                    .map_err(|fault| value_fault("the captured arguments", &fault))?;
            }
            Self::Text(Ok(object)) => object.values(&mut text),
            // What is no object was refused by `check`.
            Self::Text(Err(_)) => text.push_str("[]"),
        }
        Ok(text)
    }

    /// Their names, for `Debug`.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Values(values) => values.iter().map(|(name, _)| name.clone()).collect(),
            Self::Text(Ok(object)) => object.names(),
            Self::Text(Err(_)) => Vec::new(),
        }
    }
}

impl Object {
    /// Appends the array of its values.
    fn values(&self, out: &mut String) {
        out.reserve(self.canonical.len());
        out.push('[');
        self.each(|index, _, value| {
            if index > 0 {
                out.push(',');
            }
            out.push_str(value.raw());
        });
        out.push(']');
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.members);
        self.each(|_, name, _| names.push(name.to_owned()));
        names
    }

    fn each(&self, mut visit: impl FnMut(usize, &str, Node<'_>)) {
        // A canonical text is JSON.
        if let Ok(document) = Document::parse(&self.canonical) {
            for (index, (name, value)) in document.root().members().enumerate() {
                visit(index, &name, value);
            }
        }
    }
}
