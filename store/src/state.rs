//! The state as one transaction sees it: statements on the writing connection.

use std::sync::Arc;

use rusqlite::{Connection, Params, Row, params};
use sernixa_engine::audit::{Event, EventKind, Head, Receipt};
use sernixa_engine::{
    Answered, ApiKey, Approval, ApprovalId, DelegationToken, Digest, Memory, NonceKey, State,
    StoreError, StoredAnswer, Timestamp, TokenId,
};

use crate::error::{Result, unreadable};
use crate::value::{Hash, Number, Time, bound, column, limit, number, time, time_of};
use crate::{api_key, approval, events, query};

/// How many expired nonces go with each that is kept: more than one, so that a backlog shrinks,
/// and few, so that no call pays for all.
const FORGOTTEN_AT_ONCE: i64 = 4;

/// One transaction's view.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    /// The time of the last look at a nonce: what expired before it may be forgotten.
    now: Option<Timestamp>,
}

impl<'a> Transaction<'a> {
    /// On a connection whose transaction is open.
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            now: None,
        }
    }

    fn execute(&self, sql: &str, values: impl Params) -> Result<()> {
        query::execute(self.connection, sql, values).map(|_| ())
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        query::one(self.connection, sql, values, read)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        query::all(self.connection, sql, values, read)
    }
}

impl Transaction<'_> {
    /// Forgets some nonces that have expired. Mostly there are none: found by one look at an index,
    /// while a `DELETE` that looks for itself would build a table of what it finds each time.
    fn forget_nonces(&self, now: Timestamp) -> Result<()> {
        let sql = "SELECT organisation, signer, nonce FROM nonces
            WHERE until <= ?1 ORDER BY until LIMIT ?2";
        let values = params![bound(now.millis()), FORGOTTEN_AT_ONCE];
        let expired = self.all(sql, values, |row| {
            Ok(NonceKey {
                organisation: column(row, 0)?,
                signer: column(row, 1)?,
                nonce: column(row, 2)?,
            })
        })?;
        for key in expired {
            self.execute(
                "DELETE FROM nonces WHERE organisation = ?1 AND signer = ?2 AND nonce = ?3",
                params![key.organisation, key.signer, key.nonce],
            )?;
        }
        Ok(())
    }
}

impl State for Transaction<'_> {
    fn approval(&mut self, id: ApprovalId) -> Result<Option<Approval>> {
        self.one(approval::BY_ID, params![id.0], approval::read)
    }

    fn put_approval(&mut self, approval: &Approval) -> Result<()> {
        approval::put(self.connection, approval)
    }

    fn resumable(&mut self, key: &Digest) -> Result<Option<ApprovalId>> {
        // The number says which is the newest, also within one millisecond.
        let sql = "SELECT id FROM approvals WHERE resume = ?1 ORDER BY number DESC LIMIT 1";
        self.one(sql, params![Hash(*key)], |row| {
            column(row, 0).map(ApprovalId)
        })
    }

    fn pending(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        most: usize,
    ) -> Result<Vec<Approval>> {
        let most = limit(most);
        match key {
            None => self.all(
                approval::WAITING,
                params![organisation, most],
                approval::read,
            ),
            Some(key) => self.all(
                approval::WAITING_BY_KEY,
                params![organisation, key, most],
                approval::read,
            ),
        }
    }

    fn recent(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<Approval>> {
        let (since, most) = (bound(since.millis()), limit(most));
        let mut last = match key {
            None => self.all(
                approval::DECIDED,
                params![organisation, since, most],
                approval::read,
            ),
            Some(key) => self.all(
                approval::DECIDED_BY_KEY,
                params![organisation, key, since, most],
                approval::read,
            ),
        }?;
        last.reverse();
        Ok(last)
    }

    fn due(&mut self, now: Timestamp, most: usize) -> Result<Vec<ApprovalId>> {
        let sql = "SELECT id FROM approvals WHERE due IS NOT NULL AND due <= ?1
            ORDER BY due, id LIMIT ?2";
        self.all(sql, params![bound(now.millis()), limit(most)], |row| {
            column(row, 0).map(ApprovalId)
        })
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>> {
        let sql = "SELECT due FROM approvals WHERE due IS NOT NULL ORDER BY due LIMIT 1";
        self.one(sql, [], |row| Ok(column::<Time>(row, 0)?.0))
    }

    fn memory(&mut self, fingerprint: &Digest) -> Result<Option<Memory>> {
        let sql = "SELECT fingerprint, organisation, key, intent_id, action_id, approved_at
            FROM memories WHERE fingerprint = ?1";
        self.one(sql, params![Hash(*fingerprint)], memory)
    }

    fn memories(&mut self, organisation: &str) -> Result<Vec<Memory>> {
        let sql = "SELECT fingerprint, organisation, key, intent_id, action_id, approved_at
            FROM memories WHERE organisation = ?1 ORDER BY fingerprint";
        self.all(sql, params![organisation], memory)
    }

    fn put_memory(&mut self, memory: &Memory) -> Result<()> {
        let times: Vec<u64> = memory.approved_at.iter().map(|at| at.millis()).collect();
        let times = serde_json::to_string(&times)
            .map_err(|error| StoreError::new("a list could not be written").caused_by(error))?;
        self.execute(
            "INSERT OR REPLACE INTO memories
                (fingerprint, organisation, key, intent_id, action_id, approved_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Hash(memory.fingerprint),
                memory.organisation,
                memory.key,
                memory.intent_id,
                memory.action_id,
                times,
            ],
        )
    }

    fn remove_memory(&mut self, fingerprint: &Digest) -> Result<()> {
        let sql = "DELETE FROM memories WHERE fingerprint = ?1";
        self.execute(sql, params![Hash(*fingerprint)])
    }

    fn nonce(&mut self, key: &NonceKey, now: Timestamp) -> Result<Option<Answered>> {
        // Forgetting is a write, which a look must not cost: it waits for the next one.
        self.now = Some(now);
        let sql = "SELECT request, key, until, answer, approval_id, seq, hash, policy, attachment,
                expires_at, status, body
            FROM nonces WHERE organisation = ?1 AND signer = ?2 AND nonce = ?3 AND until > ?4";
        self.one(
            sql,
            params![key.organisation, key.signer, key.nonce, bound(now.millis())],
            answered,
        )
    }

    fn put_nonce(&mut self, key: &NonceKey, answered: &Answered) -> Result<()> {
        if let Some(now) = self.now {
            self.forget_nonces(now)?;
        }
        let columns = AnswerColumns::of(&answered.answer)?;
        self.execute(
            "INSERT OR REPLACE INTO nonces (organisation, signer, nonce, request, key, until,
                answer, approval_id, seq, hash, policy, attachment, expires_at, status, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                key.organisation,
                key.signer,
                key.nonce,
                Hash(answered.request),
                answered.key,
                time(answered.until)?,
                columns.answer,
                columns.approval_id,
                columns.seq,
                columns.hash,
                columns.policy,
                columns.attachment,
                columns.expires_at,
                columns.status,
                columns.body,
            ],
        )
    }

    fn has_claimed(&mut self, organisation: &str, key: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM claimers WHERE organisation = ?1 AND key = ?2";
        Ok(self
            .one(sql, params![organisation, key], |_| Ok(()))?
            .is_some())
    }

    fn mark_claimed(&mut self, organisation: &Arc<str>, key: &Arc<str>) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO claimers (organisation, key) VALUES (?1, ?2)";
        self.execute(sql, params![organisation, key])
    }

    fn token(&mut self, id: TokenId) -> Result<Option<DelegationToken>> {
        let sql = "SELECT id, organisation, parent, payload, signature, issued_at, expires_at,
                revoked_at
            FROM tokens WHERE id = ?1";
        self.one(sql, params![id.0], token)
    }

    fn put_token(&mut self, token: &DelegationToken) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO tokens
                (id, organisation, parent, payload, signature, issued_at, expires_at, revoked_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                token.id.0,
                token.organisation,
                token.parent.map(|id| id.0),
                token.payload,
                Hash(token.signature),
                time(token.issued_at)?,
                time(token.expires_at)?,
                time_of(token.revoked_at)?,
            ],
        )
    }

    fn tokens(&mut self, organisation: &str, most: usize) -> Result<Vec<DelegationToken>> {
        let sql = "SELECT id, organisation, parent, payload, signature, issued_at, expires_at,
                revoked_at
            FROM tokens WHERE organisation = ?1 ORDER BY issued_at DESC, id DESC LIMIT ?2";
        self.all(sql, params![organisation, limit(most)], token)
    }

    fn put_api_key(&mut self, key: &ApiKey) -> Result<()> {
        api_key::put(self.connection, key)
    }

    fn api_keys(&mut self, organisation: &str) -> Result<Vec<ApiKey>> {
        self.all(api_key::ALL, params![organisation], api_key::read)
    }

    fn last_event(&mut self, organisation: &str, kind: EventKind) -> Result<Option<Event>> {
        events::last(self.connection, organisation, kind)
    }

    fn head(&mut self, organisation: &str) -> Result<Head> {
        events::head(self.connection, organisation)
    }

    fn append(&mut self, organisation: &Arc<str>, event: Event) -> Result<()> {
        events::append(self.connection, organisation, &event)
    }
}

fn memory(row: &Row<'_>) -> Result<Memory> {
    let times: Box<str> = column(row, 5)?;
    let times: Vec<u64> =
        serde_json::from_str(&times).map_err(|error| unreadable().caused_by(error))?;
    Ok(Memory {
        fingerprint: column::<Hash>(row, 0)?.0,
        organisation: column(row, 1)?,
        key: column(row, 2)?,
        intent_id: column(row, 3)?,
        action_id: column(row, 4)?,
        approved_at: times.into_iter().map(Timestamp::from_millis).collect(),
    })
}

fn token(row: &Row<'_>) -> Result<DelegationToken> {
    Ok(DelegationToken {
        id: TokenId(column(row, 0)?),
        organisation: column(row, 1)?,
        parent: column::<Option<[u8; 16]>>(row, 2)?.map(TokenId),
        payload: column(row, 3)?,
        signature: column::<Hash>(row, 4)?.0,
        issued_at: column::<Time>(row, 5)?.0,
        expires_at: column::<Time>(row, 6)?.0,
        revoked_at: column::<Option<Time>>(row, 7)?.map(|Time(at)| at),
    })
}

/// A stored answer in columns; those that its kind does not have are empty.
#[derive(Default)]
struct AnswerColumns<'a> {
    answer: &'static str,
    approval_id: Option<[u8; 16]>,
    seq: Option<i64>,
    hash: Option<Hash>,
    policy: Option<Hash>,
    attachment: Option<u32>,
    expires_at: Option<i64>,
    status: Option<u16>,
    body: Option<&'a str>,
}

impl<'a> AnswerColumns<'a> {
    fn of(answer: &'a StoredAnswer) -> Result<Self> {
        Ok(match answer {
            StoredAnswer::Allowed {
                approval_id,
                receipt,
                policy,
            } => Self {
                answer: "allowed",
                approval_id: Some(approval_id.0),
                seq: Some(number(receipt.seq)?),
                hash: Some(Hash(receipt.hash)),
                policy: Some(Hash(*policy)),
                ..Self::default()
            },
            StoredAnswer::Pending {
                approval_id,
                attachment,
                expires_at,
                receipt,
            } => Self {
                answer: "pending",
                approval_id: Some(approval_id.0),
                seq: Some(number(receipt.seq)?),
                hash: Some(Hash(receipt.hash)),
                attachment: Some(*attachment),
                expires_at: Some(time(*expires_at)?),
                ..Self::default()
            },
            StoredAnswer::Step => Self {
                answer: "step",
                ..Self::default()
            },
            StoredAnswer::Refused { status, body } => Self {
                answer: "refused",
                status: Some(*status),
                body: Some(body),
                ..Self::default()
            },
        })
    }
}

fn answered(row: &Row<'_>) -> Result<Answered> {
    let receipt = || {
        Ok::<_, StoreError>(Receipt {
            seq: column::<Number>(row, 5)?.0,
            hash: column::<Hash>(row, 6)?.0,
        })
    };
    let kind: Box<str> = column(row, 3)?;
    let answer = match &*kind {
        "allowed" => StoredAnswer::Allowed {
            approval_id: ApprovalId(column(row, 4)?),
            receipt: receipt()?,
            policy: column::<Hash>(row, 7)?.0,
        },
        "pending" => StoredAnswer::Pending {
            approval_id: ApprovalId(column(row, 4)?),
            attachment: column(row, 8)?,
            expires_at: column::<Time>(row, 9)?.0,
            receipt: receipt()?,
        },
        "step" => StoredAnswer::Step,
        "refused" => StoredAnswer::Refused {
            status: column(row, 10)?,
            body: column(row, 11)?,
        },
        _ => return Err(unreadable()),
    };
    Ok(Answered {
        request: column::<Hash>(row, 0)?.0,
        key: column(row, 1)?,
        answer,
        until: column::<Time>(row, 2)?.0,
    })
}
