//! Promise 8, what happened can be proved, and what was done to the record shows: events are
//! changed, removed and reordered in the database, and `sernixa audit verify` finds it.

use std::path::Path;
use std::process::Output;

use rusqlite::Connection;

use crate::support::asked::{Asked, Waiting, unique};
use crate::support::house::{House, root_token};
use crate::support::serve::audit_verify;

/// A house in which something happened, its service ended.
fn lived_in() -> (House, Vec<Waiting>) {
    let house = House::production();
    let (agent, reviewer) = (
        house.key("agent", "ann", &[]),
        house.key("reviewer", "rita", &[]),
    );
    let admin = house.key("admin", "olga", &[]);
    let mut serve = house.serve();
    root_token(&serve.caller(&admin), "worker-agent");
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let waiting: Vec<_> = (0..5)
        .map(|round| agent.ask(&Asked::new("pay").with("round", round)))
        .collect();
    reviewer.approve(&waiting[0].id);
    agent.claim(&waiting[0], &unique()).expect(200);
    reviewer.decide(&waiting[1].id, "rejected").expect(200);
    assert!(serve.terminate().success());
    (house, waiting)
}

#[track_caller]
fn found(verified: &Output) {
    let said = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(
        verified.status.code(),
        Some(1),
        "{said}{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[track_caller]
fn valid(verified: &Output) {
    assert!(verified.status.success(), "{verified:?}");
}

/// A copy of the database with this done to it.
fn spoilt(house: &House, name: &str, sql: &str) -> std::path::PathBuf {
    let copy = house.path().join(name);
    let whole = Connection::open(house.store()).unwrap();
    whole
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    let changed = Connection::open(&copy).unwrap();
    changed.execute_batch(sql).unwrap();
    copy
}

fn verify(store: &Path) -> Output {
    audit_verify(store, &[])
}

#[test]
fn a_changed_removed_or_reordered_event_is_found() {
    let (house, _) = lived_in();
    valid(&verify(&house.store()));
    valid(&verify(&spoilt(&house, "untouched.db", "")));
    let edits = [
        (
            "a word of the text",
            "UPDATE events SET payload = replace(payload, 'rejected', 'approved') WHERE kind = 'approval_rejected'",
        ),
        (
            "one space more",
            "UPDATE events SET payload = payload || ' ' WHERE seq = 4",
        ),
        (
            "the kind beside the text",
            "UPDATE events SET kind = 'approval_approved' WHERE kind = 'approval_rejected'",
        ),
        (
            "the approval beside the text",
            "UPDATE events SET approval_id = zeroblob(16) WHERE kind = 'approval_rejected'",
        ),
        (
            "a hash",
            "UPDATE events SET hash = zeroblob(32) WHERE seq = 4",
        ),
        ("one removed", "DELETE FROM events WHERE seq = 4"),
        (
            "one removed, and the gap closed",
            "DELETE FROM events WHERE seq = 4; UPDATE events SET seq = -seq WHERE seq > 4; UPDATE events SET seq = -seq - 1 WHERE seq < 0",
        ),
        ("the first removed", "DELETE FROM events WHERE seq = 1"),
        (
            "two exchanged",
            "UPDATE events SET seq = 0 WHERE seq = 4; UPDATE events SET seq = 4 WHERE seq = 5; UPDATE events SET seq = 5 WHERE seq = 0",
        ),
        (
            "another organisation's",
            "UPDATE events SET organisation = 'other'",
        ),
        (
            "a role that was raised",
            "UPDATE api_keys SET roles = replace(roles, 'agent', 'admin') WHERE owner = 'ann'",
        ),
        (
            "a delegation that was broadened",
            "UPDATE tokens SET payload = replace(payload, '\"update\"', '\"delete\"')",
        ),
        (
            "an approval that no event knows of",
            "UPDATE approvals SET status = 'approved', decision = 'approved' WHERE status = 'rejected'",
        ),
    ];
    for (number, (what, sql)) in edits.into_iter().enumerate() {
        let store = spoilt(&house, &format!("spoilt-{number}.db"), sql);
        eprintln!("{what}");
        found(&verify(&store));
    }
}

#[test]
fn a_cut_tail_is_found_with_a_receipt_and_with_nothing_else() {
    let (house, waiting) = lived_in();
    let last = waiting.last().unwrap();
    valid(&audit_verify(&house.store(), &["--expect", &last.receipt]));
    let seq = last.receipt.split(':').next().unwrap();
    let cut = format!(
        "DELETE FROM events WHERE seq >= {seq};
         DELETE FROM submissions; DELETE FROM approvals; DELETE FROM memories; DELETE FROM nonces"
    );
    let cut = spoilt(&house, "cut.db", &cut);
    found(&audit_verify(&cut, &["--expect", &last.receipt]));
    // As the documentation says: the chain alone does not know its own end.
    valid(&verify(&cut));
    // A receipt of what is still there is no proof of what is not.
    valid(&audit_verify(&cut, &["--expect", &waiting[0].receipt]));
}
