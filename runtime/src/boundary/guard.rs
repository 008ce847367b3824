//! The gate in front of any tool: an object of some framework, or a closure.

use serde::Serialize;
use sernixa_protocol::action_id;

use super::arguments;
use super::facts::facts;
use crate::action::{Action, choose_client};
use crate::client::Client;
use crate::error::Error;
use crate::permit::Permit;
use crate::{DataSensitivity, OperationClass, RiskLevel};

/// Asks for the calls of one tool, of whatever framework (PROTOCOL 24): action id
/// `<framework>.<tool>`, metadata `framework` and `tool_name`.
///
/// Risk is low, class `tool_call`, sensitivity `internal`, the system is the framework, until set
/// otherwise. The arguments are handed to the guard, which hands them to the tool: so what was
/// approved is what the tool gets. They are anything that serialises; an object is digested by name,
/// anything else but `null` as the one argument `input`. Values are sent only where capture is on.
///
/// ```no_run
/// use sernixa_runtime::boundary::Guard;
/// use sernixa_runtime::{Error, OperationClass, RiskLevel};
/// use serde_json::{Value, json};
///
/// fn refund(arguments: Value) -> Result<String, Error> {
///     Ok(format!("refunded {}", arguments["order"]))
/// }
///
/// fn main() -> Result<(), Error> {
///     let guard = Guard::new("refund-order", "crewai", "refund")
///         .risk(RiskLevel::High)
///         .class(OperationClass::Financial)
///         .systems(["shop"]);
///     println!("{}", guard.run(json!({"order": 7}), refund)?);
///     sernixa_runtime::close_blocking();
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Guard {
    client: Option<Client>,
    action: Action,
}

impl Guard {
    /// A guard of the tool `tool_name` of `framework` (`langchain`, `crewai`, `autogen`, …), whose
    /// calls serve this intent: not blank, at most 128 characters. It asks the global client.
    pub fn new(intent_id: impl Into<String>, framework: &str, tool_name: &str) -> Self {
        let action = Action::new(intent_id)
            .risk(RiskLevel::Low)
            .class(OperationClass::ToolCall)
            .sensitivity(DataSensitivity::Internal)
            .systems([framework])
            .action_id(action_id(framework, tool_name))
            .metadata([("framework", framework), ("tool_name", tool_name)]);
        Self {
            client: None,
            action,
        }
    }

    /// Asks this client, in place of the global one.
    pub fn client(mut self, client: &Client) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// The action as the service knows it, in place of `<framework>.<tool>`.
    pub fn action_id(mut self, id: impl Into<String>) -> Self {
        self.action = self.action.action_id(id);
        self
    }

    facts!(|name| matches!(name, "framework" | "tool_name"));

    /// The call with these arguments as the action that is asked for: for
    /// [`Client::submit`], or to see what would be sent.
    ///
    /// # Errors
    /// [`Error::Validation`] for arguments that JSON cannot say without ambiguity.
    pub fn action(&self, arguments: &(impl Serialize + ?Sized)) -> Result<Action, Error> {
        let text = arguments::by_name(arguments::text_of(arguments)?);
        Ok(self.action.clone().arguments_json(&text))
    }

    /// Asks for a call with these arguments, and leaves the tool to the caller: for adapters whose
    /// tools return errors of another kind.
    ///
    /// # Errors
    /// Whatever keeps the tool from running.
    pub fn authorize<A: Serialize + ?Sized>(
        &self,
        arguments: &A,
    ) -> impl Future<Output = Result<Permit, Error>> + Send + use<A> {
        let asked = self
            .ready(arguments)
            .map(|(client, action)| client.authorize(&action));
        async move { asked?.await }
    }

    /// As [`authorize`](Self::authorize), blocking this thread.
    ///
    /// # Errors
    /// Whatever keeps the tool from running.
    pub fn authorize_blocking(
        &self,
        arguments: &(impl Serialize + ?Sized),
    ) -> Result<Permit, Error> {
        let (client, action) = self.ready(arguments)?;
        client.authorize_blocking(&action)
    }

    /// Runs the tool with these arguments if the call is approved, and reports how it ended. Blocks
    /// this thread, as [`Client::run`] does.
    ///
    /// # Errors
    /// Whatever keeps the tool from running, as `E`; else what it returned.
    pub fn run<A: Serialize, T, E: From<Error>>(
        &self,
        arguments: A,
        tool: impl FnOnce(A) -> Result<T, E>,
    ) -> Result<T, E> {
        let (client, action) = self.ready(&arguments)?;
        client.run(&action, || tool(arguments))
    }

    /// As [`run`](Self::run) for an async tool, whose future is made only once the call is approved.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async<A: Serialize, T, E: From<Error>, F: Future<Output = Result<T, E>>>(
        &self,
        arguments: A,
        tool: impl FnOnce(A) -> F,
    ) -> Result<T, E> {
        let (client, action) = self.ready(&arguments)?;
        client.run_async(&action, || tool(arguments)).await
    }

    /// The tool behind its gate, to be called many times.
    pub fn wrap<F>(self, tool: F) -> Guarded<F> {
        Guarded { guard: self, tool }
    }

    fn ready(&self, arguments: &(impl Serialize + ?Sized)) -> Result<(Client, Action), Error> {
        Ok((
            choose_client(self.client.as_ref())?,
            self.action(arguments)?,
        ))
    }
}

/// A tool behind its gate. See [`Guard::wrap`].
///
/// ```no_run
/// use sernixa_runtime::boundary::Guard;
/// use sernixa_runtime::Error;
///
/// # fn main() -> Result<(), Error> {
/// let search = Guard::new("look-things-up", "langchain", "search")
///     .wrap(|query: &str| Ok::<_, Error>(format!("nothing about {query}")));
/// println!("{}", search.call("whales")?);
/// println!("{}", search.call("ships")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Guarded<F> {
    guard: Guard,
    tool: F,
}

impl<F> Guarded<F> {
    /// As [`Guard::run`].
    ///
    /// # Errors
    /// As [`Guard::run`].
    pub fn call<A: Serialize, T, E: From<Error>>(&self, arguments: A) -> Result<T, E>
    where
        F: Fn(A) -> Result<T, E>,
    {
        self.guard.run(arguments, &self.tool)
    }

    /// As [`Guard::run_async`].
    ///
    /// # Errors
    /// As [`Guard::run_async`].
    pub async fn call_async<A: Serialize, T, E: From<Error>, Fut>(
        &self,
        arguments: A,
    ) -> Result<T, E>
    where
        F: Fn(A) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.guard.run_async(arguments, &self.tool).await
    }
}

/// The guard; a tool has nothing to show.
impl<F> std::fmt::Debug for Guarded<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
