//! The gate in front of a whole agent run, for agents that exist already: one question before the
//! run, and, where it is asked for, runtime evidence from the service.
//!
//! ```no_run
//! use sernixa_runtime::gateway::Gateway;
//! use sernixa_runtime::{Client, Error};
//!
//! # fn run_my_agent() -> Result<String, Error> { Ok(String::new()) }
//! fn main() -> Result<(), Error> {
//!     let client = Client::from_env()?;
//!     let gateway = Gateway::new(&client).mcp_profile("research");
//!     println!("{}", gateway.run(run_my_agent)?);
//!     client.close_blocking();
//!     Ok(())
//! }
//! ```

mod evidence;

use serde_json::Value;

use crate::action::{Action, choose_client};
use crate::boundary::facts::facts;
use crate::client::Client;
use crate::config::Base;
use crate::error::Error;
use crate::logging::event;
use crate::requests;
use crate::transport::Answer;
use crate::{DataSensitivity, OperationClass, RiskLevel};
use evidence::Evidence;

/// Asks before an agent's run (PROTOCOL 24): action id `gateway:<profile>`.
///
/// Until set otherwise the intent is `agent-run`, the risk medium, the class `agent_run`, the
/// sensitivity `internal`, the system `mcp`. What the run gets is not known here: name it with
/// [`arguments`](Self::arguments), or the approval is one of any run of this profile.
#[derive(Clone, Debug)]
#[must_use]
pub struct Gateway {
    client: Client,
    action: Action,
    mcp_profile: Option<String>,
    enforce_ebpf: bool,
}

impl Gateway {
    /// A gateway that asks this client.
    pub fn new(client: &Client) -> Self {
        let action = Action::new("agent-run")
            .risk(RiskLevel::Medium)
            .class(OperationClass::AgentRun)
            .sensitivity(DataSensitivity::Internal)
            .systems(["mcp"]);
        Self {
            client: client.clone(),
            action,
            mcp_profile: None,
            enforce_ebpf: false,
        }
    }

    /// What is intended: not blank, at most 128 characters.
    pub fn intent_id(mut self, id: impl Into<String>) -> Self {
        self.action = self.action.intent(id);
        self
    }

    /// The profile of MCP servers that the agent runs with. Default, and for an empty one:
    /// `default`.
    pub fn mcp_profile(mut self, profile: impl Into<String>) -> Self {
        self.mcp_profile = Some(profile.into()).filter(|profile| !profile.is_empty());
        self
    }

    /// Whether a run needs runtime evidence: before each one, `GET /ready` must come from a service
    /// that is ready and whose Flight Recorder is enabled (PROTOCOL 6). In local demo mode it passes
    /// without the recorder, with a warning: that proves nothing. A service that is `not_ready`, or
    /// answers with another status than 200, never passes; an engine in this process has no recorder
    /// and does not either.
    pub fn enforce_ebpf(mut self, enforce: bool) -> Self {
        self.enforce_ebpf = enforce;
        self
    }

    /// What the run is given, by name: as [`Action::arguments`].
    pub fn arguments(mut self, arguments: Vec<(String, Value)>) -> Self {
        self.action = self.action.arguments(arguments);
        self
    }

    facts!(|name| {
        matches!(
            name,
            "sernixa_gateway" | "mcp_profile" | "enforce_ebpf" | "runtime_evidence_required"
        )
    });

    /// Runs the agent if the run is approved, and reports how it ended. Blocks this thread, as
    /// [`Client::run`] does.
    ///
    /// # Errors
    /// Whatever keeps the agent from running, as `E`; else what it returned. With
    /// [`enforce_ebpf`](Self::enforce_ebpf) also [`Error::Configuration`] where no service answers,
    /// is not ready or has no Flight Recorder, and [`Error::Api`] for what is no readiness document.
    pub fn run<T, E: From<Error>>(&self, agent: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.enforce_ebpf {
            let client = choose_client(Some(&self.client))?;
            let answer = client.request_blocking(requests::ready().once());
            look(&client, answer)?;
        }
        self.client.run(&self.action(), agent)
    }

    /// As [`run`](Self::run) for an async agent, whose future is made only once the run is approved.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async<T, E: From<Error>, F: Future<Output = Result<T, E>>>(
        &self,
        agent: impl FnOnce() -> F,
    ) -> Result<T, E> {
        if self.enforce_ebpf {
            let client = choose_client(Some(&self.client))?;
            let answer = client.request(requests::ready().once()).await;
            look(&client, answer)?;
        }
        self.client.run_async(&self.action(), agent).await
    }

    /// The run as the action that is asked for: for [`Client::submit`], or to see what would be
    /// sent. Whoever submits it alone has no runtime evidence.
    pub fn action(&self) -> Action {
        let profile = self.mcp_profile.as_deref().unwrap_or("default");
        let evidence = if self.enforce_ebpf {
            "flight_recorder"
        } else {
            "not_required"
        };
        self.action
            .clone()
            .action_id(format!("gateway:{profile}"))
            .metadata([("sernixa_gateway", true)])
            .metadata([("mcp_profile", profile)])
            .metadata([("enforce_ebpf", self.enforce_ebpf)])
            .metadata([("runtime_evidence_required", evidence)])
    }
}

/// Judges what came of the look at the readiness.
fn look(client: &Client, answer: Result<Answer, Error>) -> Result<(), Error> {
    let settings = client.settings();
    let answer = answer.map_err(evidence::unanswered)?;
    let inside = matches!(settings.base, Base::InProcess(_));
    match evidence::judge(&answer, inside)? {
        Evidence::FlightRecorder => {}
        Evidence::LocalDemo => event!(
            settings.log,
            WARN,
            "enforce_ebpf passes without a Flight Recorder, because the service runs as a local \
             demonstration: this run is no production proof"
        ),
    }
    Ok(())
}
