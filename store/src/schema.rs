//! The tables, version by version. A file is brought up to date when it is opened, in one
//! transaction.

use rusqlite::Connection;
use sernixa_engine::StoreError;

use crate::error::{NOT_OURS, Result, failed};

/// What SQLite's header says of a file of ours: `SRNX`.
const APPLICATION_ID: i32 = 0x5352_4e58;

/// How each version is made of the one before; the first of nothing. Only ever added to: what was
/// released once stays as it is.
pub(crate) const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As this version writes it.
    Current,
    /// Of an older version, or with nothing in it yet.
    Older,
}

/// What a file is, as far as its header and its list of tables say. Writes nothing.
///
/// # Errors
/// A file of somebody else, or of a newer version.
pub(crate) fn standing(connection: &Connection, migrations: &[&str]) -> Result<Standing> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let is_new = application == 0 && version == 0 && is_empty(connection)?;
    if application != APPLICATION_ID && !is_new {
        return Err(StoreError::new(NOT_OURS));
    }
    match usize::try_from(version) {
        Ok(version) if version == migrations.len() => Ok(Standing::Current),
        Ok(version) if version < migrations.len() => Ok(Standing::Older),
        _ => Err(StoreError::new(
            "the store was written by a newer version of Sernixa; use that version, or a newer one",
        )),
    }
}

/// Brings a file up to date, all or nothing. Another process may do the same at the same time.
///
/// # Errors
/// What [`standing`] refuses, and what the database cannot do; the file is then as it was.
pub(crate) fn migrate(connection: &Connection, migrations: &[&str]) -> Result<()> {
    if standing(connection, migrations)? == Standing::Current {
        return Ok(());
    }
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(failed)?;
    let done = apply(connection, migrations);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end).map_err(failed);
    if ended.is_err() && !connection.is_autocommit() {
        // Nothing more can be done, and the file is as it was: the connection is given up.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done.and(ended)
}

fn apply(connection: &Connection, migrations: &[&str]) -> Result<()> {
    // Read again: whoever held the lock before may have done it.
    standing(connection, migrations)?;
    let version = pragma(connection, "user_version")?;
    let done = usize::try_from(version).unwrap_or_default();
    for migration in migrations.iter().skip(done) {
        connection.execute_batch(migration).map_err(failed)?;
    }
    for (name, value) in [
        ("application_id", APPLICATION_ID),
        (
            "user_version",
            i32::try_from(migrations.len()).unwrap_or(i32::MAX),
        ),
    ] {
        connection
            .pragma_update(None, name, value)
            .map_err(failed)?;
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i32> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(failed)
}

fn is_empty(connection: &Connection) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)";
    connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const FIRST: &str = "CREATE TABLE one (a ANY) STRICT";

    fn tables(connection: &Connection) -> u32 {
        let sql = "SELECT count(*) FROM sqlite_schema";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn each_version_is_made_of_the_one_before_and_none_twice() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &[FIRST]).unwrap();
        assert_eq!(standing(&connection, &[FIRST]).unwrap(), Standing::Current);
        let both = [FIRST, "CREATE TABLE two (a ANY) STRICT"];
        assert_eq!(standing(&connection, &both).unwrap(), Standing::Older);
        migrate(&connection, &both).unwrap();
        migrate(&connection, &both).unwrap();
        assert_eq!(tables(&connection), 2);
        assert!(
            standing(&connection, &[FIRST]).is_err(),
            "of a newer version"
        );
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, &[FIRST]).unwrap();
        let third = "CREATE TABLE three (a ANY) STRICT; this is no SQL";
        let all = [FIRST, "CREATE TABLE two (a ANY) STRICT", third];
        assert!(migrate(&connection, &all).is_err());
        assert_eq!(tables(&connection), 1);
        assert!(connection.is_autocommit());
        assert_eq!(standing(&connection, &[FIRST]).unwrap(), Standing::Current);
    }
}
