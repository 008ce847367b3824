//! What the proxy keeps on this machine: the tools it met, the sealed states that were used, and a key
//! of its own.
//!
//! One SQLite file (0600), which all proxies of a user share: beside the store of an embedded engine
//! (`STORE.mcp`), else in the user's state folder (`~/.local/state/sernixa/mcp.db`).

mod error;
mod open;
mod pins;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension as _, params};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::Sha256;

use super::off_worker::off_worker;

pub use error::StateError;
use error::failed;
pub use pins::{Definition, Met, Tool};

/// The proxy's local state. Cheap to clone; clones are one connection.
#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    key: SecretBox<[u8; 32]>,
    connection: Mutex<Connection>,
}

/// Where it lies, and nothing of what it holds.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Opens the state that lies beside the store of an embedded engine, or without one the user's
    /// own. Makes it at first use.
    ///
    /// # Errors
    /// When the file cannot be used, or others may read it.
    pub fn open(store: Option<&Path>) -> Result<Self, StateError> {
        match store {
            Some(store) => Self::at(open::beside(store)),
            None => Self::at(open::of_user()?),
        }
    }

    /// As [`open`](Self::open), but makes nothing: `None` where no proxy has run yet.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn find(store: Option<&Path>) -> Result<Option<Self>, StateError> {
        let path = match store {
            Some(store) => open::beside(store),
            None => open::of_user()?,
        };
        if path.exists() {
            Self::at(path).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Opens the state in this very file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let connection = open::open(&path)?;
        let key = own_key(&path, &connection)?;
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                key,
                connection: Mutex::new(connection),
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What a client without `SERNIXA_BINDING_KEY` and without a store of its own digests arguments
    /// with: made once, so that the same call of the next process is known again.
    pub fn binding_key(&self) -> SecretString {
        let key = self.derive("binding");
        let mut text = String::with_capacity(64);
        for byte in key.expose_secret() {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
        }
        text.into()
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> SecretBox<[u8; 32]> {
        let mut mac = self.mac();
        mac.update(b"sernixa.mcp.key.v1\0");
        mac.update(purpose.as_bytes());
        SecretBox::new(Box::new(mac.finalize().into_bytes().into()))
    }

    fn mac(&self) -> Hmac<Sha256> {
        // Filled up to one block of SHA-256, which is how HMAC itself takes a shorter key.
        let mut block = [0; 64];
        for (place, byte) in block.iter_mut().zip(self.shared.key.expose_secret()) {
            *place = *byte;
        }
        Hmac::new(&block.into())
    }

    /// Takes a sealed state out of use: `true` the first time, in whatever process.
    ///
    /// # Errors
    /// When that cannot be written down; the state must not be used then.
    pub(crate) fn spend(
        &self,
        id: &[u8],
        until: SystemTime,
        now: SystemTime,
    ) -> Result<bool, StateError> {
        let connection = self.connection();
        let spent = || {
            connection.execute("DELETE FROM spent WHERE until < ?1", [millis(now)])?;
            connection.execute(
                "INSERT INTO spent (id, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![id, millis(until)],
            )
        };
        off_worker(spent)
            .map(|rows| rows == 1)
            .map_err(|error| failed(self.path(), error))
    }

    /// Notes which approval a call left behind.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn leave(
        &self,
        call: &[u8],
        approval: &str,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StateError> {
        let connection = self.connection();
        let leave = || {
            connection.execute("DELETE FROM left_behind WHERE until < ?1", [millis(now)])?;
            connection.execute(
                "INSERT INTO left_behind (call, approval, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET approval = excluded.approval, until = excluded.until",
                params![call, approval, millis(until)],
            )
        };
        off_worker(leave)
            .map(|_| ())
            .map_err(|error| failed(self.path(), error))
    }

    /// The approval that such a call left behind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn left(&self, call: &[u8]) -> Result<Option<String>, StateError> {
        let connection = self.connection();
        connection
            .prepare_cached("SELECT approval FROM left_behind WHERE call = ?1")
            .and_then(|mut read| read.query_row([call], |row| row.get(0)).optional())
            .map_err(|error| failed(self.path(), error))
    }

    /// What became of it is known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn settle(&self, call: &[u8]) -> Result<(), StateError> {
        let connection = self.connection();
        let settle = || connection.execute("DELETE FROM left_behind WHERE call = ?1", [call]);
        off_worker(settle)
            .map(|_| ())
            .map_err(|error| failed(self.path(), error))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Every write is one transaction; a panic in between left none half done.
        self.shared
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key in the file; made by whoever is first.
fn own_key(path: &Path, connection: &Connection) -> Result<SecretBox<[u8; 32]>, StateError> {
    let read = || {
        connection
            .query_row("SELECT bytes FROM own_key", [], |row| {
                row.get::<_, [u8; 32]>(0)
            })
            .optional()
            .map_err(|error| failed(path, error))
    };
    if let Some(key) = read()? {
        return Ok(SecretBox::new(Box::new(key)));
    }
    let mut fresh = SecretBox::new(Box::new([0; 32]));
    getrandom::fill(secrecy::ExposeSecretMut::expose_secret_mut(&mut fresh)).map_err(|error| {
        StateError::new(path, "the system gives no randomness for a key").caused_by(error)
    })?;
    connection
        .execute(
            "INSERT INTO own_key (one, bytes) VALUES (1, ?1) ON CONFLICT DO NOTHING",
            [fresh.expose_secret()],
        )
        .map_err(|error| failed(path, error))?;
    let key = read()?.ok_or_else(|| StateError::new(path, "its key was not kept"))?;
    Ok(SecretBox::new(Box::new(key)))
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
