//! Promise 8, as far as a chain without signatures goes: what happened can be proved.

use proptest::prelude::*;
use sernixa_engine::audit::{Event, EventKind, FaultKind, Receipt, genesis, link, verify};
use sernixa_engine::{
    AuditQuery, Digest, Engine, Keep, MemoryStore, Principal, Request, Role, Word,
};

use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

fn auditor() -> Principal {
    Principal::new("acme", "auditor-key").with(Role::Auditor)
}

/// A log with something of most kinds in it.
fn a_log() -> (Bench, Vec<Event>) {
    let bench = Bench::service();
    bench.submit(&agent(), &Draft::read().body());
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    bench.claim(&agent(), &waiting, CLAIM);
    bench.submit(
        &agent(),
        &Draft::read().meta("k", "AKIAIOSFODNN7EXAMPLE").body(),
    );
    let rejected = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.reject(&reviewer(), &rejected.id);
    let events = bench.engine.audit(&auditor(), 0, 100).unwrap();
    assert_eq!(events.len(), 7);
    (bench, events)
}

fn fault(events: &[Event], expected: &[Receipt]) -> Option<FaultKind> {
    verify("acme", genesis("acme"), events, expected)
        .fault
        .map(|fault| fault.kind)
}

#[test]
fn the_chain_is_the_one_that_the_design_writes_down() {
    let (_, events) = a_log();
    let first = &events[0];
    // Computed by hand from the formula, with another SHA-256 interface.
    let genesis = Digest::of(b"sernixa.audit.genesis.v1\0acme");
    let mut text = b"sernixa.audit.event.v1\0".to_vec();
    text.extend(genesis.0);
    text.extend(1_u64.to_be_bytes());
    text.extend(Digest::of(first.payload.as_bytes()).0);
    assert_eq!(first.hash, Digest::of(&text));
    assert_eq!(first.seq, 1);
}

#[test]
fn every_answer_that_lets_or_waits_has_its_event_under_its_receipt() {
    let bench = Bench::service();
    for draft in [Draft::read(), Draft::high()] {
        let answer = bench.submit(&agent(), &draft.body());
        let receipt = &answer.body["receipt"];
        let seq = receipt["seq"].as_u64().unwrap();
        let event = &bench.engine.audit(&auditor(), seq - 1, 1).unwrap()[0];
        assert_eq!(event.hash.to_string(), receipt["hash"].as_str().unwrap());
        assert_eq!(event.approval_id.unwrap().to_string(), answer.id());
        let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        assert_eq!(payload["approval_id"], answer.id());
        assert_eq!(payload["body_hash"], answer.body["body_hash"]);
    }
}

#[test]
fn an_untouched_log_verifies_with_every_receipt() {
    let (bench, events) = a_log();
    let receipts: Vec<Receipt> = events.iter().map(Event::receipt).collect();
    let report = verify("acme", genesis("acme"), &events, &receipts);
    assert!(report.is_valid(), "{report:?}");
    assert_eq!((report.events, report.head), (7, *receipts.last().unwrap()));
    assert!(
        bench
            .engine
            .verify_audit(&auditor(), &receipts)
            .unwrap()
            .is_valid()
    );
    let refused = bench.engine.verify_audit(&agent(), &[]).unwrap_err();
    assert_eq!(refused.word(), Word::Forbidden);
    assert_eq!(
        bench.engine.audit(&agent(), 0, 1).unwrap_err().word(),
        Word::Forbidden
    );
}

#[test]
fn a_changed_event_is_found_also_when_its_own_hash_is_made_to_fit() {
    let (_, events) = a_log();
    for at in 0..events.len() {
        let mut changed = events.clone();
        changed[at].payload = changed[at]
            .payload
            .replacen("acme", "acne", 1)
            .replacen("agent-key", "other-key", 1)
            .into();
        if changed[at].payload == events[at].payload {
            changed[at].payload = changed[at].payload.replacen("rita", "rota", 1).into();
        }
        assert_ne!(changed[at].payload, events[at].payload);
        assert_eq!(
            fault(&changed, &[]),
            Some(FaultKind::HashMismatch),
            "event {at}"
        );
        // The forger recomputes this one hash: the next link breaks, or at the tail the receipt.
        let before = if at == 0 {
            genesis("acme")
        } else {
            events[at - 1].receipt()
        };
        changed[at].hash = link(&before, &changed[at].payload).hash;
        let found = fault(&changed, &[events[events.len() - 1].receipt()]);
        let last = at == events.len() - 1;
        let expected = if last {
            FaultKind::ReceiptMismatch
        } else {
            FaultKind::HashMismatch
        };
        assert_eq!(found, Some(expected), "event {at}");
    }
}

#[test]
fn removed_added_and_moved_events_are_found() {
    let (_, events) = a_log();
    for at in 0..events.len() - 1 {
        let mut removed = events.clone();
        removed.remove(at);
        assert_eq!(fault(&removed, &[]), Some(FaultKind::OutOfOrder));
        let mut moved = events.clone();
        moved.swap(at, at + 1);
        assert_eq!(fault(&moved, &[]), Some(FaultKind::OutOfOrder));
        let mut doubled = events.clone();
        doubled.insert(at, events[at].clone());
        assert_eq!(fault(&doubled, &[]), Some(FaultKind::OutOfOrder));
        // Renumbered, so that no gap shows.
        let mut renumbered = events.clone();
        renumbered.remove(at);
        for (event, seq) in renumbered.iter_mut().zip(1..) {
            event.seq = seq;
        }
        assert_eq!(fault(&renumbered, &[]), Some(FaultKind::HashMismatch));
    }
}

#[test]
fn a_cut_tail_is_found_by_a_receipt_and_by_nothing_else() {
    let (_, events) = a_log();
    let last = events.last().unwrap().receipt();
    for cut in 0..events.len() {
        assert_eq!(fault(&events[..cut], &[]), None);
        assert_eq!(fault(&events[..cut], &[last]), Some(FaultKind::Missing));
    }
}

#[test]
fn a_whole_new_history_is_found_by_a_receipt_and_by_nothing_else() {
    let (_, events) = a_log();
    let mut head = genesis("acme");
    let mut forged = events.clone();
    for event in &mut forged {
        event.payload = event.payload.replace("rita", "rota").into();
        head = link(&head, &event.payload);
        event.hash = head.hash;
    }
    assert_eq!(fault(&forged, &[]), None);
    assert_eq!(
        fault(&forged, &[events[6].receipt()]),
        Some(FaultKind::ReceiptMismatch)
    );
    assert_eq!(
        verify("other", genesis("other"), &events, &[])
            .fault
            .unwrap()
            .kind,
        FaultKind::HashMismatch,
        "one organisation's log is not another's"
    );
}

#[test]
fn a_column_that_differs_from_its_text_is_found() {
    let (_, events) = a_log();
    let mut changed = events.clone();
    changed[2].kind = EventKind::Rejected;
    assert_eq!(fault(&changed, &[]), Some(FaultKind::CopyMismatch));
    let mut changed = events;
    changed[2].approval_id = None;
    assert_eq!(fault(&changed, &[]), Some(FaultKind::CopyMismatch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_changed_byte_goes_unseen(at in 0..7_usize, place in any::<usize>(), bit in 0..8_u8) {
        let (_, mut events) = a_log();
        let mut bytes = events[at].payload.as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            events[at].payload = text.into();
            prop_assert_eq!(fault(&events, &[]), Some(FaultKind::HashMismatch));
        }
    }
}

#[test]
fn each_organisation_has_a_chain_of_its_own() {
    let bench = Bench::service();
    let other = Principal::new("other", "k")
        .with(Role::Agent)
        .with(Role::Auditor);
    for caller in [&agent(), &other, &agent(), &other] {
        bench.submit(caller, &Draft::read().body());
    }
    for caller in [&auditor(), &other] {
        let report = bench.engine.verify_audit(caller, &[]).unwrap();
        assert!(report.is_valid());
        assert_eq!(report.events, 2);
    }
}

#[test]
fn a_log_that_drops_its_oldest_events_still_verifies_from_there_on() {
    let keep = Keep {
        audit_events: 3,
        ..Keep::default()
    };
    let engine = Engine::builder()
        .store(MemoryStore::keeping(keep))
        .build()
        .unwrap();
    let bench = Bench::new(engine);
    let first = bench.submit(&agent(), &Draft::read().body());
    for _ in 0..9 {
        bench.submit(&agent(), &Draft::read().body());
    }
    let events = bench.engine.audit(&auditor(), 0, 100).unwrap();
    assert_eq!(
        events.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [8, 9, 10]
    );
    let last = events[2].receipt();
    assert!(
        bench
            .engine
            .verify_audit(&auditor(), &[last])
            .unwrap()
            .is_valid()
    );
    // What was dropped cannot be shown any more, and that is said.
    let hash = Digest::parse(first.body["receipt"]["hash"].as_str().unwrap()).unwrap();
    let report = bench
        .engine
        .verify_audit(&auditor(), &[Receipt { seq: 1, hash }])
        .unwrap();
    assert_eq!(report.fault.unwrap().kind, FaultKind::Missing);
}

#[test]
fn events_hold_neither_claim_tokens_nor_claim_ids_nor_metadata() {
    let bench = Bench::service();
    let body = Draft::high().meta("marker", "m4rk3r").body();
    let waiting = bench.submit(&agent(), &body).waiting();
    bench.approve(&reviewer(), &waiting.id);
    bench.claim(&agent(), &waiting, CLAIM);
    for event in bench.engine.audit(&auditor(), 0, 100).unwrap() {
        for secret in [&*waiting.token, CLAIM, "m4rk3r"] {
            assert!(!event.payload.contains(secret), "{}", event.payload);
        }
    }
}

#[test]
fn the_list_is_found_by_what_its_events_say() {
    let bench = Bench::service();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    for seed in *b"bcd" {
        let id = char::from(seed).to_string().repeat(32);
        bench.submit(&agent(), &Draft::read().top("request_id", id).body());
    }
    let list = |query| {
        let answer = bench.handle(&auditor(), Request::AuditEvents(query));
        assert_eq!(answer.status, 200, "{}", answer.body);
        // A bare array, as both clients want it.
        let events = answer.body.as_array().unwrap();
        events
            .iter()
            .map(|event| event["seq"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let all = AuditQuery::default();
    assert_eq!(list(all), [5, 4, 3, 2, 1]);
    assert_eq!(list(AuditQuery { limit: 2, ..all }), [5, 4]);
    let request = "c".repeat(32);
    let by = |name: &'static str, value| match name {
        "request_id" => list(AuditQuery {
            request_id: value,
            ..all
        }),
        "event_type" => list(AuditQuery {
            event_type: value,
            ..all
        }),
        "user_sub" => list(AuditQuery {
            user_sub: value,
            ..all
        }),
        _ => list(AuditQuery {
            approval_id: value,
            ..all
        }),
    };
    assert_eq!(by("request_id", Some(&*request)), [4]);
    assert_eq!(by("event_type", Some("approval_approved")), [2]);
    assert_eq!(by("user_sub", Some("rita")), [2]);
    assert_eq!(by("approval_id", Some(&*waiting.id)), [2, 1]);
    for name in ["request_id", "event_type", "user_sub", "approval_id"] {
        // An empty parameter asks for nothing (PROTOCOL 4); what is known to nobody finds nothing.
        assert_eq!(by(name, Some("")), [5, 4, 3, 2, 1], "{name}");
        assert!(by(name, Some("nobody's")).is_empty(), "{name}");
    }
    let after = |after, limit| AuditQuery {
        after: Some(after),
        limit,
        ..all
    };
    assert_eq!(list(after(0, 2)), [1, 2]);
    assert_eq!(list(after(2, 50)), [3, 4, 5]);
    assert!(list(after(u64::MAX, 50)).is_empty());
    let fitting = AuditQuery {
        event_type: Some("submission_auto_approved"),
        ..after(3, 1)
    };
    assert_eq!(list(fitting), [4]);
    // What stands in a list is the very text that was hashed.
    let answer = bench.handle(&auditor(), Request::AuditEvents(all));
    let event = &bench.engine.audit(&auditor(), 4, 1).unwrap()[0];
    assert_eq!(answer.body[0]["payload"], *event.payload);
    assert_eq!(answer.body[0]["hash"], event.hash.to_string());
    assert_eq!(answer.body[0]["decision"], "auto_approved");
}

#[test]
fn a_receipt_is_read_from_its_one_text_and_from_no_other() {
    let receipt = genesis("acme");
    assert_eq!(receipt.to_string().parse(), Ok(receipt));
    let hash = "0".repeat(64);
    let many = format!("18446744073709551615:{hash}");
    assert_eq!(many.parse::<Receipt>().unwrap().seq, u64::MAX);
    for odd in [
        String::new(),
        "1".into(),
        format!(":{hash}"),
        format!("01:{hash}"),
        format!("+1:{hash}"),
        format!("-1:{hash}"),
        format!("18446744073709551616:{hash}"),
        format!("1:{hash}0"),
        format!("1:{}A", &hash[1..]),
        format!(" 1:{hash}"),
        format!("1:{hash}\n"),
    ] {
        assert!(odd.parse::<Receipt>().is_err(), "{odd:?}");
    }
}
