//! The tools of the server, as far as they were listed: by the host, or asked for before the first
//! call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::classify::Pin;
use super::definition::{Definition, Page};
use crate::proxy::seam::Line;
use crate::proxy::state::{Met, State, StateError};

/// The most pages that are asked for. A server with more is not believed to have an end.
const PAGES: usize = 100;

/// How long the server may take to say which tools it has.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a list is asked for again because the tools changed meanwhile.
const TRIES: usize = 3;

/// The most tools that are kept in mind.
const TOOLS: usize = 10_000;

/// The most definitions of one tool that are kept in mind until the server says that they changed.
const DEFINITIONS: usize = 8;

/// What is known of one tool.
#[derive(Debug)]
pub(super) struct Facts {
    /// As it was listed since the server last said that its tools changed. More than one where
    /// sessions are told different things, or one list names it twice.
    pub(super) definitions: Vec<Arc<Definition>>,
    pub(super) pin: Pin,
}

impl Facts {
    /// Whether it surely has no output schema.
    pub(super) fn takes_structured(&self) -> bool {
        !self.definitions.is_empty() && self.definitions.iter().all(|tool| !tool.has_output_schema)
    }

    /// The digest of what counts now, of several the last.
    pub(super) fn digest(&self) -> Option<&str> {
        self.definitions.last().map(|tool| tool.digest.as_str())
    }
}

/// The tools of one server.
pub(super) struct Tools {
    server: String,
    state: State,
    known: Mutex<Known>,
    /// Held while the server is asked: one call asks for all.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// How often the server said that its tools changed.
    changes: u64,
    /// Every page was seen since, and everything in it kept.
    complete: bool,
    tools: HashMap<String, Vec<Arc<Definition>>>,
}

impl Tools {
    pub(super) fn new(server: &str, state: &State) -> Self {
        Self {
            server: server.to_owned(),
            state: state.clone(),
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// How often the server said that its tools changed: to be read before a list is asked for, or as
    /// it comes.
    pub(super) fn changes(&self) -> u64 {
        self.known().changes
    }

    /// Takes up an answer to `tools/list`, and pins what is new in it. If the server said since
    /// `changes` was read that its tools changed, it tells nothing of how they are now.
    pub(super) fn learn(&self, page: Page, changes: u64) {
        let met: Vec<Met<'_>> = page
            .tools
            .iter()
            .map(|tool| Met {
                tool: &tool.name,
                digest: &tool.digest,
                text: &tool.text,
            })
            .collect();
        if let Err(error) = self.state.meet(&self.server, &met, SystemTime::now()) {
            // They count as changed then.
            tracing::warn!(server = %self.server, %error, "tools were not pinned");
        }
        let mut known = self.known();
        if known.changes == changes {
            for tool in page.tools {
                keep(&mut known, tool);
            }
        }
    }

    /// The server says that its tools changed: what was listed before does not count.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        *known = Known {
            changes: known.changes + 1,
            ..Known::default()
        };
    }

    /// What is known of a tool; asks the server where that is nothing.
    pub(super) async fn facts(&self, name: &str, line: &dyn Line) -> Facts {
        if let Some(facts) = self.look(name) {
            return facts;
        }
        let _asking = self.asking.lock().await;
        if let Some(facts) = self.look(name) {
            return facts;
        }
        for _ in 0..TRIES {
            let changes = self.changes();
            let listed = tokio::time::timeout(PATIENCE, self.list(line, changes)).await;
            let mut known = self.known();
            // What changed meanwhile is asked for again.
            if known.changes == changes {
                let whole = matches!(listed, Ok(Some(())));
                known.complete |= whole && known.tools.len() < TOOLS;
                break;
            }
        }
        self.look(name).unwrap_or_else(|| {
            tracing::warn!(server = %self.server, "the server does not say which tools it has");
            Facts {
                definitions: Vec::new(),
                pin: Pin::Unknown,
            }
        })
    }

    /// Asks for all pages; `None` where one does not come.
    async fn list(&self, line: &dyn Line, changes: u64) -> Option<()> {
        let mut params = "{}".to_owned();
        for _ in 0..PAGES {
            let answer = line.ask("tools/list", params).await.ok()?;
            let mut page = Page::read(&answer)?;
            let next = page.next.take();
            self.learn(page, changes);
            let Some(cursor) = next else {
                return Some(());
            };
            params = serde_json::json!({ "cursor": cursor }).to_string();
        }
        None
    }

    /// What is known without asking; `None` for nothing.
    fn look(&self, name: &str) -> Option<Facts> {
        let (definitions, complete) = {
            let known = self.known();
            let definitions = known.tools.get(name).cloned().unwrap_or_default();
            (definitions, known.complete)
        };
        if definitions.is_empty() && !complete {
            return None;
        }
        let pin = self.pin(name, &definitions).unwrap_or_else(|error| {
            tracing::warn!(server = %self.server, %error, "a tool's pin was not read");
            Pin::Changed
        });
        Some(Facts { definitions, pin })
    }

    fn pin(&self, name: &str, definitions: &[Arc<Definition>]) -> Result<Pin, StateError> {
        if definitions.is_empty() {
            // A tool that was pinned and is not listed any more has taken its pin off.
            let known = self.state.is_known(&self.server, name)?;
            return Ok(if known { Pin::Changed } else { Pin::Unlisted });
        }
        for definition in definitions {
            let accepted = self
                .state
                .is_accepted(&self.server, name, &definition.digest)?;
            if !accepted {
                return Ok(Pin::Changed);
            }
        }
        Ok(Pin::Accepted)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(known: &mut Known, tool: Definition) {
    let full = known.tools.len() >= TOOLS;
    let of_name = match known.tools.get_mut(&tool.name) {
        Some(of_name) => of_name,
        None if full => {
            known.complete = false;
            return;
        }
        None => known.tools.entry(tool.name.clone()).or_default(),
    };
    if of_name.iter().all(|other| other.digest != tool.digest) {
        // The last place is for the newest; that those before it differ is said by them.
        of_name.truncate(DEFINITIONS - 1);
        of_name.push(Arc::new(tool));
    }
}
