//! A file of tests: submissions, and what the policies must say to them.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sernixa_engine::cedar::{Explanation, PolicySet, Supposed};
use sernixa_engine::{Principal, Refusal, Role, Status, Timestamp};

use crate::Failure;

/// The most that a file of tests may hold, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// What a file of tests says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    /// The time zone of the service.
    #[serde(default = "utc")]
    pub(super) zone: String,
    /// What every submission has, unless its test says otherwise.
    #[serde(default)]
    submission: toml::Table,
    /// The tests.
    #[serde(default, rename = "test")]
    pub(super) tests: Vec<Case>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// One test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) expect: Expected,
    /// The policies that must decide; not compared where it is left out.
    policies: Option<Vec<String>>,
    /// The rule that must decide; not compared where it is left out.
    rule: Option<String>,
    #[serde(default)]
    submission: toml::Table,
    /// The agent of a delegated request.
    agent: Option<String>,
    #[serde(default)]
    delegation_depth: u8,
    /// The owner of the key.
    owner: Option<String>,
    /// When: with an offset, or as clocks show it in the zone. Default: noon of 2026-01-01.
    at: Option<toml::Value>,
}

/// What must become of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    Blocked,
    AutoApproved,
    PendingReview,
}

impl Expected {
    pub(super) const fn status(self) -> Status {
        match self {
            Self::Blocked => Status::Blocked,
            Self::AutoApproved => Status::AutoApproved,
            Self::PendingReview => Status::PendingReview,
        }
    }
}

impl Cases {
    /// Reads a file of tests.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let fail = |what: &str| Failure::new(format!("{} {what}", path.display()));
        let about = std::fs::metadata(path).map_err(|error| {
            fail("cannot be read; `sernixa policy init` writes an example").caused_by(error)
        })?;
        if !about.is_file() || about.len() > MAX_BYTES {
            return Err(fail("is no file of at most 4 MiB"));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| fail("cannot be read").caused_by(error))?;
        let cases: Self =
            toml::from_str(&text).map_err(|error| fail("is no file of tests").caused_by(error))?;
        if cases.tests.is_empty() {
            return Err(fail("holds no `[[test]]`"));
        }
        Ok(cases)
    }

    /// The body that a test's client would send.
    fn body(&self, case: &Case) -> Result<String, String> {
        let mut top = Map::new();
        let mut metadata = Map::new();
        let mut fields = self.submission.clone();
        fields.extend(case.submission.clone());
        for (name, value) in fields {
            let value = to_json(value)?;
            match name.as_str() {
                "intent_id" | "action_id" => top.insert(name, value),
                _ => metadata.insert(name, value),
            };
        }
        top.insert("metadata".to_owned(), Value::Object(metadata));
        Ok(Value::Object(top).to_string())
    }
}

/// What became of a test.
pub(super) struct Outcome {
    pub(super) got: Option<Explanation>,
    /// What differs from what was expected; empty where nothing does.
    pub(super) differences: Vec<String>,
}

/// Runs one test.
pub(super) fn run(set: &PolicySet, cases: &Cases, case: &Case) -> Outcome {
    match explain(set, cases, case) {
        Ok(explanation) => Outcome {
            differences: differences(case, &explanation),
            got: Some(explanation),
        },
        Err(error) => Outcome {
            got: None,
            differences: vec![error],
        },
    }
}

fn explain(set: &PolicySet, cases: &Cases, case: &Case) -> Result<Explanation, String> {
    let now = match &case.at {
        None => at(set, "2026-01-01T12:00:00"),
        Some(toml::Value::String(text)) => at(set, text),
        Some(toml::Value::Datetime(time)) => at(set, &time.to_string()),
        Some(_) => Err("`at` must be a time".to_owned()),
    }?;
    let body = cases.body(case)?;
    let supposed = Supposed {
        body: &body,
        caller: &caller(case.owner.as_deref()),
        agent: case.agent.as_deref(),
        delegation_depth: case.delegation_depth,
        now,
    };
    if case.delegation_depth > 0 && case.agent.is_none() {
        return Err("a delegated request has an agent: write `agent = \"…\"`".to_owned());
    }
    set.explain(&supposed).map_err(|refusal| refused(&refusal))
}

/// The time that `text` says, in the zone of the set.
pub(super) fn at(set: &PolicySet, text: &str) -> Result<Timestamp, String> {
    set.time(text).ok_or_else(|| {
        format!("`{text}` is no time: write `2026-05-05 10:00` or `2026-05-05T10:00:00+02:00`")
    })
}

/// A key that submits, of this owner.
pub(super) fn caller(owner: Option<&str>) -> Principal {
    Principal::new("local", "local")
        .owned_by(owner.unwrap_or("local"))
        .with(Role::Agent)
}

/// What is said of a submission that does not keep the contract.
pub(super) fn refused(refusal: &Refusal) -> String {
    format!("the submission is refused before any policy is asked: {refusal}")
}

fn differences(case: &Case, got: &Explanation) -> Vec<String> {
    let mut found = Vec::new();
    if got.outcome != case.expect.status() {
        found.push(format!(
            "expected {}, got {}",
            case.expect.status().as_str(),
            got.outcome.as_str()
        ));
    }
    if let Some(rule) = &case.rule
        && *rule != got.rule
    {
        found.push(format!("expected the rule {rule}, got {}", got.rule));
    }
    if let Some(expected) = &case.policies {
        let mut expected = expected.clone();
        expected.sort_unstable();
        if expected != got.policies {
            found.push(format!(
                "expected the policies {}, got {}",
                list(&expected),
                list(&got.policies)
            ));
        }
    }
    found
}

/// Ids as a person reads them.
pub(super) fn list(ids: &[String]) -> String {
    if ids.is_empty() {
        "none".to_owned()
    } else {
        ids.join(", ")
    }
}

fn to_json(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Float(number) if number.is_finite() => json!(number),
        toml::Value::Float(_) => return Err("a submission holds no infinite numbers".to_owned()),
        toml::Value::Datetime(_) => {
            return Err("a submission holds no times: write it in quotes".to_owned());
        }
        toml::Value::Array(items) => {
            Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| Ok((name, to_json(value)?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}
