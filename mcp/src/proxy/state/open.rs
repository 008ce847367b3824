//! Where the local state lies, who may read it, and how it is opened.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{NOT_OURS, StateError, failed};

/// What SQLite's header says of a file of ours: `SRXM`.
const APPLICATION_ID: i32 = 0x5352_584d;

/// For how long another process's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How each version is made of the one before. Only ever added to.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The file beside the store of an embedded engine: `STORE.mcp`.
pub(super) fn beside(store: &Path) -> PathBuf {
    // Whatever links lead to the store, its state lies beside the file itself.
    let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut path = OsString::from(store);
    path.push(".mcp");
    path.into()
}

/// The user's own: `$XDG_STATE_HOME/sernixa/mcp.db`, else `~/.local/state/sernixa/mcp.db`. Makes the
/// folder, for the user alone.
pub(super) fn of_user() -> Result<PathBuf, StateError> {
    let xdg = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let Some(folder) = folder(xdg, std::env::home_dir()) else {
        let fault = "this user has no home folder for the proxy's state; set XDG_STATE_HOME";
        return Err(StateError::new(Path::new("mcp.db"), fault));
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| {
        StateError::new(&folder, "the folder for the proxy's state cannot be made").caused_by(error)
    })?;
    Ok(folder.join("mcp.db"))
}

/// The folder, of `XDG_STATE_HOME` and the user's home. The XDG Base Directory Specification: a
/// relative path is to be ignored.
pub(super) fn folder(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    xdg.filter(|path| path.is_absolute())
        .or_else(|| Some(home?.join(".local/state")))
        .filter(|path| path.is_absolute())
        .map(|state| state.join("sernixa"))
}

/// Opens the file, makes it first if it is not there, and brings it up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StateError> {
    private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let fault = |error| failed(path, error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(PATIENCE).map_err(fault)?;
    // Against files made to deceive: no SQL of theirs runs.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, on).map_err(fault)?;
    }
    for (name, value) in [
        ("trusted_schema", "OFF"),
        // A state that was spent stays spent, also after a loss of power.
        ("synchronous", "FULL"),
    ] {
        connection.pragma_update(None, name, value).map_err(fault)?;
    }
    migrate(path, &mut connection)?;
    Ok(connection)
}

/// Sees that the file is there, and its owner's alone.
fn private(path: &Path) -> Result<(), StateError> {
    let fault = |error: io::Error| {
        let fault = match error.kind() {
            ErrorKind::NotFound => "the folder for the proxy's state does not exist; create it",
            ErrorKind::PermissionDenied => {
                "the proxy's state may not be used by this user; see the permissions"
            }
            _ => "the proxy's state cannot be opened; see the path and its permissions",
        };
        StateError::new(path, fault).caused_by(error)
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        // Of a pipe, opening it would wait for whoever writes.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::metadata(path) {
            Ok(about) if !about.is_file() => return Err(StateError::new(path, NOT_OURS)),
            Ok(_) => File::open(path),
            Err(error) => Err(error),
        },
        made => made,
    }
    .map_err(fault)?;
    let about = file.metadata().map_err(fault)?;
    if !about.is_file() {
        return Err(StateError::new(path, NOT_OURS));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        let fault = "the proxy's state holds a key and may be used by others; see who had it, and \
                     `chmod 600` it";
        return Err(StateError::new(path, fault));
    }
    Ok(())
}

/// Brings a file up to date, all or nothing. Another process may do the same at the same time.
fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StateError> {
    if version(path, connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let fault = |error| failed(path, error);
    let mode = |connection: &Connection| {
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
    };
    // Whoever opens the file at the same moment does this, too: SQLite calls no busy handler here.
    for _ in 0..50 {
        if mode(connection).is_ok_and(|mode| mode == "wal") {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fault)?;
    // Read again: whoever held the lock before may have done it.
    let done = version(path, &transaction)?;
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration).map_err(fault)?;
    }
    for (name, value) in [
        ("application_id", APPLICATION_ID),
        (
            "user_version",
            i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX),
        ),
    ] {
        transaction
            .pragma_update(None, name, value)
            .map_err(fault)?;
    }
    transaction.commit().map_err(fault)
}

/// How many migrations the file has been through. Refuses files of others, and newer ones.
fn version(path: &Path, connection: &Connection) -> Result<usize, StateError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|error| failed(path, error))
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| failed(path, error))?;
    if application != APPLICATION_ID && (application, version, tables) != (0, 0, 0) {
        return Err(StateError::new(path, NOT_OURS));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(StateError::new(
            path,
            "was written by a newer version of Sernixa; use that version, or a newer one",
        )),
    }
}
