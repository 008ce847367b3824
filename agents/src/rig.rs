//! Tools of rig-core.

use rig_core::tool::{Tool, ToolContext, ToolExecutionError};
use serde_json::Value;
use sernixa::boundary::Guard;

use crate::ended::Ended;

/// A rig tool behind a gate, which is a rig tool by itself: name, description and parameters are the
/// tool's own.
///
/// Its arguments are JSON, because a tool's typed ones need not serialise: they are asked for, and
/// then read as the tool's. A refusal is [`ToolExecutionError::refused`], whose text the model reads;
/// the [`sernixa::Error`] is its source.
///
/// ```
/// use rig_core::tool::{Tool, ToolContext};
/// use sernixa::RiskLevel;
/// use sernixa_agents::rig::Governed;
///
/// # struct Refund;
/// # impl Tool for Refund {
/// #     const NAME: &'static str = "refund";
/// #     type Args = serde_json::Value;
/// #     type Output = String;
/// #     type Error = std::convert::Infallible;
/// #     fn description(&self) -> String { String::new() }
/// #     fn parameters(&self) -> serde_json::Value { serde_json::json!({}) }
/// #     async fn call(&self, _: &mut ToolContext, _: Self::Args) -> Result<String, Self::Error> {
/// #         Ok(String::new())
/// #     }
/// # }
/// let refund = Governed::new("refund-order", Refund)
///     .with(|guard| guard.risk(RiskLevel::High).systems(["shop"]));
/// // …, then AgentBuilder::new(model).tool(refund)
/// # let _ = refund;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Governed<T> {
    tool: T,
    guard: Guard,
}

impl<T: Tool> Governed<T> {
    /// The tool behind a guard of the framework `rig`, whose calls serve this intent. It asks the
    /// global client.
    pub fn new(intent_id: impl Into<String>, tool: T) -> Self {
        let guard = Guard::new(intent_id, "rig", T::NAME);
        Self { tool, guard }
    }

    /// Changes the guard: risk, class, systems, client, and so on.
    pub fn with(mut self, change: impl FnOnce(Guard) -> Guard) -> Self {
        self.guard = change(self.guard);
        self
    }
}

impl<T: Tool> Tool for Governed<T> {
    const NAME: &'static str = T::NAME;
    type Args = Value;
    type Output = T::Output;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        self.tool.description()
    }

    fn parameters(&self) -> Value {
        self.tool.parameters()
    }

    async fn call(
        &self,
        context: &mut ToolContext,
        arguments: Value,
    ) -> Result<Self::Output, ToolExecutionError> {
        let called = self.guard.run_async(arguments, async |arguments| {
            let arguments = read(arguments).map_err(Ended::Failed)?;
            let called = self.tool.call(context, arguments).await;
            called.map_err(|error| Ended::Failed(self.tool.map_error(error)))
        });
        called.await.map_err(|ended| match ended {
            Ended::Refused(refusal) => refused(refusal),
            Ended::Failed(error) => error,
        })
    }
}

/// The tool's own arguments. As rig does, no arguments (`null`) are read as an empty object where
/// the tool takes no `null`.
fn read<A: for<'de> serde::Deserialize<'de>>(arguments: Value) -> Result<A, ToolExecutionError> {
    let nothing = arguments.is_null();
    let read = serde_json::from_value(arguments).or_else(|error| {
        let empty = Value::Object(serde_json::Map::new());
        if nothing {
            serde_json::from_value(empty).map_err(|_| error)
        } else {
            Err(error)
        }
    });
    read.map_err(|error| {
        let message = format!("failed to parse tool arguments: {error}");
        ToolExecutionError::invalid_args(message).with_source(error)
    })
}

fn refused(refusal: sernixa::Error) -> ToolExecutionError {
    let mut error =
        ToolExecutionError::refused(refusal.to_string()).with_retryable(refusal.is_retryable());
    if let Some(status) = refusal.status_code() {
        error = error.with_http_status(status);
    }
    error.with_source(refusal)
}
