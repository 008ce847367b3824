//! What the server knows: its catalogue, and what its tools changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{RequestStateCodec, Tool};
use rmcp::service::SubscriptionSink;
use rmcp::task_manager::TaskManager;

use crate::Failure;
use crate::catalogue::Catalogue;
use crate::journal::Journal;

/// The key of a test server's sealed states. It guards nothing.
const STATE_KEY: &[u8] = b"a test server's key, which guards nothing";

/// How the server differs from run to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where each `tools/call` that arrives leaves a line.
    pub journal: Option<PathBuf>,
    /// The first description of the tool `changing`, in place of the catalogue's.
    pub changing: Option<String>,
}

/// The server. Clones share everything; sessions are clones.
#[derive(Clone)]
pub struct Fixture(pub(crate) Arc<World>);

pub(crate) struct World {
    pub(crate) catalogue: Catalogue,
    pub(crate) journal: Option<Journal>,
    pub(crate) notes: Mutex<BTreeMap<String, String>>,
    pub(crate) changing: Mutex<Option<String>>,
    pub(crate) subscriptions: Mutex<Vec<SubscriptionSink>>,
    pub(crate) states: RequestStateCodec,
    pub(crate) tasks: TaskManager,
}

impl Fixture {
    /// Reads the catalogue and opens the journal.
    ///
    /// # Errors
    /// The catalogue is broken, or the journal cannot be opened.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let journal = options.journal.as_deref().map(Journal::open).transpose()?;
        Ok(Self(Arc::new(World {
            catalogue: Catalogue::read()?,
            journal,
            notes: Mutex::default(),
            changing: Mutex::new(options.changing),
            subscriptions: Mutex::default(),
            states: RequestStateCodec::try_new(STATE_KEY)?,
            tasks: TaskManager::new(),
        })))
    }
}

impl World {
    /// The tools, as they are described now.
    pub(crate) fn tools(&self) -> Vec<Tool> {
        let changing = lock(&self.changing).clone();
        let mut tools: Vec<Tool> = Vec::new();
        for entry in &self.catalogue.tools {
            let mut tool = entry.tool.clone();
            if tool.name == "changing"
                && let Some(description) = &changing
            {
                tool.description = Some(description.clone().into());
            }
            tools.push(tool);
        }
        tools
    }
}

/// What a panicking test left behind is still a test's world.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
