//! What keeps the local state from being used.

use std::error::Error;
use std::fmt;
use std::path::Path;

use sernixa_protocol::display::one_line;

/// The proxy's local state cannot be used. The message names the file and what to do.
#[derive(Debug)]
pub struct StateError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StateError {
    pub(super) fn new(path: &Path, fault: impl fmt::Display) -> Self {
        Self {
            message: format!("{}: {fault}", one_line(&path.to_string_lossy())),
            source: None,
        }
    }

    pub(super) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// What SQLite says, and what to do about it.
pub(super) fn failed(path: &Path, error: rusqlite::Error) -> StateError {
    use rusqlite::ErrorCode;

    let fault = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process kept the proxy's state locked for too long; see which one holds it"
        }
        Some(ErrorCode::DiskFull) => "the disk with the proxy's state is full; make room on it",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the proxy's state cannot be written; see the permissions of the file and its folder"
        }
        Some(ErrorCode::NotADatabase) => NOT_OURS,
        Some(ErrorCode::DatabaseCorrupt) => {
            "the proxy's state is damaged; move the file away: tools are then pinned anew"
        }
        _ => "the proxy's state cannot be used",
    };
    StateError::new(path, fault).caused_by(error)
}

/// A file of somebody else's.
pub(super) const NOT_OURS: &str = "is no state of the MCP proxy; move it away";
