//! The store in an SQLite file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sernixa_engine::audit::{Event, EventFilter, Head, genesis};
use sernixa_engine::{
    ApiKey, Approval, ApprovalId, Digest, Entropy, SecretKey, State, Store, StoreError,
};

use crate::error::Result;
use crate::group::{Begin, Writer};
use crate::open::{self, Access, Link, Sync};
use crate::readers::Readers;
use crate::schema::{self, MIGRATIONS, Standing};
use crate::{api_key, approval, events, key_file};

/// A store in one SQLite file, which several processes may share.
///
/// What was answered is on disk: a call returns after the commit that holds it (WAL with
/// `synchronous=FULL`). Calls of many threads share commits. A lock of another process is waited
/// for, at most 5 seconds a call.
///
/// A store that was opened before a `fork` fails in the child: open it again there.
pub struct SqliteStore {
    path: PathBuf,
    access: Access,
    /// SQLite's locks belong to the process.
    process: u32,
    /// Before the writer, since fields are dropped in this order: the last connection to close
    /// folds the log into the file, and one that only reads cannot.
    readers: Readers,
    writer: Writer,
    claim_key: OnceLock<SecretKey>,
    binding_key: OnceLock<SecretKey>,
}

/// Which file.
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in a file, and brings it up to date. A file that does not exist is made, for
    /// its owner alone; its folder is not.
    ///
    /// # Errors
    /// A path that leads to no file, a file that may not be written, is somebody else's, damaged,
    /// locked for more than 5 seconds or of a newer version. The message says which, and what to
    /// do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path.as_ref(), Sync::Full)
    }

    /// Opens the store in a file for looking at it: for verifying an audit log offline. Nothing is
    /// made or changed; every transaction that writes fails.
    ///
    /// # Errors
    /// As [`open`](Self::open), and for a file of an older version: that one has to be opened for
    /// writing once.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        let path = open::find(path.as_ref())?;
        match Self::look_at(path.clone(), Access::Read) {
            // Without a log of what was committed lately there is nothing to be locked.
            Err(_) if !has_log(&path) => Self::look_at(path, Access::ReadUnchanging),
            opened => opened,
        }
    }

    /// As [`open`](Self::open), but a commit does not wait for the disk: what the benchmarks
    /// compare with. Loses approvals that were answered when the power fails.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_without_durability_for_benchmarks_only(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path.as_ref(), Sync::Off)
    }

    fn open_with(path: &Path, sync: Sync) -> Result<Self> {
        let path = open::create(path)?;
        let access = Access::Write(sync);
        let link = Link::open(&path, access)?;
        // First of all: a file of somebody else is not touched.
        schema::standing(&link.connection, MIGRATIONS)?;
        link.use_wal()?;
        schema::migrate(&link.connection, MIGRATIONS)?;
        Ok(Self::new(path, access, link, Begin::Locked))
    }

    fn look_at(path: PathBuf, access: Access) -> Result<Self> {
        let link = Link::open(&path, access)?;
        match schema::standing(&link.connection, MIGRATIONS)? {
            Standing::Current => Ok(Self::new(path, access, link, Begin::Unlocked)),
            Standing::Older => Err(StoreError::new(
                "the store was written by an older version of Sernixa; open it for writing once, \
                 which brings it up to date",
            )),
        }
    }

    fn new(path: PathBuf, access: Access, link: Link, begin: Begin) -> Self {
        let look = match access {
            Access::Write(_) => Access::Read,
            Access::Read | Access::ReadUnchanging => access,
        };
        Self {
            process: std::process::id(),
            writer: Writer::new(link, begin),
            readers: Readers::new(path.clone(), look),
            claim_key: OnceLock::new(),
            binding_key: OnceLock::new(),
            path,
            access,
        }
    }

    /// The file, by its one name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn must_be_here(&self) -> Result<()> {
        if self.process == std::process::id() {
            Ok(())
        } else {
            Err(StoreError::new(
                "the store was opened before a fork; open it again in this process",
            ))
        }
    }

    /// The key in a file beside the store, made if there is none.
    fn key(
        &self,
        known: &OnceLock<SecretKey>,
        name: &str,
        entropy: &mut Entropy,
    ) -> Result<SecretKey> {
        if let Some(key) = known.get() {
            return Ok(key.clone());
        }
        self.must_be_here()?;
        let path = key_file::path(&self.path, name);
        let key = match key_file::read(&path)? {
            Some(key) => key,
            None if !matches!(self.access, Access::Write(_)) => {
                return Err(StoreError::new(
                    "the store has no key yet, and is open for reading only",
                ));
            }
            // Another process may make it at the same time: one of them does.
            None => self.writer.alone(|| match key_file::read(&path)? {
                Some(key) => Ok(key),
                None => key_file::make(&path, entropy),
            })?,
        };
        Ok(known.get_or_init(|| key).clone())
    }
}

/// Whether something was committed that may not have reached the file itself.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or_else(
        |error| error.kind() != std::io::ErrorKind::NotFound,
        |about| about.len() > 0,
    )
}

impl Store for SqliteStore {
    fn transact(&self, work: &mut dyn FnMut(&mut dyn State) -> Result<()>) -> Result<()> {
        self.must_be_here()?;
        self.writer.transact(work)
    }

    fn claim_key(&self, entropy: &mut Entropy) -> Result<SecretKey> {
        self.key(&self.claim_key, "claim-key", entropy)
    }

    fn binding_key(&self, entropy: &mut Entropy) -> Result<Option<SecretKey>> {
        self.key(&self.binding_key, "binding-key", entropy)
            .map(Some)
    }

    fn events(&self, organisation: &str, after: u64, limit: usize) -> Result<Vec<Event>> {
        self.must_be_here()?;
        self.readers
            .look(|connection| events::page(connection, organisation, after, limit))
    }

    fn find_events(
        &self,
        organisation: &str,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Vec<Event>> {
        self.must_be_here()?;
        self.readers
            .look(|connection| events::find(connection, organisation, filter, limit))
    }

    fn approvals(&self, after: Option<ApprovalId>, limit: usize) -> Result<Vec<Approval>> {
        self.must_be_here()?;
        self.readers
            .look(|connection| approval::after(connection, after, limit))
    }

    fn organisations(&self) -> Result<Vec<Arc<str>>> {
        self.must_be_here()?;
        self.readers.look(events::organisations)
    }

    fn api_key(&self, hash: &Digest) -> Result<Option<ApiKey>> {
        self.must_be_here()?;
        self.readers
            .look(|connection| api_key::by_hash(connection, hash))
    }

    fn version(&self) -> Result<u64> {
        self.must_be_here()?;
        // Never 0, which says that no other process can change anything.
        Ok(self.writer.version()?.saturating_add(1))
    }

    /// No event is ever dropped: every chain begins at its genesis.
    fn first_anchor(&self, organisation: &str) -> Result<Head> {
        Ok(genesis(organisation))
    }
}
