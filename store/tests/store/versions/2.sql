PRAGMA user_version=2;
PRAGMA application_id=1397902936;
BEGIN TRANSACTION;
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
INSERT INTO "api_keys" VALUES(1,'key_1','acme',X'0101010101010101010101010101010101010101010101010101010101010101','rita','agent reviewer','["orchestrator"]',0,7,NULL);
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
, waiter_seen_at INTEGER) STRICT;
INSERT INTO "approvals" VALUES(1,X'86CC5452F325278560F790DD4066172F','acme','agent-key',1778000000000,NULL,'approved','claimed','the policy asks for a person','approved','seen by a test','rita',1778000000000,0,NULL,1778000600000,X'000102030405060708090A0B0C0D0E0F',1778000000000,3,X'7027E875B555C2B23350446F82ABB835A83DF11A7D62D9032E2AE14362E4435F',1,X'D147C25C8AF15A8CFEF0D7C441508B3176D0A349B5BCDD7691F5A1016CB7CA41',3,1778003600000,NULL);
INSERT INTO "approvals" VALUES(2,X'F7F0198953F7910B1892D7C37EDCB81D','acme','agent-key',1778000000000,NULL,'pending_review','none','the policy asks for a person',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,X'D147C25C8AF15A8CFEF0D7C441508B3176D0A349B5BCDD7691F5A1016CB7CA41',4,1778000900000,NULL);
INSERT INTO "approvals" VALUES(3,X'AA3A21088C7C86220BE8250C7BB28EAB','acme','agent-key',1778000000000,NULL,'auto_approved','none','the policy lets it proceed',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,X'D147C25C8AF15A8CFEF0D7C441508B3176D0A349B5BCDD7691F5A1016CB7CA41',5,NULL,NULL);
CREATE TABLE claimers (
    organisation TEXT NOT NULL,
    key          TEXT NOT NULL,
    PRIMARY KEY (organisation, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "claimers" VALUES('acme','agent-key');
CREATE TABLE events (
    organisation TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    kind         TEXT NOT NULL,
    approval_id  BLOB,
    payload      TEXT NOT NULL,
    PRIMARY KEY (organisation, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "events" VALUES('acme',1,X'6D4A4FEE0D27F686381C79944A2ACCD98FCDCBA4C945F80F6A0E0512246BE328','submission_pending_review',X'86CC5452F325278560F790DD4066172F','{"event_type":"submission_pending_review","created_at":"2026-05-05T16:53:20.000Z","approval_id":"apr_86cc5452f325278560f790dd4066172f","request_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","action_id":"pay-invoice","body_hash":"a6f8acd5ee6c616195f415ca2efd3dbea3883a8885cec6057e741b2773bc7d27","status":"pending_review","execution":"none","key":"agent-key","owner":"the agents'' team","intent_id":"billing","risk_level":"medium","operation_class":"update","data_sensitivity":"internal","systems_touched":["postgres"],"decision":"pending_review","reason":"the policy asks for a person","policy_digest":"d147c25c8af15a8cfef0d7c441508b3176d0a349b5bcdd7691f5a1016cb7ca41","expires_at":"2026-05-05T17:08:20.000Z"}');
INSERT INTO "events" VALUES('acme',2,X'E2E2AFA7EECF52A22377F48C8A25CFDA546E7CBA4F261213FC0F931C05EDE1C6','approval_approved',X'86CC5452F325278560F790DD4066172F','{"event_type":"approval_approved","created_at":"2026-05-05T16:53:20.000Z","approval_id":"apr_86cc5452f325278560f790dd4066172f","request_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","action_id":"pay-invoice","body_hash":"a6f8acd5ee6c616195f415ca2efd3dbea3883a8885cec6057e741b2773bc7d27","status":"approved","execution":"none","key":"reviewer-key","owner":"rita","decision":"approved","reason":"seen by a test","self_decided":false,"claim_by":"2026-05-05T17:03:20.000Z"}');
INSERT INTO "events" VALUES('acme',3,X'7027E875B555C2B23350446F82ABB835A83DF11A7D62D9032E2AE14362E4435F','approval_claimed',X'86CC5452F325278560F790DD4066172F','{"event_type":"approval_claimed","created_at":"2026-05-05T16:53:20.000Z","approval_id":"apr_86cc5452f325278560f790dd4066172f","request_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","action_id":"pay-invoice","body_hash":"a6f8acd5ee6c616195f415ca2efd3dbea3883a8885cec6057e741b2773bc7d27","status":"approved","execution":"claimed","key":"agent-key","owner":"the agents'' team","claim":"be45cb2605bf36bebde684841a28f0fd43c69850a3dce5fedba69928ee3a8991"}');
INSERT INTO "events" VALUES('acme',4,X'9351097744CFC86399C7E1D1892E0F9BE911B9B48F7F33BAE229ED39A750CA7A','submission_pending_review',X'F7F0198953F7910B1892D7C37EDCB81D','{"event_type":"submission_pending_review","created_at":"2026-05-05T16:53:20.000Z","approval_id":"apr_f7f0198953f7910b1892d7c37edcb81d","request_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","action_id":"pay-invoice","body_hash":"1077c88fb70a0e18b5701c17578409e94b42dd28c657f674162625b7ffcb8ec3","status":"pending_review","execution":"none","key":"agent-key","owner":"the agents'' team","intent_id":"billing","risk_level":"medium","operation_class":"update","data_sensitivity":"internal","systems_touched":["postgres"],"decision":"pending_review","reason":"the policy asks for a person","policy_digest":"d147c25c8af15a8cfef0d7c441508b3176d0a349b5bcdd7691f5a1016cb7ca41","expires_at":"2026-05-05T17:08:20.000Z"}');
INSERT INTO "events" VALUES('acme',5,X'55B4ED981A892C43B2A086235A8A7DF83C668A253A265CECE9B8D29578BA4469','submission_auto_approved',X'AA3A21088C7C86220BE8250C7BB28EAB','{"event_type":"submission_auto_approved","created_at":"2026-05-05T16:53:20.000Z","approval_id":"apr_aa3a21088c7c86220be8250c7bb28eab","request_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","action_id":"pay-invoice","body_hash":"cb67102b9a541ca87fed39dc4c735fd0aff91c6cd68fc27e36f3c4487888a62c","status":"auto_approved","execution":"none","key":"agent-key","owner":"the agents'' team","intent_id":"billing","risk_level":"low","operation_class":"read","data_sensitivity":"internal","systems_touched":["postgres"],"decision":"auto_approved","reason":"the policy lets it proceed","policy_digest":"d147c25c8af15a8cfef0d7c441508b3176d0a349b5bcdd7691f5a1016cb7ca41"}');
CREATE TABLE memories (
    fingerprint  BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    key          TEXT NOT NULL,
    intent_id    TEXT NOT NULL,
    action_id    TEXT NOT NULL,
    approved_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "memories" VALUES(X'834D45C504701640E1769AD22AFCEE85852DC01D9E6C7265A334F7AFADAADE62','acme','agent-key','billing','pay-invoice','[1778000000000]');
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
INSERT INTO "nonces" VALUES('acme','key:agent-key',X'01010101010101010101010101010101',X'EB5D8062EE80E9DD6AC2E3463495651257596F54219E82A12DAFB4FA06A69D2A','agent-key',1778000600001,'pending',X'86CC5452F325278560F790DD4066172F',1,X'6D4A4FEE0D27F686381C79944A2ACCD98FCDCBA4C945F80F6A0E0512246BE328',NULL,1,1778000900000,NULL,NULL);
INSERT INTO "nonces" VALUES('acme','key:agent-key',X'02020202020202020202020202020202',X'2145F908C8093D9F570568C62604A4F4B30A3B8196C7A55B88BB3F255E830988','agent-key',1778000600001,'pending',X'F7F0198953F7910B1892D7C37EDCB81D',4,X'9351097744CFC86399C7E1D1892E0F9BE911B9B48F7F33BAE229ED39A750CA7A',NULL,1,1778000900000,NULL,NULL);
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
INSERT INTO "submissions" VALUES(1,'the agents'' team',NULL,NULL,NULL,0,'[]',NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','billing','pay-invoice','medium','update','internal','["postgres"]',NULL,'{"arguments_digest":"hmac-sha256:0101010101010101010101010101010101010101010101010101010101010101","data_sensitivity":"internal","function":"pay_invoice","module":"billing","note":"é   1.0","operation_class":"update","policy_surface":"rust_sdk","risk_level":"medium","systems_touched":["postgres"]}',X'A6F8ACD5EE6C616195F415CA2EFD3DBEA3883A8885CEC6057E741B2773BC7D27',0,X'834D45C504701640E1769AD22AFCEE85852DC01D9E6C7265A334F7AFADAADE62',1,1778000900000);
INSERT INTO "submissions" VALUES(2,'the agents'' team',NULL,NULL,NULL,0,'[]',NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','billing','pay-invoice','medium','update','internal','["postgres"]',NULL,'{"arguments_digest":"hmac-sha256:0202020202020202020202020202020202020202020202020202020202020202","data_sensitivity":"internal","function":"pay_invoice","module":"billing","note":"é   1.0","operation_class":"update","policy_surface":"rust_sdk","risk_level":"medium","systems_touched":["postgres"]}',X'1077C88FB70A0E18B5701C17578409E94B42DD28C657F674162625B7FFCB8EC3',0,X'9D659C24F8B63140D6C3934C9AAD78400FEA904FB5610C75D5A40EE16495E472',1,1778000900000);
INSERT INTO "submissions" VALUES(3,'the agents'' team',NULL,NULL,NULL,0,'[]',NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','billing','pay-invoice','low','read','internal','["postgres"]',NULL,'{"data_sensitivity":"internal","function":"pay_invoice","module":"billing","operation_class":"read","policy_surface":"rust_sdk","risk_level":"low","systems_touched":["postgres"]}',X'CB67102B9A541CA87FED39DC4C735FD0AFF91C6CD68FC27E36F3C4487888A62C',0,NULL,1,1778000900000);
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
INSERT INTO "tokens" VALUES(X'02020202020202020202020202020202','acme',NULL,'{}',X'0303030303030303030303030303030303030303030303030303030303030303',7,8,NULL);
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
CREATE INDEX memories_by_organisation ON memories (organisation);
CREATE INDEX nonces_until ON nonces (until);
CREATE INDEX tokens_by_age ON tokens (organisation, issued_at, id);
CREATE INDEX api_keys_by_organisation ON api_keys (organisation);
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
COMMIT;
