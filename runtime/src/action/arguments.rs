//! The arguments of an action: values by name, or one JSON text.

use serde_json::Value;
use sernixa_protocol::canonical::{self, canonicalize};
use sernixa_protocol::json::{Document, JsonError, Node};

use super::prepare::value_fault;
use crate::capture::{Json, VALUE_LIMIT};
use crate::digest::{BindingKey, Digest, digest, digest_of_text};
use crate::error::Error;

/// The arguments as they were given.
#[derive(Clone)]
pub(super) enum Arguments {
    Values(Vec<(String, Value)>),
    /// One object, or why the text is none.
    Text(Result<Object, Fault>),
}

/// One JSON object.
#[derive(Clone)]
pub(super) struct Object {
    canonical: String,
    members: usize,
}

/// Why a text is no such object.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    NotJson(JsonError),
    NotAnObject,
}

impl Arguments {
    /// The arguments that a JSON text holds: one object.
    pub(super) fn of_text(json: &str) -> Self {
        Self::Text(Object::parse(json))
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
            Self::Text(Err(fault)) => {
                Err(Error::validation(match fault {
                    Fault::NotAnObject => "the arguments are not a JSON object".to_owned(),
                    // It says where, and nothing of the text.
                    Fault::NotJson(error) => format!("the arguments are not strict JSON: {error}"),
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
    fn parse(json: &str) -> Result<Self, Fault> {
        let canonical = canonicalize(json).map_err(Fault::NotJson)?;
        let document = Document::parse(&canonical).map_err(Fault::NotJson)?;
        let root = document.root();
        if !root.is_object() {
            return Err(Fault::NotAnObject);
        }
        let members = root.members().count();
        Ok(Self { canonical, members })
    }

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
                visit(index, &name.as_str().unwrap_or_default(), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel, Submission};

    fn prepared(action: &Action) -> Result<Submission, Error> {
        let client = Client::builder()
            .environment(|_| None)
            .binding_key("a binding key of the test")
            .build()
            .unwrap();
        client.prepare(action)
    }

    fn metadata(action: &Action) -> serde_json::Value {
        let submission = prepared(action).unwrap();
        let body: serde_json::Value = serde_json::from_str(submission.body()).unwrap();
        body["metadata"].clone()
    }

    fn action() -> Action {
        Action::new("of-text")
            .risk(RiskLevel::High)
            .class(OperationClass::ToolCall)
            .sensitivity(DataSensitivity::Internal)
            .systems(["files"])
    }

    fn digest(json: &str) -> String {
        let metadata = metadata(&action().arguments_json(json));
        assert!(metadata.get("arguments_unbound").is_none(), "{metadata}");
        metadata["arguments_digest"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_text_has_the_digest_of_the_values_that_it_holds() {
        let values = vec![
            ("path".to_owned(), json!("/tmp/\u{e9}\n\"")),
            (
                "a".to_owned(),
                json!([1, -2.5, 1e100, true, null, {"z": 1, "b": []}]),
            ),
            (String::new(), json!({})),
        ];
        let given = metadata(&action().arguments(values));
        let text = r#" { "a":[1,-2.50,1E100,true,null,{"z":1,"b":[]}] , "\u0070ath":"\/tmp/\u00e9\n\"","":{}}"#;
        let read = metadata(&action().arguments_json(text));
        assert_eq!(read["arguments_digest"], given["arguments_digest"]);
        assert_eq!(
            (&read["args_count"], &given["args_count"]),
            (&json!(3), &json!(3))
        );
        let none = metadata(&action().arguments(Vec::new()));
        assert_eq!(metadata(&action().arguments_json("{}")), none);
    }

    #[test]
    fn values_that_another_reader_would_take_for_the_same_have_other_digests() {
        let texts = [
            r#"{"n":1}"#,
            r#"{"n":1.0}"#,
            r#"{"n":"1"}"#,
            r#"{"n":18446744073709551616}"#,
            r#"{"n":18446744073709551617}"#,
            r#"{"n":-18446744073709551616}"#,
            r#"{"N":1}"#,
            r#"{"n":[1]}"#,
            r#"{"n":1,"m":null}"#,
            "{}",
        ];
        let digests: std::collections::HashSet<_> = texts.iter().map(|text| digest(text)).collect();
        assert_eq!(digests.len(), texts.len());
        // What is one value has one digest, however it is written.
        assert_eq!(digest(r#"{"n":1e2}"#), digest(r#"{ "n" : 100.0 }"#));
    }

    #[test]
    fn a_long_text_and_a_deep_one_are_bound_whole_and_can_resume() {
        let long = |end: &str| format!(r#"{{"text":"{}{end}"}}"#, "x".repeat(8 << 20));
        assert_ne!(digest(&long("a")), digest(&long("b")));
        let deep =
            |end: &str| format!(r#"{{"a":{}{end}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert_ne!(digest(&deep("1")), digest(&deep("2")));
        let resumable = action().arguments_json(&long("a")).resume_key("again");
        assert!(metadata(&resumable).get("resume_key").is_some());
    }

    #[test]
    fn what_is_no_strict_json_object_is_refused_without_quoting_it() {
        for text in [
            "",
            "null",
            r#"["secret"]"#,
            r#""secret""#,
            r#"{"secret":1,"secret":1}"#,
            r#"{"a":{"secret":1,"\u0073ecret":2}}"#,
            r#"{"secret":1}{"b":2}"#,
            r#"{"secret":1e400}"#,
            r#"{"secret":"\ud800"}"#,
            r#"{"secret":NaN}"#,
            "{\"secret\":\"\u{1}\"}",
        ] {
            let error = prepared(&action().arguments_json(text)).unwrap_err();
            assert!(matches!(error, Error::Validation(_)), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // Also when the facts were prepared with other arguments before.
        let action = action().arguments_json("{}");
        prepared(&action).unwrap();
        let error = prepared(&action.arguments_json("[]")).unwrap_err();
        assert!(error.to_string().contains("not a JSON object"), "{error}");
    }

    #[test]
    fn values_leave_only_where_they_are_captured_and_then_as_canonical_text() {
        let text = r#"{"b":{"y":1e2,"x":340282366920938463463374607431768211456},"a":"in_42"}"#;
        let asked = action().arguments_json(text);
        let shown = format!("{asked:?}");
        assert!(shown.contains('b') && !shown.contains("in_42"), "{shown}");
        let body = prepared(&asked).unwrap().body().to_owned();
        assert!(
            !body.contains("in_42") && !body.contains("3402823"),
            "{body}"
        );
        let body = prepared(&asked.capture_arguments(true))
            .unwrap()
            .body()
            .to_owned();
        let captured = r#"["in_42",{"x":340282366920938463463374607431768211456,"y":100.0}]"#;
        assert!(body.contains(captured), "{body}");
    }

    #[test]
    fn captured_values_keep_the_limits_of_a_submission() {
        let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(300 << 10));
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100), "]".repeat(100));
        for text in [long, deep] {
            let asked = action().arguments_json(&text).capture_arguments(true);
            let error = prepared(&asked).unwrap_err();
            assert!(matches!(error, Error::Validation(_)), "{error}");
        }
    }
}
