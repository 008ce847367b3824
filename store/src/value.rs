//! The engine's values as SQLite's, and back: whoever reads a row checks it.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sernixa_engine::{Digest, StoreError, Timestamp};

use crate::error::{Result, failed, unreadable};

/// A number that SQLite keeps: up to 2^63 - 1.
pub(crate) fn number(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| StoreError::new("a number is too large for the store"))
}

/// A number to compare with: beyond all that is kept, the largest that could be.
pub(crate) fn bound(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A limit on rows.
pub(crate) fn limit(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A time.
pub(crate) fn time(at: Timestamp) -> Result<i64> {
    number(at.millis())
}

/// A time, where there is one.
pub(crate) fn time_of(at: Option<Timestamp>) -> Result<Option<i64>> {
    at.map(time).transpose()
}

/// A list of texts as a JSON array.
pub(crate) fn list(texts: &[Box<str>]) -> Result<String> {
    serde_json::to_string(texts)
        .map_err(|error| StoreError::new("a list could not be written").caused_by(error))
}

/// A list of texts from its JSON array.
pub(crate) fn listed(json: &str) -> Result<Box<[Box<str>]>> {
    serde_json::from_str(json).map_err(|error| unreadable().caused_by(error))
}

/// What stands in a column.
pub(crate) fn column<T: FromSql>(row: &Row<'_>, at: usize) -> Result<T> {
    row.get(at).map_err(failed)
}

/// What the word in a column means.
pub(crate) fn word<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let text = row.get_ref(at).map_err(failed)?;
    let text = text
        .as_str()
        .map_err(|error| unreadable().caused_by(error))?;
    parse(text).ok_or_else(unreadable)
}

/// A number from a column.
pub(crate) struct Number(pub(crate) u64);

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let kept = value.as_i64()?;
        u64::try_from(kept)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(kept))
    }
}

/// A time from a column.
pub(crate) struct Time(pub(crate) Timestamp);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Number::column_result(value).map(|Number(millis)| Self(Timestamp::from_millis(millis)))
    }
}

/// A digest in a column.
pub(crate) struct Hash(pub(crate) Digest);

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(|bytes| Self(Digest(bytes)))
    }
}

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.0.to_sql()
    }
}
