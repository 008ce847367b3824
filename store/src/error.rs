//! What went wrong, in words that say what to do.

use rusqlite::{Error, ErrorCode};
use sernixa_engine::StoreError;

/// What a transaction or a look comes to.
pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// What SQLite says, as a store says it.
pub(crate) fn failed(error: Error) -> StoreError {
    StoreError::new(message(&error)).caused_by(error)
}

/// What an error of SQLite means, and what to do.
pub(crate) fn message(error: &Error) -> &'static str {
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => UNREADABLE,
        _ => error
            .sqlite_error_code()
            .map_or("the store's database failed", of_code),
    }
}

fn of_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => BUSY,
        ErrorCode::DiskFull => "the disk with the store is full; make room on it",
        ErrorCode::ReadOnly => {
            "the store's file may not be written; see its permissions, its folder's, and whether \
             its disk is mounted for reading only"
        }
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            "the store's file may not be used by this user; see its permissions"
        }
        ErrorCode::CannotOpen => {
            "the store's file cannot be opened; see that its folder exists and may be written"
        }
        ErrorCode::NotADatabase => NOT_OURS,
        ErrorCode::DatabaseCorrupt => {
            "the store's file is damaged; stop every process that uses it and restore a backup"
        }
        ErrorCode::SystemIoFailure => {
            "the disk with the store failed; see the system's log, and whether it is full"
        }
        _ => "the store's database failed",
    }
}

/// Somebody else held the lock for too long.
pub(crate) const BUSY: &str =
    "another process kept the store locked for too long; see which one holds it";

/// A transaction that SQLite ended by itself.
pub(crate) const TAKEN_BACK: &str =
    "the database took a transaction back; see the system's log for errors of the disk";

/// A file that this crate did not make.
pub(crate) const NOT_OURS: &str =
    "the file is no store of Sernixa; name another file, or one that does not exist yet";

/// A row that does not read as what this version writes.
pub(crate) const UNREADABLE: &str =
    "the store holds something that this version cannot read; was it changed by hand?";

/// A row that does not read as what this version writes.
pub(crate) const fn unreadable() -> StoreError {
    StoreError::new(UNREADABLE)
}
