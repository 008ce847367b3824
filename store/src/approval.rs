//! An approval as rows: what was asked is one that never changes, where it stands is another.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, named_params, params};
use sernixa_engine::audit::Receipt;
use sernixa_engine::{
    Approval, ApprovalId, Claim, ClientKind, Decided, Decision, Execution, Expiry, Resume, Status,
    Subject, TokenId,
};
use sernixa_protocol::RiskLevel;

use crate::error::{Result, unreadable};
use crate::query;
use crate::value::{Hash, Number, Time, column, limit, list, listed, number, time, time_of, word};

const INSERT: &str = "\
    INSERT INTO approvals (id, organisation, key, created_at, resume, status, execution, reason,
        decision, decision_reason, decided_by, decided_at, self_decided, expiry, claim_by,
        claim_id, claimed_at, claim_seq, claim_hash, attachment, policy_digest, seq, due,
        waiter_seen_at)
    VALUES (:id, :organisation, :key, :created_at, :resume, :status, :execution, :reason,
        :decision, :decision_reason, :decided_by, :decided_at, :self_decided, :expiry, :claim_by,
        :claim_id, :claimed_at, :claim_seq, :claim_hash, :attachment, :policy_digest, :seq, :due,
        :waiter_seen_at)";

const UPDATE: &str = "\
    UPDATE approvals SET status = :status, execution = :execution, reason = :reason,
        decision = :decision, decision_reason = :decision_reason, decided_by = :decided_by,
        decided_at = :decided_at, self_decided = :self_decided, expiry = :expiry,
        claim_by = :claim_by, claim_id = :claim_id, claimed_at = :claimed_at,
        claim_seq = :claim_seq, claim_hash = :claim_hash, attachment = :attachment,
        policy_digest = :policy_digest, seq = :seq, due = :due, waiter_seen_at = :waiter_seen_at
    WHERE id = :id";

const INSERT_SUBMISSION: &str = "\
    INSERT INTO submissions (approval, owner, agent_id, delegation_chain_id, delegation_token_id,
        delegation_depth, delegator_owners, signing_key_id, request_id, intent_id, action_id, risk,
        operation_class, data_sensitivity, systems, summary, metadata, body_hash, detached,
        fingerprint, claims, expires_at)
    VALUES (:approval, :owner, :agent_id, :delegation_chain_id, :delegation_token_id,
        :delegation_depth, :delegator_owners, :signing_key_id, :request_id, :intent_id, :action_id,
        :risk, :operation_class, :data_sensitivity, :systems, :summary, :metadata, :body_hash,
        :detached, :fingerprint, :claims, :expires_at)";

/// The columns that [`read`] reads, in its order, and where they come from.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.organisation, a.key, a.created_at, a.resume, a.status, a.execution, ",
            "a.reason, a.decision, a.decision_reason, a.decided_by, a.decided_at, ",
            "a.self_decided, a.expiry, a.claim_by, a.claim_id, a.claimed_at, a.claim_seq, ",
            "a.claim_hash, a.attachment, a.policy_digest, a.seq, a.due, ",
            "s.owner, s.agent_id, s.delegation_chain_id, s.delegation_token_id, ",
            "s.delegation_depth, s.delegator_owners, s.signing_key_id, s.request_id, ",
            "s.intent_id, s.action_id, s.risk, s.operation_class, s.data_sensitivity, ",
            "s.systems, s.summary, s.metadata, s.body_hash, s.detached, s.fingerprint, ",
            "s.claims, s.expires_at, a.waiter_seen_at ",
            "FROM approvals a JOIN submissions s ON s.approval = a.number ",
            $rest
        )
    };
}

/// The approval with this id.
pub(crate) const BY_ID: &str = select!("WHERE a.id = ?1");

/// What waits, oldest first: of an organisation, of one key.
pub(crate) const WAITING: &str = select!(
    "WHERE a.status = 'pending_review' AND a.organisation = ?1 \
     ORDER BY a.created_at, a.id LIMIT ?2"
);
/// See [`WAITING`].
pub(crate) const WAITING_BY_KEY: &str = select!(
    "WHERE a.status = 'pending_review' AND a.organisation = ?1 AND a.key = ?2 \
     ORDER BY a.created_at, a.id LIMIT ?3"
);

/// What was decided since, the last one first: of an organisation, of one key.
pub(crate) const DECIDED: &str = select!(
    "WHERE a.decided_at IS NOT NULL AND a.organisation = ?1 AND a.decided_at >= ?2 \
     ORDER BY a.decided_at DESC, a.id DESC LIMIT ?3"
);
/// See [`DECIDED`].
pub(crate) const DECIDED_BY_KEY: &str = select!(
    "WHERE a.decided_at IS NOT NULL AND a.organisation = ?1 AND a.key = ?2 \
     AND a.decided_at >= ?3 ORDER BY a.decided_at DESC, a.id DESC LIMIT ?4"
);

/// All, in the order of their ids, after one.
const AFTER: &str = select!("WHERE a.id > ?1 ORDER BY a.id LIMIT ?2");

/// The approvals after an id, in the order of ids.
pub(crate) fn after(
    connection: &Connection,
    after: Option<ApprovalId>,
    most: usize,
) -> Result<Vec<Approval>> {
    // No bytes at all come before every id.
    let after = after.as_ref().map_or(&[][..], |id| &id.0);
    query::all(connection, AFTER, params![after, limit(most)], read)
}

/// Keeps an approval: where it stands, and for a new one also what was asked.
pub(crate) fn put(connection: &Connection, approval: &Approval) -> Result<()> {
    let decided = approval.decided.as_deref();
    let claim = approval.claim.as_deref();
    let standing: [(&str, &dyn ToSql); 20] = [
        (":id", &approval.id.0),
        (":status", &approval.status.as_str()),
        (":execution", &approval.execution.as_str()),
        (":reason", &approval.reason),
        (
            ":decision",
            &decided.map(|decided| decided.decision.as_str()),
        ),
        (":decision_reason", &decided.map(|decided| &*decided.reason)),
        (":decided_by", &decided.map(|decided| &*decided.by)),
        (":decided_at", &time_of(decided.map(|decided| decided.at))?),
        (
            ":self_decided",
            &decided.map(|decided| decided.self_decided),
        ),
        (":expiry", &approval.expiry.map(Expiry::as_str)),
        (":claim_by", &time_of(approval.claim_by)?),
        (":claim_id", &claim.map(|claim| claim.id)),
        (":claimed_at", &time_of(claim.map(|claim| claim.at))?),
        (
            ":claim_seq",
            &claim.map(|claim| number(claim.receipt.seq)).transpose()?,
        ),
        (":claim_hash", &claim.map(|claim| Hash(claim.receipt.hash))),
        (":attachment", &approval.attachment),
        (":policy_digest", &Hash(approval.policy_digest)),
        (":seq", &number(approval.seq)?),
        (":due", &time_of(approval.due)?),
        (":waiter_seen_at", &time_of(approval.waiter_seen_at)?),
    ];
    if query::execute(connection, UPDATE, &standing[..])? > 0 {
        return Ok(());
    }
    let subject = &*approval.subject;
    let resume = match subject.resume {
        Resume::By(key) => Some(Hash(key)),
        Resume::Never | Resume::Detached => None,
    };
    let created_at = time(subject.created_at)?;
    let fixed: [(&str, &dyn ToSql); 4] = [
        (":organisation", &subject.organisation),
        (":key", &subject.key),
        (":created_at", &created_at),
        (":resume", &resume),
    ];
    let all: Vec<_> = standing.into_iter().chain(fixed).collect();
    query::execute(connection, INSERT, &*all)?;
    put_submission(connection, connection.last_insert_rowid(), subject)
}

fn put_submission(connection: &Connection, approval: i64, subject: &Subject) -> Result<()> {
    query::execute(
        connection,
        INSERT_SUBMISSION,
        named_params! {
            ":approval": approval,
            ":owner": subject.owner,
            ":agent_id": subject.agent_id,
            ":delegation_chain_id": subject.delegation_chain_id,
            ":delegation_token_id": subject.delegation_token_id.map(|id| id.0),
            ":delegation_depth": subject.delegation_depth,
            ":delegator_owners": list(&subject.delegator_owners)?,
            ":signing_key_id": subject.signing_key_id,
            ":request_id": subject.request_id,
            ":intent_id": subject.intent_id,
            ":action_id": subject.action_id,
            ":risk": subject.risk.as_str(),
            ":operation_class": subject.operation_class,
            ":data_sensitivity": subject.data_sensitivity,
            ":systems": list(&subject.systems)?,
            ":summary": subject.summary,
            ":metadata": subject.metadata,
            ":body_hash": Hash(subject.body_hash),
            ":detached": subject.resume == Resume::Detached,
            ":fingerprint": subject.fingerprint.map(Hash),
            ":claims": subject.client == ClientKind::Claims,
            ":expires_at": time(subject.expires_at)?,
        },
    )
    .map(|_| ())
}

/// The approval in a row of [`select`]'s columns.
pub(crate) fn read(row: &Row<'_>) -> Result<Approval> {
    Ok(Approval {
        id: ApprovalId(column(row, 0)?),
        subject: Arc::new(subject(row)?),
        status: word(row, 5, Status::parse)?,
        execution: word(row, 6, Execution::parse)?,
        reason: Cow::Owned(column(row, 7)?),
        decided: decided(row)?.map(Arc::new),
        expiry: maybe_word(row, 13, Expiry::parse)?,
        claim_by: maybe_time(row, 14)?,
        claim: claim(row)?.map(Arc::new),
        attachment: column(row, 19)?,
        waiter_seen_at: maybe_time(row, 44)?,
        policy_digest: column::<Hash>(row, 20)?.0,
        seq: column::<Number>(row, 21)?.0,
        due: maybe_time(row, 22)?,
    })
}

fn decided(row: &Row<'_>) -> Result<Option<Decided>> {
    let Some(decision) = maybe_word(row, 8, Decision::parse)? else {
        return Ok(None);
    };
    Ok(Some(Decided {
        decision,
        reason: column(row, 9)?,
        by: column(row, 10)?,
        at: column::<Time>(row, 11)?.0,
        self_decided: column(row, 12)?,
    }))
}

fn claim(row: &Row<'_>) -> Result<Option<Claim>> {
    let Some(id) = column(row, 15)? else {
        return Ok(None);
    };
    Ok(Some(Claim {
        id,
        at: column::<Time>(row, 16)?.0,
        receipt: Receipt {
            seq: column::<Number>(row, 17)?.0,
            hash: column::<Hash>(row, 18)?.0,
        },
    }))
}

fn subject(row: &Row<'_>) -> Result<Subject> {
    let resume = match (column::<Option<Hash>>(row, 4)?, column(row, 40)?) {
        (Some(Hash(key)), false) => Resume::By(key),
        (None, true) => Resume::Detached,
        (None, false) => Resume::Never,
        (Some(_), true) => return Err(unreadable()),
    };
    Ok(Subject {
        organisation: column(row, 1)?,
        key: column(row, 2)?,
        owner: column(row, 23)?,
        agent_id: column(row, 24)?,
        delegation_chain_id: column(row, 25)?,
        delegation_token_id: column::<Option<[u8; 16]>>(row, 26)?.map(TokenId),
        delegation_depth: column(row, 27)?,
        delegator_owners: listed(&column::<Box<str>>(row, 28)?)?,
        signing_key_id: column(row, 29)?,
        request_id: column(row, 30)?,
        intent_id: column(row, 31)?,
        action_id: column(row, 32)?,
        risk: word(row, 33, RiskLevel::parse)?,
        operation_class: column(row, 34)?,
        data_sensitivity: column(row, 35)?,
        systems: listed(&column::<Box<str>>(row, 36)?)?,
        summary: column(row, 37)?,
        metadata: column(row, 38)?,
        body_hash: column::<Hash>(row, 39)?.0,
        resume,
        fingerprint: column::<Option<Hash>>(row, 41)?.map(|Hash(digest)| digest),
        client: if column(row, 42)? {
            ClientKind::Claims
        } else {
            ClientKind::Unknown
        },
        created_at: column::<Time>(row, 3)?.0,
        expires_at: column::<Time>(row, 43)?.0,
    })
}

fn maybe_word<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    let text: Option<Box<str>> = column(row, at)?;
    text.map(|text| parse(&text).ok_or_else(unreadable))
        .transpose()
}

fn maybe_time(row: &Row<'_>, at: usize) -> Result<Option<sernixa_engine::Timestamp>> {
    Ok(column::<Option<Time>>(row, at)?.map(|Time(at)| at))
}
