//! Audit events: written once, read by number, by kind, by approval, and by what their text says.

use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, params};
use sernixa_engine::audit::{Event, EventFilter, EventKind, Head, genesis};
use sernixa_engine::{ApprovalId, StoreError};

use crate::error::Result;
use crate::query;
use crate::value::{Hash, Number, bound, column, limit, number, word};

const INSERT: &str = "\
    INSERT INTO events (organisation, seq, hash, kind, approval_id, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const HEAD: &str = "SELECT seq, hash FROM events WHERE organisation = ?1 ORDER BY seq DESC LIMIT 1";

const PAGE: &str = "\
    SELECT seq, hash, payload, kind, approval_id FROM events
    WHERE organisation = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

const LAST_OF_KIND: &str = "\
    SELECT seq, hash, payload, kind, approval_id FROM events INDEXED BY events_by_kind
    WHERE organisation = ?1 AND kind = ?2 ORDER BY seq DESC LIMIT 1";

/// One after the other by the index: a `DISTINCT` would read all of it.
const ORGANISATIONS: &str = "\
    WITH RECURSIVE names (name) AS (
        SELECT min(organisation) FROM events
        UNION ALL
        SELECT (SELECT min(organisation) FROM events WHERE organisation > name)
        FROM names WHERE name IS NOT NULL)
    SELECT name FROM names WHERE name IS NOT NULL";

/// The end of an organisation's chain.
pub(crate) fn head(connection: &Connection, organisation: &str) -> Result<Head> {
    let head = query::one(connection, HEAD, params![organisation], |row| {
        Ok(Head {
            seq: column::<Number>(row, 0)?.0,
            hash: column::<Hash>(row, 1)?.0,
        })
    })?;
    Ok(head.unwrap_or_else(|| genesis(organisation)))
}

/// Appends the next event of a chain, and no other.
pub(crate) fn append(connection: &Connection, organisation: &str, event: &Event) -> Result<()> {
    if head(connection, organisation)?.seq.checked_add(1) != Some(event.seq) {
        return Err(StoreError::new(
            "the audit event is not the next one of its chain",
        ));
    }
    query::execute(
        connection,
        INSERT,
        params![
            organisation,
            number(event.seq)?,
            Hash(event.hash),
            event.kind.as_str(),
            event.approval_id.map(|id| id.0),
            event.payload,
        ],
    )
    .map(|_| ())
}

/// The events after a number.
pub(crate) fn page(
    connection: &Connection,
    organisation: &str,
    after: u64,
    most: usize,
) -> Result<Vec<Event>> {
    query::all(
        connection,
        PAGE,
        params![organisation, bound(after), limit(most)],
        read,
    )
}

/// The last event of a kind.
pub(crate) fn last(
    connection: &Connection,
    organisation: &str,
    kind: EventKind,
) -> Result<Option<Event>> {
    query::one(
        connection,
        LAST_OF_KIND,
        params![organisation, kind.as_str()],
        read,
    )
}

/// The events that a filter lets through, the newest first. The database narrows them down by an
/// index; the filter itself decides, so that every store finds the same.
pub(crate) fn find(
    connection: &Connection,
    organisation: &str,
    filter: &EventFilter<'_>,
    most: usize,
) -> Result<Vec<Event>> {
    let approval = filter.approval_id.map(|id| id.0);
    let kind = filter.kind.map(EventKind::as_str);
    let from = filter.from.map(|at| at.to_string());
    let to = filter.to.map(|at| at.to_string());
    // Left to itself SQLite walks the whole chain, since that is in the order that is asked for. A
    // time is left to it: a wide one would be sorted as a whole before its newest events are known.
    let index = match filter {
        EventFilter {
            approval_id: Some(_),
            ..
        } => "INDEXED BY events_by_approval",
        EventFilter {
            request_id: Some(_),
            ..
        } => "INDEXED BY events_by_request",
        EventFilter { owner: Some(_), .. } => "INDEXED BY events_by_owner",
        EventFilter { kind: Some(_), .. } => "INDEXED BY events_by_kind",
        _ => "",
    };
    let mut sql = format!(
        "SELECT seq, hash, payload, kind, approval_id FROM events {index} \
         WHERE organisation = :organisation"
    );
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":organisation", &organisation)];
    if let Some(approval) = &approval {
        sql.push_str(" AND approval_id = :approval");
        values.push((":approval", approval));
    }
    if let Some(kind) = &kind {
        sql.push_str(" AND kind = :kind");
        values.push((":kind", kind));
    }
    if let Some(request) = &filter.request_id {
        sql.push_str(" AND json_extract(payload, '$.request_id') = :request");
        values.push((":request", request));
    }
    if let Some(owner) = &filter.owner {
        sql.push_str(" AND json_extract(payload, '$.owner') = :owner");
        values.push((":owner", owner));
    }
    if let Some(from) = &from {
        sql.push_str(" AND json_extract(payload, '$.created_at') >= :from");
        values.push((":from", from));
    }
    if let Some(to) = &to {
        sql.push_str(" AND json_extract(payload, '$.created_at') < :to");
        values.push((":to", to));
    }
    sql.push_str(" ORDER BY seq DESC");
    query::some(connection, &sql, &*values, most, |row| {
        let event = read(row)?;
        Ok(filter.fits(&event).then_some(event))
    })
}

/// Every organisation that has a chain, in the order of their names.
pub(crate) fn organisations(connection: &Connection) -> Result<Vec<Arc<str>>> {
    query::all(connection, ORGANISATIONS, [], |row| column(row, 0))
}

fn read(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        seq: column::<Number>(row, 0)?.0,
        hash: column::<Hash>(row, 1)?.0,
        payload: column(row, 2)?,
        kind: word(row, 3, EventKind::parse)?,
        approval_id: column::<Option<[u8; 16]>>(row, 4)?.map(ApprovalId),
    })
}
