//! API keys as rows: of the key itself there is a hash only.

use rusqlite::{Connection, Row, params};
use sernixa_engine::{Agents, ApiKey, Digest, Role};

use crate::error::{Result, unreadable};
use crate::query;
use crate::value::{Hash, Time, column, list, listed, time, time_of};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation, hash, owner, roles, agents, delegated_only, created_at, ",
            "revoked_at FROM api_keys ",
            $rest
        )
    };
}

/// The keys of an organisation, in the order in which they were made.
pub(crate) const ALL: &str = select!("WHERE organisation = ?1 ORDER BY number");
const BY_HASH: &str = select!("WHERE hash = ?1");

/// Stands where a list of agents would, for a key that acts for all.
const ANY_AGENT: &str = "any";

/// Keeps a key: a new one, or one that was changed.
pub(crate) fn put(connection: &Connection, key: &ApiKey) -> Result<()> {
    let roles: Vec<_> = key.roles.iter().map(|role| role.as_str()).collect();
    let agents = match &key.agents {
        Agents::Any => ANY_AGENT.to_owned(),
        Agents::Only(agents) => list(agents)?,
    };
    query::execute(
        connection,
        "INSERT INTO api_keys (id, organisation, hash, owner, roles, agents, delegated_only,
                created_at, revoked_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            ON CONFLICT (id) DO UPDATE SET organisation = ?2, hash = ?3, owner = ?4, roles = ?5,
                agents = ?6, delegated_only = ?7, created_at = ?8, revoked_at = ?9",
        params![
            key.id,
            key.organisation,
            Hash(key.hash),
            key.owner,
            roles.join(" "),
            agents,
            key.delegated_only,
            time(key.created_at)?,
            time_of(key.revoked_at)?,
        ],
    )
    .map(|_| ())
}

/// The key with this hash.
pub(crate) fn by_hash(connection: &Connection, hash: &Digest) -> Result<Option<ApiKey>> {
    query::one(connection, BY_HASH, params![Hash(*hash)], read)
}

/// The key in a row.
pub(crate) fn read(row: &Row<'_>) -> Result<ApiKey> {
    let roles: Box<str> = column(row, 4)?;
    let roles: Option<Vec<_>> = roles.split_whitespace().map(Role::parse).collect();
    let agents: Box<str> = column(row, 5)?;
    Ok(ApiKey {
        id: column(row, 0)?,
        organisation: column(row, 1)?,
        hash: column::<Hash>(row, 2)?.0,
        owner: column(row, 3)?,
        roles: roles.ok_or_else(unreadable)?,
        agents: match &*agents {
            ANY_AGENT => Agents::Any,
            agents => Agents::Only(listed(agents)?.into()),
        },
        delegated_only: column(row, 6)?,
        created_at: column::<Time>(row, 7)?.0,
        revoked_at: column::<Option<Time>>(row, 8)?.map(|Time(at)| at),
    })
}
