//! Tools of langchain-rust.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use langchain_rust::tools::Tool;
use serde_json::Value;
use sernixa::boundary::Guard;

use crate::ended::Ended;

/// A langchain-rust tool behind a gate, which is a tool by itself: name, description, parameters and
/// the reading of inputs are the tool's own.
///
/// Both ways of calling are gated: [`call`](Tool::call), which agents use, on the text that the model
/// wrote, and [`run`](Tool::run) on the value that was read of it. A refusal is a
/// [`sernixa::Error`] in the box; the executor shows its text to the model unless
/// `with_break_if_error(true)`.
///
/// The default `parse_input` of langchain-rust logs what it reads at `INFO`; a tool whose inputs must
/// not be logged has one of its own.
///
/// ```
/// use std::sync::Arc;
///
/// use langchain_rust::tools::{Calculator, Tool};
/// use sernixa::RiskLevel;
/// use sernixa_agents::langchain::Governed;
///
/// let calculator: Arc<dyn Tool> = Arc::new(
///     Governed::new("calculate", Calculator {}).with(|guard| guard.risk(RiskLevel::Medium)),
/// );
/// # let _ = calculator;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Governed {
    tool: Arc<dyn Tool>,
    guard: Guard,
}

impl Governed {
    /// The tool behind a guard of the framework `langchain`, whose calls serve this intent. It asks
    /// the global client.
    pub fn new(intent_id: impl Into<String>, tool: impl Tool + 'static) -> Self {
        Self::shared(intent_id, Arc::new(tool))
    }

    /// As [`new`](Self::new) for a tool that is shared already.
    pub fn shared(intent_id: impl Into<String>, tool: Arc<dyn Tool>) -> Self {
        let guard = Guard::new(intent_id, "langchain", &tool.name());
        Self { tool, guard }
    }

    /// Changes the guard: risk, class, systems, client, and so on.
    pub fn with(mut self, change: impl FnOnce(Guard) -> Guard) -> Self {
        self.guard = change(self.guard);
        self
    }
}

#[async_trait]
impl Tool for Governed {
    fn name(&self) -> String {
        self.tool.name()
    }

    fn description(&self) -> String {
        self.tool.description()
    }

    fn parameters(&self) -> Value {
        self.tool.parameters()
    }

    async fn call(&self, input: &str) -> Result<String, Box<dyn Error>> {
        let called = self.guard.run_async(input, async |input| {
            self.tool.call(input).await.map_err(Ended::Failed)
        });
        called.await.map_err(boxed)
    }

    async fn run(&self, input: Value) -> Result<String, Box<dyn Error>> {
        let ran = self.guard.run_async(input, async |input| {
            self.tool.run(input).await.map_err(Ended::Failed)
        });
        ran.await.map_err(boxed)
    }

    async fn parse_input(&self, input: &str) -> Value {
        self.tool.parse_input(input).await
    }
}

fn boxed(ended: Ended<Box<dyn Error>>) -> Box<dyn Error> {
    match ended {
        Ended::Refused(refusal) => refusal.into(),
        Ended::Failed(error) => error,
    }
}

impl fmt::Debug for Governed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governed")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
