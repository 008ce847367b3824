//! Delegation tokens: what is asked for, and what comes back (PROTOCOL 5).

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sernixa_protocol::{DataSensitivity, OperationClass, RiskLevel};

use crate::error::Error;

/// What a token allows. Nothing is allowed but what is named; the risk is `low` unless raised.
/// Its `Debug` shows the names of the resources, not their values.
#[derive(Clone, PartialEq)]
pub struct Scope {
    max_risk_level: RiskLevel,
    operation_classes: Vec<String>,
    data_sensitivities: Vec<String>,
    resources: Map<String, Value>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

impl Scope {
    /// Low risk, and nothing else yet.
    pub fn new() -> Self {
        Self {
            max_risk_level: RiskLevel::Low,
            operation_classes: Vec::new(),
            data_sensitivities: Vec::new(),
            resources: Map::new(),
        }
    }

    /// The gravest risk that is covered.
    #[must_use]
    pub fn max_risk_level(mut self, level: RiskLevel) -> Self {
        self.max_risk_level = level;
        self
    }

    /// One more operation class that is covered.
    #[must_use]
    pub fn operation_class(mut self, class: &OperationClass) -> Self {
        self.operation_classes.push(class.as_str().to_owned());
        self
    }

    /// One more data sensitivity that is covered.
    #[must_use]
    pub fn data_sensitivity(mut self, sensitivity: &DataSensitivity) -> Self {
        self.data_sensitivities
            .push(sensitivity.as_str().to_owned());
        self
    }

    /// A resource that the scope is narrowed to: a member of the metadata and its one value, or a
    /// list of values, each a string, an integer or a boolean. A call is covered if its metadata has
    /// that member with one of the values, or a list of nothing else; without the member it is not.
    #[must_use]
    pub fn resource(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.resources.insert(name.into(), value.into());
        self
    }

    fn to_value(&self) -> Value {
        json!({
            "max_risk_level": self.max_risk_level.as_str(),
            "allowed_operation_classes": self.operation_classes,
            "allowed_data_sensitivities": self.data_sensitivities,
            "resources": self.resources,
        })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("max_risk_level", &self.max_risk_level)
            .field("operation_classes", &self.operation_classes)
            .field("data_sensitivities", &self.data_sensitivities)
            .field("resources", &self.resources.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Asks for a token: for [`Client::create_delegation_token`](crate::Client). Its `Debug` leaves out
/// the reason and the person's session.
#[derive(Clone, PartialEq)]
pub struct TokenRequest {
    delegator_agent_id: String,
    delegatee_agent_id: String,
    scope: Scope,
    parent_token_id: Option<String>,
    tool_subset: Option<Vec<String>>,
    root_human_session_id: Option<String>,
    expires_in: Duration,
    reason: Option<String>,
}

impl TokenRequest {
    /// From one agent to another, within `scope`, for an hour.
    pub fn new(
        delegator_agent_id: impl Into<String>,
        delegatee_agent_id: impl Into<String>,
        scope: Scope,
    ) -> Self {
        Self {
            delegator_agent_id: delegator_agent_id.into(),
            delegatee_agent_id: delegatee_agent_id.into(),
            scope,
            parent_token_id: None,
            tool_subset: None,
            root_human_session_id: None,
            expires_in: Duration::from_hours(1),
            reason: None,
        }
    }

    /// The token that this one narrows; without it the token is a root and needs the admin role.
    #[must_use]
    pub fn parent_token_id(mut self, id: impl Into<String>) -> Self {
        self.parent_token_id = Some(id.into());
        self
    }

    /// The only actions that are covered, by action id. A function's name stands for the id that
    /// is made of it.
    #[must_use]
    pub fn tool_subset(mut self, tools: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tool_subset = Some(tools.into_iter().map(Into::into).collect());
        self
    }

    /// The session of the person whom all of it goes back to.
    #[must_use]
    pub fn root_human_session_id(mut self, id: impl Into<String>) -> Self {
        self.root_human_session_id = Some(id.into());
        self
    }

    /// How long the token is good for, in whole seconds: one second to 30 days. A child ends with
    /// its parent at the latest: an hour, the default, is then cut to that; anything else that is
    /// longer is refused.
    #[must_use]
    pub fn expires_in(mut self, duration: Duration) -> Self {
        self.expires_in = duration;
        self
    }

    /// Why, for the record.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The body that is sent: always all eight members.
    ///
    /// # Errors
    /// `Validation` for a blank id, a lifetime under one second, or an empty tool subset, which
    /// would be a token for nothing.
    pub(crate) fn body(&self) -> Result<String, Error> {
        let ids = [
            ("delegator_agent_id", Some(&self.delegator_agent_id)),
            ("delegatee_agent_id", Some(&self.delegatee_agent_id)),
            ("parent_token_id", self.parent_token_id.as_ref()),
            ("root_human_session_id", self.root_human_session_id.as_ref()),
        ];
        for (name, id) in ids {
            if id.is_some_and(|id| id.trim().is_empty()) {
                return Err(Error::validation(format!(
                    "{name} is blank; name one, or leave it out"
                )));
            }
        }
        if self.expires_in < Duration::from_secs(1) {
            return Err(Error::validation("expires_in is less than one second"));
        }
        if self.tool_subset.as_ref().is_some_and(Vec::is_empty) {
            let message = "tool_subset is empty; name a tool, or leave it out for all of the scope";
            return Err(Error::validation(message));
        }
        let body = json!({
            "parent_token_id": self.parent_token_id,
            "delegator_agent_id": self.delegator_agent_id,
            "delegatee_agent_id": self.delegatee_agent_id,
            "scope": self.scope.to_value(),
            "tool_subset": self.tool_subset,
            "root_human_session_id": self.root_human_session_id,
            "expires_in_seconds": self.expires_in.as_secs(),
            "reason": self.reason,
        });
        Ok(body.to_string())
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("delegator_agent_id", &self.delegator_agent_id)
            .field("delegatee_agent_id", &self.delegatee_agent_id)
            .field("scope", &self.scope)
            .field("parent_token_id", &self.parent_token_id)
            .field("tool_subset", &self.tool_subset)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// A token as the service made it. Its `Debug` shows the ids only.
#[derive(Clone, PartialEq)]
pub struct Token {
    id: String,
    chain_id: Option<String>,
    status: Option<String>,
    answer: Map<String, Value>,
}

impl Token {
    /// Reads the service's answer; `None` without a usable `token_id`.
    pub(crate) fn from_answer(answer: Map<String, Value>) -> Option<Self> {
        let text = |name: &str| {
            let text = answer.get(name).and_then(Value::as_str);
            text.filter(|text| !text.trim().is_empty())
                .map(str::to_owned)
        };
        Some(Self {
            id: text("token_id")?,
            chain_id: text("chain_id"),
            status: text("status"),
            answer,
        })
    }

    /// What [`Delegation::new`](super::Delegation::new) takes.
    pub fn token_id(&self) -> &str {
        &self.id
    }

    /// What [`Delegation::chain_id`](super::Delegation::chain_id) takes.
    pub fn chain_id(&self) -> Option<&str> {
        self.chain_id.as_deref()
    }

    /// Where the token stands, such as `active`.
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    /// Everything that the service answered.
    pub fn answer(&self) -> &Map<String, Value> {
        &self.answer
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("token_id", &self.id)
            .field("chain_id", &self.chain_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> TokenRequest {
        TokenRequest::new("planner", "worker", Scope::new())
    }

    #[test]
    fn all_eight_members_are_always_sent() {
        let body: Value = serde_json::from_str(&request().body().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "parent_token_id": null,
                "delegator_agent_id": "planner",
                "delegatee_agent_id": "worker",
                "scope": {
                    "max_risk_level": "low",
                    "allowed_operation_classes": [],
                    "allowed_data_sensitivities": [],
                    "resources": {},
                },
                "tool_subset": null,
                "root_human_session_id": null,
                "expires_in_seconds": 3600,
                "reason": null,
            })
        );
    }

    #[test]
    fn a_scope_covers_what_is_named() {
        let scope = Scope::new()
            .max_risk_level(RiskLevel::High)
            .operation_class(&OperationClass::Financial)
            .data_sensitivity(&DataSensitivity::Pii)
            .resource("accounts", json!(["acc_1"]));
        let request = TokenRequest::new("a", "b", scope)
            .parent_token_id("dgt_0")
            .tool_subset(["pay"])
            .root_human_session_id("ses_1")
            .expires_in(Duration::from_mins(1))
            .reason("month end");
        let body: Value = serde_json::from_str(&request.body().unwrap()).unwrap();
        assert_eq!(body["scope"]["max_risk_level"], "high");
        assert_eq!(body["scope"]["allowed_data_sensitivities"], json!(["PII"]));
        assert_eq!(body["scope"]["resources"], json!({"accounts": ["acc_1"]}));
        assert_eq!(body["tool_subset"], json!(["pay"]));
        assert_eq!(body["expires_in_seconds"], 60);
    }

    #[test]
    fn a_request_that_cannot_be_meant_is_refused_before_it_is_sent() {
        for wrong in [
            TokenRequest::new(" ", "b", Scope::new()),
            TokenRequest::new("a", "", Scope::new()),
            request().parent_token_id("\t"),
            request().expires_in(Duration::from_millis(999)),
            request().tool_subset(Vec::<String>::new()),
        ] {
            assert!(
                matches!(wrong.body(), Err(Error::Validation(_))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_token_needs_an_id_and_shows_only_ids() {
        let answer = |value: Value| value.as_object().cloned().unwrap();
        for without in [json!({}), json!({"token_id": 7}), json!({"token_id": " "})] {
            assert!(Token::from_answer(answer(without)).is_none());
        }
        let full =
            json!({"token_id": "dgt_1", "chain_id": "chn_1", "status": "active", "s": "marker"});
        let token = Token::from_answer(answer(full)).unwrap();
        assert_eq!(
            (token.token_id(), token.chain_id()),
            ("dgt_1", Some("chn_1"))
        );
        assert_eq!(token.answer()["s"], "marker");
        assert!(!format!("{token:?}").contains("marker"));
    }
}
