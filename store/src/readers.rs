//! Connections for looking: they see what was committed, and wait for no writer.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::error::Result;
use crate::open::{Access, Link, PATIENCE};

/// How many connections are kept when nobody looks.
const KEPT: usize = 4;

/// The connections that nobody uses at the moment. A look takes one, or opens one more.
pub(crate) struct Readers {
    path: PathBuf,
    access: Access,
    idle: Mutex<Vec<Link>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, access: Access) -> Self {
        Self {
            path,
            access,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Looks. A look that panics takes its connection with it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let link = match idle {
            Some(link) => link,
            None => Link::open(&self.path, self.access)?,
        };
        link.wait_until(Instant::now() + PATIENCE);
        let seen = look(&link.connection);
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(link);
        }
        seen
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
