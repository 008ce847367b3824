//! From an action to what is submitted: [`Action`] and the call site of an attribute end in the
//! same [`Submission`].

mod arguments;
mod prepare;
mod submission;
mod tool_call;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use sernixa_protocol::canonical::{self, CanonicalError};
use sernixa_protocol::submission::Template;
use sernixa_protocol::{DataSensitivity, OperationClass, RiskLevel};

use arguments::Arguments;
pub(crate) use prepare::{build_fault, choose_client, prepare, prepare_call, signer, value_fault};
pub(crate) use submission::Prepared;
pub use submission::Submission;
pub(crate) use tool_call::{ToolCall, prepare_tool_call};

use crate::capture::VALUE_LIMIT;

/// One action whose facts are only known at run time; where they are known before, the attribute
/// `#[intercept]` has the compiler check them.
///
/// Intent, risk, class, sensitivity and at least one system must be given. What is missing or wrong
/// is [`Error::Validation`](crate::Error::Validation) when the action is prepared.
///
/// ```
/// use sernixa_runtime::{Action, DataSensitivity, OperationClass, RiskLevel};
/// use serde_json::json;
///
/// let action = Action::new("billing-adjustment")
///     .risk(RiskLevel::High)
///     .class(OperationClass::Financial)
///     .sensitivity(DataSensitivity::Financial)
///     .systems(["stripe"])
///     .metadata([("customer", "cus_7")])
///     .arguments(vec![("invoice_id".into(), json!("in_42")), ("cents".into(), json!(100))])
///     .summary("adjust in_42 by 100 cents");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Action {
    intent_id: String,
    risk: Option<RiskLevel>,
    class: Option<OperationClass>,
    sensitivity: Option<DataSensitivity>,
    systems: Vec<String>,
    id: Option<String>,
    function: Option<String>,
    module: Option<String>,
    /// Each value as canonical JSON already, or why it has none.
    metadata: Vec<(String, Result<String, CanonicalError>)>,
    summary: Option<String>,
    arguments: Option<Arguments>,
    capture: Option<bool>,
    resume_key: Option<String>,
    /// How long it waits at most, where that is less than the client does.
    patience: Option<Duration>,
    /// What all calls of this action share, once it was prepared.
    template: OnceLock<Template>,
}

impl Action {
    /// An action that serves this intent: not blank, at most 128 characters.
    pub fn new(intent_id: impl Into<String>) -> Self {
        Self {
            intent_id: intent_id.into(),
            risk: None,
            class: None,
            sensitivity: None,
            systems: Vec::new(),
            id: None,
            function: None,
            module: None,
            metadata: Vec::new(),
            summary: None,
            arguments: None,
            capture: None,
            resume_key: None,
            patience: None,
            template: OnceLock::new(),
        }
    }

    /// How grave it is.
    pub fn risk(mut self, level: RiskLevel) -> Self {
        self.risk = Some(level);
        self.changed()
    }

    /// What kind of thing it does.
    pub fn class(mut self, class: OperationClass) -> Self {
        self.class = Some(class);
        self.changed()
    }

    /// How sensitive the data is that it touches.
    pub fn sensitivity(mut self, sensitivity: DataSensitivity) -> Self {
        self.sensitivity = Some(sensitivity);
        self.changed()
    }

    /// The systems that it touches: at least one, none of them blank.
    pub fn systems(mut self, systems: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.systems = systems.into_iter().map(Into::into).collect();
        self.changed()
    }

    /// The action as the service knows it. Default: the function with `-` for `_`, else the intent.
    pub fn action_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self.changed()
    }

    /// The function's qualified name. Default: the action id, else the intent.
    pub fn function(mut self, name: impl Into<String>) -> Self {
        self.function = Some(name.into());
        self.changed()
    }

    /// The module of the function; `module_path!()` gives it. Default: empty.
    pub fn module(mut self, path: impl Into<String>) -> Self {
        self.module = Some(path.into());
        self.changed()
    }

    /// Adds members to the metadata, in this order: a `serde_json::Map`, or pairs of a name and
    /// anything that serialises. Names that are ours to write are ignored (PROTOCOL 18); a name
    /// given twice is `Validation`, and so is a value without a JSON form, such as NaN.
    pub fn metadata<K, V>(mut self, members: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Serialize,
    {
        self.metadata
            .extend(members.into_iter().map(|(name, value)| {
                let mut text = String::new();
                let written = canonical::append(&value, VALUE_LIMIT, &mut text);
                (name.into(), written.map(|()| text))
            }));
        self
    }

    /// One line for the reviewer. It is sent, after DLP.
    pub fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary = Some(text.into());
        self
    }

    /// The arguments by name. They are counted and digested, and sent only where capture is on.
    /// Without this call there is no digest, and the action is neither remembered nor resumed.
    ///
    /// What of them does not fit into 64 KiB is not digested, and named in `arguments_unbound`.
    pub fn arguments(mut self, arguments: Vec<(String, Value)>) -> Self {
        self.arguments = Some(Arguments::Values(arguments));
        self.changed()
    }

    /// As [`arguments`](Self::arguments), from the text of one JSON object: its members are the
    /// arguments. The same values have the same digest, but nothing is lost on the way: integers keep
    /// any size, and `1` is not `1.0`. The last of both calls holds.
    ///
    /// The digest covers all of it, whatever its size and depth: the text is in memory already, and
    /// whoever read it has bounded it. Captured, the values are sent in the order of their names.
    ///
    /// What is not [strict JSON](sernixa_protocol::json), a member that is there twice included, or
    /// no object, is [`Error::Validation`](crate::Error::Validation) when the action is prepared.
    pub fn arguments_json(mut self, json: &str) -> Self {
        self.arguments = Some(Arguments::of_text(json));
        self.changed()
    }

    /// Whether the arguments' values are sent. Default: the client's
    /// [`capture_arguments`](crate::ClientBuilder::capture_arguments), which tells what the
    /// idempotency key then gives away.
    pub fn capture_arguments(mut self, capture: bool) -> Self {
        self.capture = Some(capture);
        self
    }

    /// A later call with the same key and the same arguments may take up this one's approval, also
    /// after a restart. Needs `SERNIXA_BINDING_KEY`, and [`arguments`](Self::arguments).
    pub fn resume_key(mut self, key: impl fmt::Display) -> Self {
        self.resume_key = Some(key.to_string());
        self
    }

    /// How long a call waits for its decision at most. Default, and never more: the client's
    /// [`poll_timeout`](crate::ClientBuilder::poll_timeout).
    ///
    /// Then the wait ends as [undecided](crate::Error::is_undecided); the request is withdrawn, or
    /// stays where it can be [resumed](Self::resume_key). It is the client that ends it, and never
    /// while it claims: an approval of the last moment is not lost, as it may be where the caller drops
    /// the future. Zero is one look, and so takes up an approval that was given before.
    pub fn wait_at_most(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Another intent.
    pub(crate) fn intent(mut self, intent_id: impl Into<String>) -> Self {
        self.intent_id = intent_id.into();
        self.changed()
    }

    /// Whether it names any system.
    pub(crate) fn has_systems(&self) -> bool {
        !self.systems.is_empty()
    }

    /// Whether values are sent, where it says so itself.
    pub(crate) fn captures(&self) -> Option<bool> {
        self.capture
    }

    /// What was made of the facts before does not hold any more.
    fn changed(mut self) -> Self {
        self.template = OnceLock::new();
        self
    }
}

/// Governance facts and names; no values, no summary, no resume key.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: Vec<&String>| format!("{names:?}");
        let arguments = self.arguments.as_ref().map(Arguments::names);
        f.debug_struct("Action")
            .field("intent_id", &self.intent_id)
            .field("risk", &self.risk)
            .field("class", &self.class)
            .field("sensitivity", &self.sensitivity)
            .field("systems", &self.systems)
            .field("action_id", &self.id)
            .field("function", &self.function)
            .field(
                "metadata",
                &names(self.metadata.iter().map(|(name, _)| name).collect()),
            )
            .field("arguments", &names(arguments.iter().flatten().collect()))
            .field("resume_key", &self.resume_key.is_some())
            .finish_non_exhaustive()
    }
}
