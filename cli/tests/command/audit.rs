//! `sernixa audit` on files: what was done to a store or a bundle is found, without a service.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;
use sernixa_engine::audit::{AuditKey, genesis, link};
use sernixa_engine::{Agents, Decision, Engine, NewKey, Principal, Request, Role, Settings};
use sernixa_store::SqliteStore;

use crate::support::{Ask, House, Ran, moment, run, sernixa};

fn key() -> AuditKey {
    AuditKey::from_seed([7; 32])
}

/// Signs what stands in the house's file.
fn sign(house: &House) {
    let engine = Engine::builder()
        .store(SqliteStore::open(house.file()).unwrap())
        .audit_key(key())
        .settings(Settings::local())
        .build()
        .unwrap();
    assert_eq!(engine.checkpoint(&moment()).unwrap(), 1);
}

/// A house with a log: asked, approved, asked, rejected, signed, asked.
fn lived_in() -> House {
    let house = House::new();
    let first = house.ask(&Ask::default());
    house.decide(&first, Decision::Approve, "seen and fine");
    let second = house.ask(&Ask::default());
    house.decide(&second, Decision::Reject, "too much at once");
    sign(&house);
    house.ask(&Ask::default());
    house
}

/// A copy of the house's file with this done to it.
fn spoilt(house: &House, sql: &str) -> PathBuf {
    let copy = house.path().join("copy.db");
    let _ = fs::remove_file(&copy);
    let whole = Connection::open(house.file()).unwrap();
    whole
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
    copy
}

fn verify(file: &std::path::Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["audit", "verify", file.to_str().unwrap()];
    arguments.extend(more);
    run(&mut sernixa(&arguments)).safe()
}

#[test]
fn the_events_are_listed_and_found() {
    let house = lived_in();
    let listed = house.run(&["audit", "list", "--json"]).exits(0).json();
    let listed = listed.as_array().unwrap();
    let seqs: Vec<_> = listed
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [6, 5, 4, 3, 2, 1]);
    for name in ["created_at", "event_type", "decision", "request_id"] {
        assert!(listed[0].get(name).is_some(), "{name}");
    }
    let rejected = house.run(&["audit", "list", "--type", "approval_rejected"]);
    assert!(
        rejected.stdout.contains("approval_rejected"),
        "{rejected:?}"
    );
    assert!(!rejected.stdout.contains("approval_approved"));
    let after = house.run(&["audit", "list", "--after", "4", "--limit", "1", "--json"]);
    assert_eq!(after.json()[0]["seq"], 5);
    let none = house.run(&["audit", "list", "--type", "nothing"]).exits(0);
    assert_eq!(none.stdout, "No audit events.\n");
    let one = listed[0]["approval_id"].as_str().unwrap();
    let about = house.run(&["audit", "list", "--approval", one, "--json"]);
    assert_eq!(about.json().as_array().unwrap().len(), 1);
    let mine = house.run(&["audit", "list", "--user", "local", "--json"]);
    assert_eq!(mine.json().as_array().unwrap().len(), 5);
}

#[test]
fn a_head_that_was_kept_shows_a_cut_tail_and_nothing_else_does() {
    let house = lived_in();
    let head = house.run(&["audit", "head"]).exits(0).stdout;
    let head = head.trim_end();
    assert!(head.starts_with("6:") && head.len() == 66, "{head}");
    verify(&house.file(), &["--expect", head]).exits(0);
    let cut = spoilt(
        &house,
        "DELETE FROM events WHERE seq = 6;
         DELETE FROM approvals WHERE seq = 6",
    );
    let ran = verify(&cut, &["--expect", head]).exits(1);
    assert!(
        ran.stdout
            .contains("the log ends before the event of a receipt")
    );
    let ran = verify(&cut, &[]).exits(0);
    assert!(
        ran.stdout
            .contains("a tail that was cut off would not show")
    );
}

#[test]
fn whatever_is_done_to_the_file_is_found() {
    let house = lived_in();
    let ran = verify(&spoilt(&house, ""), &[]).exits(0);
    assert!(
        ran.stdout
            .starts_with("VALID · audit log of local · 6 events")
    );
    assert!(ran.stdout.contains("Approvals: 3 stand as the audit says"));
    let edits = [
        (
            "UPDATE events SET payload = replace(payload, 'high', 'low') WHERE seq = 1",
            "audit event 1",
        ),
        (
            "UPDATE events SET payload = payload || ' ' WHERE seq = 6",
            "audit event 6",
        ),
        (
            "UPDATE events SET hash = zeroblob(32) WHERE seq = 2",
            "audit event 2",
        ),
        (
            "UPDATE events SET kind = 'approval_approved' WHERE seq = 4",
            "audit event 4",
        ),
        (
            "UPDATE events SET approval_id = NULL WHERE seq = 4",
            "audit event 4",
        ),
        ("UPDATE events SET organisation = 'other'", "audit event 1"),
        ("DELETE FROM events WHERE seq = 1", "audit event 1"),
        ("DELETE FROM events WHERE seq = 5", "audit event 5"),
        (
            "UPDATE events SET seq = 99 WHERE seq = 2; UPDATE events SET seq = 2 WHERE seq = 3;
          UPDATE events SET seq = 3 WHERE seq = 99",
            "audit event 2",
        ),
        (
            "INSERT INTO events (organisation, seq, hash, kind, payload)
          SELECT organisation, 7, hash, kind, payload FROM events WHERE seq = 5",
            "audit event 7",
        ),
        // What the audit says does not let it run.
        (
            "UPDATE approvals SET status = 'approved' WHERE status = 'rejected'",
            "stands otherwise",
        ),
        (
            "UPDATE approvals SET status = 'pending_review', seq = 3, decision = NULL,
          decision_reason = NULL, decided_by = NULL, decided_at = NULL, self_decided = NULL
          WHERE status = 'rejected'",
            "a later audit event",
        ),
        (
            "UPDATE approvals SET decision_reason = 'please' WHERE status = 'rejected'",
            "decision",
        ),
        (
            "UPDATE submissions SET metadata = replace(metadata, '1250', '9950')",
            "what was hashed",
        ),
        ("UPDATE submissions SET risk = 'low'", "what was recorded"),
        (
            "UPDATE approvals SET execution = 'none', id = zeroblob(16) WHERE status = 'approved'",
            "no audit event",
        ),
        // What a reviewer reads is what was submitted.
        (
            "UPDATE submissions SET summary = 'look at the weather'",
            "what was recorded",
        ),
        (
            "UPDATE submissions SET systems = '[\"nothing\"]'",
            "what was recorded",
        ),
        (
            "UPDATE approvals SET reason = 'routine'",
            "what was recorded",
        ),
        // And an approval is used as long, as often and under the policies as it was given.
        (
            "UPDATE approvals SET claim_by = claim_by + 86400000 WHERE status = 'approved'",
            "how it may be used",
        ),
        (
            "UPDATE submissions SET expires_at = expires_at + 86400000",
            "how it may be used",
        ),
        (
            "UPDATE approvals SET attachment = attachment + 1",
            "how it may be used",
        ),
        (
            "UPDATE approvals SET policy_digest = zeroblob(32)",
            "how it may be used",
        ),
    ];
    for (sql, said) in edits {
        let ran = verify(&spoilt(&house, sql), &[]).exits(1);
        assert!(ran.stdout.contains(said), "{sql}: {ran:?}");
        let json = verify(&spoilt(&house, sql), &["--json"]).exits(1).json();
        assert_eq!(json["valid"], false);
    }
}

#[test]
fn an_api_key_that_nobody_made_is_found() {
    let house = lived_in();
    let admin = Principal::local();
    let asked = NewKey {
        owner: "ann".into(),
        roles: vec![Role::Agent],
        agents: Agents::Only(["worker".into()].into()),
        delegated_only: false,
    };
    let (key, _) = house.engine.create_key(&admin, &asked, &moment()).unwrap();
    house.engine.create_key(&admin, &asked, &moment()).unwrap();
    house.engine.revoke_key(&admin, &key.id, &moment()).unwrap();
    verify(&spoilt(&house, ""), &[]).exits(0);
    for (sql, said) in [
        (
            "UPDATE api_keys SET id = 'key_x' WHERE number = 1",
            "key_x: no audit event made it",
        ),
        (
            "UPDATE api_keys SET hash = zeroblob(32) WHERE number = 1",
            "are not those recorded",
        ),
        (
            "UPDATE api_keys SET roles = replace(roles, 'agent', 'admin')",
            "are not those recorded",
        ),
        (
            "UPDATE api_keys SET owner = 'bob'",
            "are not those recorded",
        ),
        ("UPDATE api_keys SET revoked_at = NULL", "it was revoked"),
    ] {
        let ran = verify(&spoilt(&house, sql), &[]).exits(1);
        assert!(ran.stdout.contains(said), "{sql}: {ran:?}");
        let json = verify(&spoilt(&house, sql), &["--json"]).exits(1).json();
        assert!(!json["api_keys"]["failures"].as_array().unwrap().is_empty());
    }
}

/// Writes the history anew, every hash made to fit, with `change` done to each payload; without
/// the events of `without`.
fn rewritten(house: &House, without: &str, change: impl Fn(String) -> String) -> PathBuf {
    let file = spoilt(
        house,
        &format!("DELETE FROM events WHERE kind = '{without}'"),
    );
    let store = Connection::open(&file).unwrap();
    store.execute("UPDATE events SET seq = -seq", []).unwrap();
    let events: Vec<(i64, String)> = store
        .prepare("SELECT seq, payload FROM events ORDER BY seq DESC")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut head = genesis("local");
    for (was, payload) in events {
        let payload = change(payload);
        head = link(&head, &payload);
        let seq = i64::try_from(head.seq).unwrap();
        let sql = "UPDATE events SET seq = ?1, hash = ?2, payload = ?3 WHERE seq = ?4";
        store
            .execute(sql, (seq, &head.hash.0[..], payload, was))
            .unwrap();
    }
    store
        .execute_batch(
            "UPDATE approvals SET seq = (SELECT max(seq) FROM events WHERE approval_id = id)",
        )
        .unwrap();
    file
}

#[test]
fn a_history_written_anew_is_found_by_who_knows_the_key() {
    let house = lived_in();
    let public = key().public().to_string();
    let ran = verify(&house.file(), &["--key", &public]).exits(0);
    assert!(ran.stdout.contains("Signed: to event 4 by auk_"), "{ran:?}");
    let same = |payload| payload;
    // Nothing but the checkpoint is gone: only who asks for one sees it.
    let forged = rewritten(&house, "audit_checkpoint", same);
    verify(&forged, &[]).exits(0);
    let ran = verify(&forged, &["--key", &public]).exits(1);
    assert!(
        ran.stdout.contains("no checkpoint signs the log"),
        "{ran:?}"
    );
    // With the checkpoint as it was, a changed history does not fit it.
    let forged = rewritten(&house, "", |payload: String| {
        payload.replace("too much at once", "too much at twice")
    });
    verify(&forged, &[]).exits(1);
    // Another's key.
    let other = AuditKey::from_seed([8; 32]).public().to_string();
    let ran = verify(&house.file(), &["--key", &other]).exits(1);
    assert!(ran.stdout.contains("a key that is not trusted"), "{ran:?}");
    verify(&house.file(), &["--key", &other, "--key", &public]).exits(0);
}

#[test]
fn an_exported_bundle_is_private_new_and_verifies_alone() {
    let house = lived_in();
    let file = house.path().join("evidence.json");
    let path = file.to_str().unwrap();
    let ran = house.run(&["audit", "export", "-o", path]).safe().exits(0);
    assert!(
        ran.stdout.starts_with("VALID · evidence bundle evb_"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("Limitation: It is not signed"),
        "{ran:?}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ran = house.run(&["audit", "export", "-o", path]).exits(2);
    assert!(ran.stderr.contains("--force"), "{ran:?}");
    let json = house
        .run(&["audit", "export", "-o", path, "--force", "--json"])
        .exits(0)
        .json();
    assert_eq!(json["events"], 6);
    let ran = verify(&file, &[]).exits(0);
    assert!(
        ran.stdout.contains("Warning: the bundle is not signed"),
        "{ran:?}"
    );
    verify(&file, &["--key", &key().public().to_string()]).exits(1);
    let head = house.run(&["audit", "head"]).stdout;
    verify(&file, &["--expect", head.trim_end()]).exits(0);
    verify(&file, &["--organisation", "other"]).exits(1);
    // One byte.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replacen("approval_rejected", "approval_rejectee", 1),
    )
    .unwrap();
    let json = verify(&file, &["--json"]).exits(1).json();
    assert_eq!(json["valid"], false);
}

#[test]
fn a_bundle_is_of_one_approval_or_of_a_time() {
    let house = lived_in();
    let listed = house
        .run(&["audit", "list", "--type", "approval_rejected", "--json"])
        .json();
    let id = listed[0]["approval_id"].as_str().unwrap();
    let exported = |name: &str, more: &[&str]| -> Value {
        let file = house.path().join(name);
        let mut arguments = vec!["audit", "export", "--output", file.to_str().unwrap()];
        arguments.extend(more);
        house.run(&arguments).exits(0);
        verify(&file, &[]).exits(0);
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap()
    };
    let bundle = exported("one.json", &["--approval", id]);
    assert_eq!(bundle["bundle_type"], "approval");
    assert_eq!(
        bundle["manifest"]["events"], 3,
        "its two, and the checkpoint"
    );
    let bundle = exported("time.json", &["--from", "2020-01-01", "--to", "2020-12-31"]);
    assert_eq!(bundle["manifest"]["events"], 0);
    let bundle = exported("some.json", &["--limit", "2"]);
    assert_eq!(bundle["manifest"]["events"], 2);
    for odd in [
        &["--from", "2020-01-01"][..],
        &["--approval", id, "--limit", "2"],
        &["--limit", "5001"],
        &["--from", "yesterday", "--to", "today"],
        &["--approval", "apr_00000000000000000000000000000000"],
    ] {
        let file = house.path().join("odd.json");
        let mut arguments = vec!["audit", "export", "-o", file.to_str().unwrap()];
        arguments.extend(odd);
        house.run(&arguments).exits(2);
        assert!(!file.exists());
    }
}

#[test]
fn what_cannot_be_verified_says_so() {
    let house = lived_in();
    let folder = house.path().to_str().unwrap();
    for arguments in [
        &["audit", "verify", "/nowhere/at.all"][..],
        &["audit", "verify", folder],
        &["audit", "verify", folder, "--expect", "6"],
        &["audit", "verify", folder, "--key", "00"],
    ] {
        let ran = run(&mut sernixa(arguments)).safe().exits(2);
        assert!(!ran.stderr.is_empty());
    }
    // A file that is neither is no bundle.
    for text in ["", "{}", "\u{1b}[2J"] {
        let file = house.path().join("odd");
        fs::write(&file, text).unwrap();
        let ran = verify(&file, &[]).exits(1);
        assert!(
            ran.stdout.starts_with("INVALID · evidence bundle"),
            "{ran:?}"
        );
    }
    let file = house.path().join("odd");
    fs::write(&file, b"\xff\xfe{}").unwrap();
    verify(&file, &[]).exits(1);
    // SQLite, but not ours.
    let file = house.path().join("other.db");
    Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    verify(&file, &[]).exits(2);
}

#[test]
fn a_store_of_several_organisations_is_verified_one_and_all() {
    let house = lived_in();
    let odd = Principal::new("ev\u{1b}[2Jil\nVALID", "k").with(Role::Agent);
    let body = Ask::default().body();
    let answer = house
        .engine
        .handle(&odd, Request::Submit { body: &body }, &moment());
    assert_eq!(answer.status, 202);
    let ran = verify(&house.file(), &[]).exits(0);
    assert_eq!(ran.stdout.matches("· audit log of").count(), 2, "{ran:?}");
    let head = house.run(&["audit", "head"]).stdout;
    let expect = ["--expect", head.trim_end()];
    let ran = verify(&house.file(), &expect).exits(2);
    assert!(ran.stderr.contains("--organisation"), "{ran:?}");
    verify(
        &house.file(),
        &[&expect[..], &["--organisation", "local"]].concat(),
    )
    .exits(0);
    verify(
        &house.file(),
        &[&expect[..], &["--organisation", "none"]].concat(),
    )
    .exits(1);
    // A log that is gone as a whole is as any cut tail: it takes a receipt or a key to miss it.
    let gone = spoilt(&house, "DELETE FROM events; DELETE FROM approvals");
    let ran = verify(&gone, &[]).exits(0);
    assert!(ran.stdout.contains("Nothing has been recorded"), "{ran:?}");
    let public = key().public().to_string();
    for more in [
        &expect[..],
        &["--key", &public],
        &["--key", &public, "--json"],
    ] {
        verify(&gone, more).exits(1);
    }
    // Its own option names the file, too.
    house.run(&["audit", "verify"]).exits(0);
}
