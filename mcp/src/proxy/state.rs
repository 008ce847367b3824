//! What the proxy keeps on this machine: pinned tools, spent states, its own key.

use std::path::{Path, PathBuf};

/// The proxy's local state, shared by all proxies on one file.
#[derive(Clone, Debug)]
pub struct State {
    path: PathBuf,
}

impl State {
    /// Opens the state that belongs to the file of an embedded engine, or the user's own.
    ///
    /// # Errors
    /// When the file cannot be opened or made.
    pub fn open(store: Option<&Path>) -> Result<Self, std::io::Error> {
        let _ = store;
        Ok(Self {
            path: PathBuf::new(),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
