-- Approvals: what changes, and what they are searched by.
CREATE TABLE approvals (
    number          INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    organisation    TEXT NOT NULL,
    key             TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    resume          BLOB,
    status          TEXT NOT NULL,
    execution       TEXT NOT NULL,
    reason          TEXT NOT NULL,
    decision        TEXT,
    decision_reason TEXT,
    decided_by      TEXT,
    decided_at      INTEGER,
    self_decided    INTEGER,
    expiry          TEXT,
    claim_by        INTEGER,
    claim_id        BLOB,
    claimed_at      INTEGER,
    claim_seq       INTEGER,
    claim_hash      BLOB,
    attachment      INTEGER NOT NULL,
    policy_digest   BLOB NOT NULL,
    seq             INTEGER NOT NULL,
    due             INTEGER
) STRICT;

CREATE INDEX approvals_waiting ON approvals (organisation, created_at, id)
    WHERE status = 'pending_review';
CREATE INDEX approvals_waiting_by_key ON approvals (organisation, key, created_at, id)
    WHERE status = 'pending_review';
CREATE INDEX approvals_decided ON approvals (organisation, decided_at, id)
    WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_decided_by_key ON approvals (organisation, key, decided_at, id)
    WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_due ON approvals (due, id) WHERE due IS NOT NULL;
CREATE INDEX approvals_resume ON approvals (resume) WHERE resume IS NOT NULL;

-- What was asked: written once with its approval, and never changed.
CREATE TABLE submissions (
    approval            INTEGER PRIMARY KEY,
    owner               TEXT NOT NULL,
    agent_id            TEXT,
    delegation_chain_id TEXT,
    delegation_token_id BLOB,
    delegation_depth    INTEGER NOT NULL,
    delegator_owners    TEXT NOT NULL,
    signing_key_id      TEXT,
    request_id          TEXT,
    intent_id           TEXT NOT NULL,
    action_id           TEXT NOT NULL,
    risk                TEXT NOT NULL,
    operation_class     TEXT NOT NULL,
    data_sensitivity    TEXT NOT NULL,
    systems             TEXT NOT NULL,
    summary             TEXT,
    metadata            TEXT NOT NULL,
    body_hash           BLOB NOT NULL,
    detached            INTEGER NOT NULL,
    fingerprint         BLOB,
    claims              INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL
) STRICT;

-- Remembered approvals.
CREATE TABLE memories (
    fingerprint  BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    key          TEXT NOT NULL,
    intent_id    TEXT NOT NULL,
    action_id    TEXT NOT NULL,
    approved_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX memories_by_organisation ON memories (organisation);

-- What was answered to a nonce: exactly one of the three groups of columns says what.
CREATE TABLE nonces (
    organisation TEXT NOT NULL,
    signer       TEXT NOT NULL,
    nonce        BLOB NOT NULL,
    request      BLOB NOT NULL,
    key          TEXT NOT NULL,
    until        INTEGER NOT NULL,
    answer       TEXT NOT NULL,
    approval_id  BLOB,
    seq          INTEGER,
    hash         BLOB,
    policy       BLOB,
    attachment   INTEGER,
    expires_at   INTEGER,
    status       INTEGER,
    body         TEXT,
    PRIMARY KEY (organisation, signer, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonces_until ON nonces (until);

-- Keys that have claimed.
CREATE TABLE claimers (
    organisation TEXT NOT NULL,
    key          TEXT NOT NULL,
    PRIMARY KEY (organisation, key)
) STRICT, WITHOUT ROWID;

-- Delegation tokens.
CREATE TABLE tokens (
    id           BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    parent       BLOB,
    payload      TEXT NOT NULL,
    signature    BLOB NOT NULL,
    issued_at    INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_age ON tokens (organisation, issued_at, id);

-- API keys: of the key itself there is a hash only.
CREATE TABLE api_keys (
    number         INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    organisation   TEXT NOT NULL,
    hash           BLOB NOT NULL UNIQUE,
    owner          TEXT NOT NULL,
    roles          TEXT NOT NULL,
    agents         TEXT NOT NULL,
    delegated_only INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    revoked_at     INTEGER
) STRICT;

CREATE INDEX api_keys_by_organisation ON api_keys (organisation);

-- The audit chains. `payload` is the exact text that was hashed.
CREATE TABLE events (
    organisation TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    kind         TEXT NOT NULL,
    approval_id  BLOB,
    payload      TEXT NOT NULL,
    PRIMARY KEY (organisation, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_kind ON events (organisation, kind, seq);
CREATE INDEX events_by_approval ON events (organisation, approval_id, seq)
    WHERE approval_id IS NOT NULL;
CREATE INDEX events_by_request
    ON events (organisation, json_extract(payload, '$.request_id'), seq)
    WHERE json_extract(payload, '$.request_id') IS NOT NULL;
CREATE INDEX events_by_owner
    ON events (organisation, json_extract(payload, '$.owner'), seq)
    WHERE json_extract(payload, '$.owner') IS NOT NULL;
CREATE INDEX events_by_time
    ON events (organisation, json_extract(payload, '$.created_at'));
