//! Running statements: each is parsed once a connection, and each row is checked when it is read.

use rusqlite::{Connection, Params, Row};

use crate::error::{Result, failed};

/// Runs a statement that gives no rows; how many rows it changed.
pub(crate) fn execute(connection: &Connection, sql: &str, values: impl Params) -> Result<usize> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.execute(values).map_err(failed)
}

/// The first row.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(values).map_err(failed)?;
    rows.next().map_err(failed)?.map(read).transpose()
}

/// The first `most` rows that `read` makes something of.
pub(crate) fn some<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    most: usize,
    mut read: impl FnMut(&Row<'_>) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(values).map_err(failed)?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.next().map_err(failed)?
    {
        found.extend(read(row)?);
    }
    Ok(found)
}

/// All rows.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    some(connection, sql, values, usize::MAX, |row| {
        read(row).map(Some)
    })
}
