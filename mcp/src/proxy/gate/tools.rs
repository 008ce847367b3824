//! The tools of the server, as far as they were listed: by the host, or asked for before the first
//! call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sernixa_protocol::action_id;

use super::classify::Pin;
use super::definition::{Definition, Page};
use crate::proxy::config::Rules;
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

/// The most bytes of definitions that are kept in mind: 64 MiB. A server that says more has its tools
/// reviewed, not the proxy's memory filled.
const BYTES: usize = 64 << 20;

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
    fn unknown() -> Self {
        Self {
            definitions: Vec::new(),
            pin: Pin::Unknown,
        }
    }

    /// Whether it surely has no output schema.
    pub(super) fn takes_structured(&self) -> bool {
        !self.definitions.is_empty() && self.definitions.iter().all(|tool| !tool.has_output_schema)
    }

    /// Whether the tool is still as it was, when it was asked about by these facts.
    pub(super) fn holds(&self, now: &Self) -> bool {
        let known = |one: &Arc<Definition>| {
            let mut before = self.definitions.iter();
            before.any(|other| other.digest == one.digest)
        };
        self.definitions.is_empty() == now.definitions.is_empty()
            && now.definitions.iter().all(known)
            && (now.pin != Pin::Unknown || self.pin == Pin::Unknown)
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
    /// Those that the operator wrote something of.
    configured: Vec<String>,
    known: Mutex<Known>,
    /// Held while the server is asked: one call asks for all.
    asking: tokio::sync::Mutex<()>,
    /// How often it was asked and did not say.
    silences: AtomicU64,
}

#[derive(Default)]
struct Known {
    /// How often the server said that its tools changed.
    changes: u64,
    /// Every page was seen since, and everything in it kept.
    complete: bool,
    tools: HashMap<String, Vec<Arc<Definition>>>,
    /// Of all of them.
    bytes: usize,
}

impl Tools {
    pub(super) fn new(server: &str, state: &State, rules: &Rules) -> Self {
        Self {
            server: server.to_owned(),
            state: state.clone(),
            configured: rules.tool_names().map(str::to_owned).collect(),
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            silences: AtomicU64::new(0),
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
        let before = self.silences.load(Ordering::Relaxed);
        let _asking = self.asking.lock().await;
        if let Some(facts) = self.look(name) {
            return facts;
        }
        // Whoever waited while the server said nothing does not wait for that once more.
        if self.silences.load(Ordering::Relaxed) != before {
            return Facts::unknown();
        }
        for _ in 0..TRIES {
            let changes = self.changes();
            let listed = tokio::time::timeout(PATIENCE, self.list(line, changes)).await;
            let mut known = self.known();
            // What changed meanwhile is asked for again.
            if known.changes == changes {
                let whole = matches!(listed, Ok(Some(())));
                known.complete |= whole && known.tools.len() < TOOLS && known.bytes < BYTES;
                break;
            }
        }
        self.look(name).unwrap_or_else(|| {
            self.silences.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(server = %self.server, "the server does not say which tools it has");
            Facts::unknown()
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
            if self.state.is_known(&self.server, name)? {
                return Ok(Pin::Changed);
            }
        }
        for definition in definitions {
            let accepted = self
                .state
                .is_accepted(&self.server, name, &definition.digest)?;
            if !accepted {
                return Ok(Pin::Changed);
            }
        }
        Ok(if self.is_alike(name)? {
            Pin::Alike
        } else if definitions.is_empty() {
            Pin::Unlisted
        } else {
            Pin::Accepted
        })
    }

    /// Whether its name may be taken for another tool's: in an action id, which is what policies go by
    /// and keeps letters, digits, `.`, `_` and `-` alone, or by a server that does not mind case.
    fn is_alike(&self, name: &str) -> Result<bool, StateError> {
        if self.configured.iter().any(|other| other == name) {
            return Ok(false);
        }
        let in_id = self.in_action_id(name);
        let mut configured = self.configured.iter();
        if configured
            .any(|other| other.eq_ignore_ascii_case(name) || self.in_action_id(other) == in_id)
        {
            return Ok(true);
        }
        Ok(in_id != name && self.state.is_known(&self.server, &in_id)?)
    }

    /// What an action id of this server's shows of a tool's name.
    fn in_action_id(&self, name: &str) -> String {
        let id = action_id(&self.server, name);
        let own = self.server.len() + 1;
        id.get(own..).unwrap_or_default().to_owned()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(known: &mut Known, mut tool: Definition) {
    let Known { tools, bytes, .. } = known;
    let length = tool.name.len() + tool.text.len();
    let is_long = *bytes + length > BYTES;
    let is_full = is_long || tools.len() >= TOOLS;
    let of_name = match tools.get_mut(&tool.name) {
        Some(of_name) => of_name,
        None if is_full => {
            known.complete = false;
            return;
        }
        None => tools.entry(tool.name.clone()).or_default(),
    };
    if of_name.iter().any(|other| other.digest == tool.digest) {
        return;
    }
    // The last place is for the newest; that those before it differ is said by them.
    for left_out in of_name.drain(of_name.len().min(DEFINITIONS - 1)..) {
        *bytes -= left_out.name.len() + left_out.text.len();
    }
    if is_long {
        // That it differs is what counts, and the digest says that.
        tool.text = String::new();
    }
    *bytes += tool.name.len() + tool.text.len();
    of_name.push(Arc::new(tool));
}

#[cfg(test)]
mod tests {
    use super::super::definition::Hints;
    use super::*;

    fn definition(name: &str, digest: &str, length: usize) -> Definition {
        Definition {
            name: name.to_owned(),
            digest: digest.to_owned(),
            text: "x".repeat(length),
            hints: Hints::default(),
            has_output_schema: false,
        }
    }

    #[test]
    fn what_a_server_says_of_its_tools_fills_no_memory_and_a_changed_one_is_still_noticed() {
        let mut known = Known {
            complete: true,
            ..Known::default()
        };
        for nth in 0..8 {
            keep(&mut known, definition(&nth.to_string(), "a", BYTES / 8 - 1));
        }
        assert!(known.complete && known.bytes == BYTES);
        keep(&mut known, definition("more", "a", 1));
        assert!(!known.complete && !known.tools.contains_key("more"));
        for nth in 0..DEFINITIONS * 2 {
            keep(&mut known, definition("0", &nth.to_string(), BYTES / 8));
        }
        let digests = known.tools["0"].iter().map(|tool| tool.digest.as_str());
        assert_eq!(
            digests.collect::<Vec<_>>(),
            ["a", "0", "1", "2", "3", "4", "5", "15"]
        );
        assert!(known.bytes <= BYTES + DEFINITIONS);
    }
}
