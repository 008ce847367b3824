//! Opening the file: who may, what it is, and how each connection to it behaves.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sernixa_engine::StoreError;

use crate::error::{BUSY, NOT_OURS, Result, failed};

/// For how long the lock of another process is waited for, all told.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// More statements than this crate has: each is parsed once a connection.
const STATEMENTS: usize = 96;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Changing the store: what is committed is on disk.
    Write(Sync),
    /// Looking at it.
    Read,
    /// Looking at a file that nothing can change meanwhile: on a medium for reading only, where
    /// no locks can be kept.
    ReadUnchanging,
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// Once it is on disk.
    Full,
    /// Once the system has it. Loses answered approvals with the power: for measuring alone.
    Off,
}

/// A connection, and how long it waits for others.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    patience: Arc<Patience>,
}

impl Link {
    /// Opens a file that exists.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self> {
        let mut connection = connect(path, access)?;
        let patience = Arc::new(Patience::new());
        let waiting = Arc::clone(&patience);
        connection
            .busy_handler(Some(move |count| waiting.wait(count)))
            .map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let link = Self {
            connection,
            patience,
        };
        link.wait_until(Instant::now() + PATIENCE);
        // Against files made to deceive: no SQL of theirs runs, and no page is believed unchecked.
        link.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
            .map_err(failed)?;
        // The store has neither: whoever put one in wants more done than is asked for.
        for theirs in [
            DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
            DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        ] {
            link.connection
                .set_db_config(theirs, false)
                .map_err(failed)?;
        }
        // Else a statement is planned anew for each value that is bound beside a partial index.
        link.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(failed)?;
        link.set("trusted_schema", "OFF")?;
        link.set("cell_size_check", "ON")?;
        let synchronous = match access {
            Access::Write(Sync::Off) => "OFF",
            _ => "FULL",
        };
        link.set("synchronous", synchronous)?;
        // Whoever commits beyond so many pages (32 MiB) copies them into the file, which takes
        // milliseconds: one decision in some 500. SQLite's own 1,000 would be one in 60; with 16,000 all
        // are slower, for the many pages that are in memory.
        link.set("wal_autocheckpoint", "8000")?;
        // What a savepoint may take back is else written to a file of its own.
        link.set("temp_store", "MEMORY")?;
        // Ids are random, so every new row touches other pages of the indexes: 8 MiB of them.
        link.set("cache_size", "-8192")?;
        Ok(link)
    }

    /// From now on, and until told otherwise, another's lock is waited for until `at`.
    pub(crate) fn wait_until(&self, at: Instant) {
        self.patience.wait_until(at);
    }

    /// Puts a new file into WAL mode; one that is in it stays.
    ///
    /// # Errors
    /// Where the file system does not carry it, and when another process holds the file too long.
    pub(crate) fn use_wal(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        for tries in 0.. {
            let mode =
                self.connection
                    .pragma_update_and_check(None, "journal_mode", "WAL", |row| {
                        row.get::<_, String>(0)
                    });
            match mode {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(_) => break,
                // SQLite does not call the busy handler for this lock.
                Err(error) if is_busy(&error) && Instant::now() < end => {
                    thread::sleep(pause(tries));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Err(StoreError::new(
            "the store cannot be shared by processes where it lies; put it on a local disk",
        ))
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        self.connection
            .pragma_update(None, name, value)
            .map_err(failed)
    }
}

fn connect(path: &Path, access: Access) -> Result<Connection> {
    // Each connection stands behind a mutex of ours or belongs to one thread at a time. No file is
    // created here, and no name is read as a URI unless it was made below.
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    match access {
        Access::Write(_) => {
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
        }
        Access::Read => Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY),
        Access::ReadUnchanging => {
            let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(unchanging(path)?, flags)
        }
    }
    .map_err(failed)
}

/// The name by which SQLite takes a file for unchanging.
fn unchanging(path: &Path) -> Result<String> {
    let name = path
        .to_str()
        .ok_or_else(|| StoreError::new("the store's path is not UTF-8; rename it"))?;
    let mut uri = "file:".to_owned();
    for character in name.chars() {
        match character {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            other => uri.push(other),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// How long the next lock is waited for: bounded for each caller, not for each attempt.
struct Patience {
    start: Instant,
    /// Microseconds after `start`.
    until: AtomicU64,
}

impl Patience {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            until: AtomicU64::new(0),
        }
    }

    fn wait_until(&self, at: Instant) {
        let until = at.saturating_duration_since(self.start).as_micros();
        let until = u64::try_from(until).unwrap_or(u64::MAX);
        self.until.store(until, Ordering::Relaxed);
    }

    /// Waits a little; `false`: long enough.
    fn wait(&self, count: i32) -> bool {
        let until = Duration::from_micros(self.until.load(Ordering::Relaxed));
        if self.start.elapsed() >= until {
            return false;
        }
        thread::sleep(pause(count));
        true
    }
}

/// Between two looks at a lock. Short, since the other process lets go between two of its groups
/// for some microseconds only.
fn pause(count: i32) -> Duration {
    let doublings = u32::try_from(count).unwrap_or_default().min(4);
    Duration::from_micros(50 << doublings)
}

/// Sees that the file is there, for its owner alone if it is made now, and finds its one name:
/// whatever links lead to it, the key files lie beside the file itself.
pub(crate) fn create(path: &Path) -> Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            file.sync_all().map_err(|error| of_path(&error))?;
            let found = find(path)?;
            sync_folder(&found)?;
            Ok(found)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => find(path),
        Err(error) => Err(of_path(&error).caused_by(error)),
    }
}

/// The one name of a file that exists.
pub(crate) fn find(path: &Path) -> Result<PathBuf> {
    let found = fs::canonicalize(path).map_err(|error| of_path(&error).caused_by(error))?;
    let about = fs::metadata(&found).map_err(|error| of_path(&error).caused_by(error))?;
    if about.is_dir() {
        Err(StoreError::new(
            "the store's path is a folder; name a file in it",
        ))
    } else if about.is_file() {
        Ok(found)
    } else {
        Err(StoreError::new(NOT_OURS))
    }
}

/// Makes the names in a file's folder last.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    // Not every system opens folders; those that do not keep names by themselves.
    match File::open(folder) {
        Ok(folder) => folder
            .sync_all()
            .map_err(|error| of_path(&error).caused_by(error)),
        Err(_) => Ok(()),
    }
}

fn of_path(error: &io::Error) -> StoreError {
    StoreError::new(match error.kind() {
        ErrorKind::NotFound => {
            "the store's file or its folder does not exist; see the path, and create the folder \
             first"
        }
        ErrorKind::PermissionDenied => {
            "the store's file may not be used by this user; see its permissions and its folder's"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the disk with the store is mounted for reading only; name a file on another"
        }
        ErrorKind::IsADirectory => "the store's path is a folder; name a file in it",
        ErrorKind::NotADirectory => {
            "a part of the store's path is a file where a folder is needed; see the path"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk with the store is full; make room on it"
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => "the store's path is no file name",
        ErrorKind::ResourceBusy => BUSY,
        _ => "the store's file cannot be opened; see its path and permissions",
    })
}
