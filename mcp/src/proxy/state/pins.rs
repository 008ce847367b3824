//! The tools that were met: the first definition of each counts, every later one waits until a person
//! accepts it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::off_worker;
use super::{State, StateError, failed, millis};

/// The longest definition whose text is kept, in bytes. Of longer ones the digest is.
const TEXT_MAX: usize = 256 << 10;

/// The most text that is kept of one server's tools, in bytes: of what comes later the digest is, so
/// that no server fills the disk.
const TEXTS_MAX: i64 = 64 << 20;

/// The most definitions of one tool that wait; the oldest makes room.
const WAITING_MAX: i64 = 16;

/// The most tools of one server. Of what is beyond nothing is kept, so that it counts as changed.
const TOOLS_MAX: i64 = 5_000;

/// A definition of a tool, as it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met<'a> {
    /// The tool's name.
    pub tool: &'a str,
    /// The digest of what counts of it.
    pub digest: &'a str,
    /// What counts of it: canonical JSON.
    pub text: &'a str,
}

/// A definition that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The digest of what counts of it.
    pub digest: String,
    /// What counts of it: canonical JSON. `None` where it is too long to be kept.
    pub text: Option<String>,
    /// When it was met.
    pub met_at: SystemTime,
    /// When it was accepted: at first sight, or by a person.
    pub accepted_at: Option<SystemTime>,
}

/// A tool that was met, with all its definitions, the one met last in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The server, as the operator calls it.
    pub server: String,
    /// The tool's name, as the server writes it.
    pub name: String,
    /// At least one.
    pub definitions: Vec<Definition>,
}

impl Tool {
    /// The definition that was met last.
    pub fn last(&self) -> Option<&Definition> {
        self.definitions.first()
    }

    /// Whether its calls are reviewed until a person accepts it.
    pub fn is_changed(&self) -> bool {
        self.last().is_some_and(|last| last.accepted_at.is_none())
    }

    /// The definition that was accepted last.
    pub fn accepted(&self) -> Option<&Definition> {
        let accepted = self.definitions.iter();
        accepted.max_by_key(|definition| definition.accepted_at)
    }
}

impl State {
    /// Writes down what a server listed. The first definition of a tool is accepted as it is met.
    ///
    /// # Errors
    /// When it cannot be written; what is not kept counts as changed.
    pub fn meet(&self, server: &str, tools: &[Met<'_>], now: SystemTime) -> Result<(), StateError> {
        let fault = |error| failed(self.path(), error);
        let mut connection = self.connection();
        let mut news = Vec::new();
        for met in tools {
            if !is_last(&connection, server, met).map_err(fault)? {
                news.push(met);
            }
        }
        if news.is_empty() {
            return Ok(());
        }
        let pin = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut kept = Kept::of(&transaction, server)?;
            for met in news {
                keep(&transaction, server, met, millis(now), &mut kept)?;
            }
            transaction.commit()
        };
        off_worker(pin).map_err(fault)
    }

    /// Whether this definition of a tool counts.
    ///
    /// # Errors
    /// When it cannot be read; the tool counts as changed then.
    pub(crate) fn is_accepted(
        &self,
        server: &str,
        tool: &str,
        digest: &str,
    ) -> Result<bool, StateError> {
        let sql = "SELECT 1 FROM definition
                   WHERE server = ?1 AND tool = ?2 AND digest = ?3 AND accepted_at IS NOT NULL";
        self.exists(sql, &[server, tool, digest])
    }

    /// Whether any definition of this tool was met before.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn is_known(&self, server: &str, tool: &str) -> Result<bool, StateError> {
        let sql = "SELECT 1 FROM definition WHERE server = ?1 AND tool = ?2";
        self.exists(sql, &[server, tool])
    }

    fn exists(&self, sql: &str, keys: &[&str]) -> Result<bool, StateError> {
        let connection = self.connection();
        let exists = || {
            let mut statement = connection.prepare_cached(sql)?;
            statement.exists(rusqlite::params_from_iter(keys))
        };
        exists().map_err(|error| failed(self.path(), error))
    }

    /// All tools that were met, by server and name; of one server if it is given.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn tools(&self, server: Option<&str>) -> Result<Vec<Tool>, StateError> {
        let connection = self.connection();
        let read = || {
            let mut statement = connection.prepare_cached(
                "SELECT server, tool, digest, text, met_at, accepted_at FROM definition
                 WHERE ?1 IS NULL OR server = ?1
                 ORDER BY server, tool, met_at DESC, id DESC",
            )?;
            let mut rows = statement.query([server])?;
            let mut tools: Vec<Tool> = Vec::new();
            while let Some(row) = rows.next()? {
                let (server, name): (String, String) = (row.get(0)?, row.get(1)?);
                let definition = Definition {
                    digest: row.get(2)?,
                    text: row.get(3)?,
                    met_at: time(row.get(4)?),
                    accepted_at: row.get::<_, Option<i64>>(5)?.map(time),
                };
                match tools.last_mut() {
                    Some(tool) if tool.server == server && tool.name == name => {
                        tool.definitions.push(definition);
                    }
                    _ => tools.push(Tool {
                        server,
                        name,
                        definitions: vec![definition],
                    }),
                }
            }
            Ok(tools)
        };
        read().map_err(|error| failed(self.path(), error))
    }

    /// Accepts this definition of a tool: `false` when there is no such thing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn accept(
        &self,
        server: &str,
        tool: &str,
        digest: &str,
        now: SystemTime,
    ) -> Result<bool, StateError> {
        let connection = self.connection();
        connection
            .execute(
                "UPDATE definition SET accepted_at = ?4
                 WHERE server = ?1 AND tool = ?2 AND digest = ?3",
                params![server, tool, digest, millis(now)],
            )
            .map(|rows| rows == 1)
            .map_err(|error| failed(self.path(), error))
    }
}

/// Whether this is the definition of the tool that was met last.
fn is_last(connection: &Connection, server: &str, met: &Met<'_>) -> rusqlite::Result<bool> {
    let sql = "SELECT digest FROM definition WHERE server = ?1 AND tool = ?2
               ORDER BY met_at DESC, id DESC LIMIT 1";
    let last: Option<String> = connection
        .prepare_cached(sql)?
        .query_row([server, met.tool], |row| row.get(0))
        .optional()?;
    Ok(last.as_deref() == Some(met.digest))
}

/// How much is kept of one server.
struct Kept {
    tools: i64,
    /// Bytes.
    texts: i64,
}

impl Kept {
    fn of(connection: &Connection, server: &str) -> rusqlite::Result<Self> {
        let sql = "SELECT count(DISTINCT tool), coalesce(sum(octet_length(text)), 0)
                   FROM definition WHERE server = ?1";
        connection.query_row(sql, [server], |row| {
            Ok(Self {
                tools: row.get(0)?,
                texts: row.get(1)?,
            })
        })
    }
}

fn keep(
    connection: &Connection,
    server: &str,
    met: &Met<'_>,
    now: i64,
    kept: &mut Kept,
) -> rusqlite::Result<()> {
    let count = |sql: &str, keys: &[&str]| {
        connection
            .prepare_cached(sql)?
            .query_row(rusqlite::params_from_iter(keys), |row| row.get::<_, i64>(0))
    };
    let tool = [server, met.tool];
    let known = count(
        "SELECT count(*) FROM definition WHERE server = ?1 AND tool = ?2",
        &tool,
    )?;
    if known == 0 {
        if kept.tools >= TOOLS_MAX {
            return Ok(());
        }
        kept.tools += 1;
    }
    // A clock that was set back must not make an old definition the last one.
    let after =
        "SELECT coalesce(max(met_at), 0) + 1 FROM definition WHERE server = ?1 AND tool = ?2";
    let met_at = now.max(count(after, &tool)?);
    let long = i64::try_from(met.text.len()).unwrap_or(i64::MAX);
    let fits = met.text.len() <= TEXT_MAX && kept.texts.saturating_add(long) <= TEXTS_MAX;
    let text = fits.then_some(met.text);
    if fits {
        kept.texts += long;
    }
    let accepted_at = (known == 0).then_some(now);
    connection
        .prepare_cached(
            "INSERT INTO definition (server, tool, digest, text, met_at, accepted_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (server, tool, digest) DO UPDATE SET met_at = excluded.met_at",
        )?
        .execute(params![
            server,
            met.tool,
            met.digest,
            text,
            met_at,
            accepted_at
        ])?;
    connection
        .prepare_cached(
            "DELETE FROM definition WHERE server = ?1 AND tool = ?2 AND accepted_at IS NULL AND id NOT IN
             (SELECT id FROM definition WHERE server = ?1 AND tool = ?2 AND accepted_at IS NULL
              ORDER BY met_at DESC LIMIT ?3)",
        )?
        .execute(params![server, met.tool, WAITING_MAX])?;
    Ok(())
}

fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
