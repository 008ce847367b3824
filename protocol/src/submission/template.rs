//! What all calls of one function share.

use std::sync::Arc;

use super::error::BuildError;
use super::members::Members;
use crate::hash::{default_action_id, idempotency_key_json};
use crate::rules::{self, Fault};
use crate::secrets;
use crate::words::RiskLevel;

/// The governance fields of a function, and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// Not blank, at most 128 characters.
    pub intent_id: &'a str,
    /// Not blank; without it, the function's name with `-` for `_`.
    pub action_id: Option<&'a str>,
    /// Sent in lower case.
    pub risk_level: RiskLevel,
    /// Not blank; sent as it is.
    pub operation_class: &'a str,
    /// Not blank; sent as it is.
    pub data_sensitivity: &'a str,
    /// Not empty, none of them blank.
    pub systems_touched: &'a [&'a str],
    /// The function's qualified name.
    pub function: &'a str,
    /// The module it is in.
    pub module: &'a str,
    /// How many parameters it has, without `self`.
    pub args_count: u32,
}

impl Fields<'_> {
    /// Checks that no field holds what is unmistakably a secret, since none of them is masked.
    ///
    /// # Errors
    /// [`BuildError::Secret`].
    pub fn refuse_secrets(&self) -> Result<(), BuildError> {
        let single = [
            ("intent_id", self.intent_id),
            ("action_id", self.action_id.unwrap_or_default()),
            ("operation_class", self.operation_class),
            ("data_sensitivity", self.data_sensitivity),
            ("function", self.function),
            ("module", self.module),
        ];
        let systems = self
            .systems_touched
            .iter()
            .map(|system| ("systems_touched", *system));
        for (field, text) in single.into_iter().chain(systems) {
            if let Some(kind) = secrets::find(text) {
                return Err(BuildError::Secret { field, kind });
            }
        }
        Ok(())
    }

    /// Checks the rules in the order of PROTOCOL 17.
    fn check(&self) -> Result<(), BuildError> {
        let rule = |field, checked: Result<(), Fault>| {
            checked.map_err(|fault| BuildError::Field { field, fault })
        };
        rule("intent_id", rules::intent_id(self.intent_id))?;
        rule(
            "operation_class",
            rules::operation_class(self.operation_class),
        )?;
        rule(
            "data_sensitivity",
            rules::data_sensitivity(self.data_sensitivity),
        )?;
        rule(
            "systems_touched",
            rules::systems_touched(self.systems_touched),
        )?;
        rule("action_id", self.action_id.map_or(Ok(()), rules::action_id))?;
        // The action id of a function without one is made of its name.
        rule("function", rules::action_id(self.function))
    }
}

/// What all calls of one function share, checked and written once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template(Arc<Parts>);

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) intent_id: String,
    pub(super) action_id: String,
    pub(super) risk_level: RiskLevel,
    pub(super) operation_class: String,
    pub(super) data_sensitivity: String,
    pub(super) function: String,
    /// The metadata text from `{` up to `module`, with the places of its members.
    pub(super) head: Members,
    /// How many parameters the function has.
    pub(super) args_count: u32,
    /// The idempotency key of a call whose arguments are not captured.
    pub(super) uncaptured_key: String,
}

impl Template {
    /// Checks the fields and writes what does not change.
    ///
    /// # Errors
    /// [`BuildError::Field`] for the first field that breaks its rule.
    pub fn new(fields: &Fields<'_>) -> Result<Self, BuildError> {
        fields.check()?;
        let args = format!("[\"{} positional argument(s)\"]", fields.args_count);
        let uncaptured_key = idempotency_key_json(fields.intent_id, fields.function, &args, "{}")
            .map_err(|error| BuildError::json("args", error))?;
        Ok(Self(Arc::new(Parts {
            intent_id: fields.intent_id.to_owned(),
            action_id: fields
                .action_id
                .map_or_else(|| default_action_id(fields.function), str::to_owned),
            risk_level: fields.risk_level,
            operation_class: fields.operation_class.to_owned(),
            data_sensitivity: fields.data_sensitivity.to_owned(),
            function: fields.function.to_owned(),
            head: head(fields),
            args_count: fields.args_count,
            uncaptured_key,
        })))
    }

    /// What is intended.
    pub fn intent_id(&self) -> &str {
        &self.0.intent_id
    }

    /// What is done: the given id, or the one made of the function's name.
    pub fn action_id(&self) -> &str {
        &self.0.action_id
    }

    /// How grave it is.
    pub fn risk_level(&self) -> RiskLevel {
        self.0.risk_level
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }
}

fn head(fields: &Fields<'_>) -> Members {
    let mut head = Members::default();
    head.text("risk_level", fields.risk_level.as_str());
    head.text("operation_class", fields.operation_class);
    head.text("data_sensitivity", fields.data_sensitivity);
    head.texts("systems_touched", fields.systems_touched);
    head.text("function", fields.function);
    head.text("module", fields.module);
    head
}
