//! Promise 8, with signatures: a history written anew is found without the signing key.

use std::sync::Arc;

use sernixa_engine::audit::{
    AuditKey, AuditPublicKey, Event, EventKind, FaultKind, Receipt, Report, Verifier, genesis,
    link, verify_chain,
};
use sernixa_engine::{
    AuditQuery, Digest, Engine, MemoryStore, Policy, Principal, Question, Request, Role, Store,
    Verdict,
};

use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

fn key() -> AuditKey {
    AuditKey::from_seed([7; 32])
}

fn auditor() -> Principal {
    Principal::new("acme", "auditor-key").with(Role::Auditor)
}

/// A bench whose engine signs.
pub(crate) fn signing() -> Bench {
    on(Arc::new(MemoryStore::new()), Some(key()))
}

fn on(store: Arc<dyn Store>, key: Option<AuditKey>) -> Bench {
    let mut engine = Engine::builder().shared_store(store);
    if let Some(key) = key {
        engine = engine.audit_key(key);
    }
    Bench::new(engine.build().unwrap())
}

fn log(bench: &Bench) -> Vec<Event> {
    bench.engine.audit(&auditor(), 0, usize::MAX).unwrap()
}

fn check(events: &[Event], expected: &[Receipt], trusted: &[AuditPublicKey]) -> Report {
    let mut verifier = Verifier::new("acme", genesis("acme"))
        .expecting(expected)
        .trusting(trusted);
    for event in events {
        if verifier.push(event).is_err() {
            break;
        }
    }
    verifier.finish()
}

fn fault(events: &[Event], trusted: &[AuditPublicKey]) -> Option<FaultKind> {
    check(events, &[], trusted).fault.map(|fault| fault.kind)
}

/// The same events with new hashes, as if this had been the history.
fn rewritten(events: &[Event], change: impl Fn(&str) -> String) -> Vec<Event> {
    let mut head = genesis("acme");
    let mut events = events.to_vec();
    for event in &mut events {
        event.payload = change(&event.payload).into();
        head = link(&head, &event.payload);
        (event.seq, event.hash) = (head.seq, head.hash);
    }
    events
}

/// Two events, a checkpoint, three events, a checkpoint, one event.
fn a_log() -> (Bench, Vec<Event>) {
    let bench = signing();
    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 1);
    bench.claim(&agent(), &waiting, CLAIM);
    bench.submit(&agent(), &Draft::read().body());
    bench.submit(&agent(), &Draft::read().body());
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 1);
    bench.submit(&agent(), &Draft::read().body());
    let events = log(&bench);
    let kinds: Vec<bool> = events
        .iter()
        .map(|event| event.kind == EventKind::Checkpoint)
        .collect();
    assert_eq!(
        kinds,
        [false, false, true, false, false, false, true, false]
    );
    (bench, events)
}

#[test]
fn a_signed_log_verifies_with_its_key_and_says_how_far_it_is_signed() {
    let (_, events) = a_log();
    for trusted in [&[][..], &[key().public()]] {
        let report = check(&events, &[], trusted);
        assert!(report.is_valid(), "{report:?}");
        assert_eq!((report.checkpoints, report.events), (2, 8));
        assert_eq!(report.signed, Some(events[5].receipt()));
        assert_eq!(report.keys, [key().id()]);
    }
    let warnings = check(&events, &[], &[]).warnings().join("\n");
    assert!(warnings.contains(&key().id().to_string()), "{warnings}");
    assert!(warnings.contains("the last 1 events are not signed yet"));
    assert!(warnings.contains("no receipt"));
    let report = check(&events, &[events[7].receipt()], &[key().public()]);
    assert_eq!(report.warnings(), ["the last 1 events are not signed yet"]);
}

#[test]
fn a_checkpoint_says_what_it_signs() {
    let (_, events) = a_log();
    let payload: serde_json::Value = serde_json::from_str(&events[6].payload).unwrap();
    assert_eq!(payload["organisation"], "acme");
    assert_eq!(payload["checkpoint"]["seq"], 6);
    assert_eq!(payload["checkpoint"]["events"], 6);
    assert_eq!(payload["checkpoint"]["hash"], events[5].hash.to_string());
    assert_eq!(payload["previous"]["seq"], 3);
    assert_eq!(payload["previous"]["hash"], events[2].hash.to_string());
    assert_eq!(payload["key_id"], key().id().to_string());
    assert_eq!(payload["public_key"], key().public().to_string());
    let first: serde_json::Value = serde_json::from_str(&events[2].payload).unwrap();
    assert_eq!(first["previous"]["hash"], genesis("acme").hash.to_string());
}

#[test]
fn nothing_is_signed_twice_nor_without_a_key() {
    let bench = signing();
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 0);
    bench.submit(&agent(), &Draft::read().body());
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 1);
    for _ in 0..3 {
        assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 0);
    }
    assert_eq!(log(&bench).len(), 2);
    // Each organisation has a chain, and a signature, of its own.
    let other = Principal::new("other", "k").with(Role::Agent);
    bench.submit(&other, &Draft::read().body());
    bench.submit(&agent(), &Draft::read().body());
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 2);

    let bench = Bench::service();
    bench.submit(&agent(), &Draft::read().body());
    assert_eq!(bench.engine.checkpoint(&bench.moment()).unwrap(), 0);
    assert_eq!(bench.engine.audit_public_key(), None);
    assert_eq!(log(&bench).len(), 1);
}

#[test]
fn every_thousandth_event_is_signed_in_its_own_transaction() {
    let bench = signing();
    for _ in 0..2_050 {
        bench.submit(&agent(), &Draft::read().body());
    }
    let events = log(&bench);
    let signed: Vec<u64> = events
        .iter()
        .filter(|event| event.kind == EventKind::Checkpoint)
        .map(|event| event.seq)
        .collect();
    assert_eq!(signed, [1_001, 2_001]);
    assert!(check(&events, &[], &[key().public()]).is_valid());
}

#[test]
fn a_history_written_anew_without_the_key_is_found_by_its_checkpoints() {
    let (_, events) = a_log();
    let change = |payload: &str| payload.replace("rita", "rota");
    // The checkpoints as they were: they sign another chain.
    let forged = rewritten(&events, change);
    assert_ne!(forged[1].payload, events[1].payload);
    assert_eq!(fault(&forged, &[]), Some(FaultKind::BadCheckpoint));
    // Without them, nothing is signed.
    let unsigned: Vec<Event> = events
        .iter()
        .filter(|event| event.kind != EventKind::Checkpoint)
        .cloned()
        .collect();
    let forged = rewritten(&unsigned, change);
    assert_eq!(fault(&forged, &[]), None, "by signatures alone");
    assert_eq!(fault(&forged, &[key().public()]), Some(FaultKind::Unsigned));
}

#[test]
fn a_history_signed_by_another_key_is_found_by_those_who_name_theirs() {
    let (_, events) = a_log();
    let store = Arc::new(MemoryStore::new());
    let other = on(store, Some(AuditKey::from_seed([8; 32])));
    other.submit(&agent(), &Draft::read().body());
    other.engine.checkpoint(&other.moment()).unwrap();
    let forged = log(&other);
    assert_eq!(fault(&forged, &[]), None);
    assert_eq!(
        fault(&forged, &[key().public()]),
        Some(FaultKind::UntrustedKey)
    );
    // One who puts the real key's name over another's signature signs nothing.
    let renamed = rewritten(&forged, |payload| {
        payload.replace(
            &AuditKey::from_seed([8; 32]).public().to_string(),
            &key().public().to_string(),
        )
    });
    assert_eq!(fault(&renamed, &[]), Some(FaultKind::BadCheckpoint));
    assert_eq!(fault(&events, &[key().public()]), None);
}

#[test]
fn a_removed_moved_or_copied_checkpoint_is_found() {
    let (_, events) = a_log();
    let at = 2;
    let mut removed = events.clone();
    removed.remove(at);
    assert_eq!(fault(&removed, &[]), Some(FaultKind::OutOfOrder));
    // Also when everything after it is hashed anew: the next one signs another chain.
    assert_eq!(
        fault(&rewritten(&removed, str::to_owned), &[]),
        Some(FaultKind::BadCheckpoint)
    );
    let mut moved = events.clone();
    moved.swap(at, at + 1);
    assert_eq!(
        fault(&rewritten(&moved, str::to_owned), &[]),
        Some(FaultKind::BadCheckpoint)
    );
    let mut copied = events.clone();
    copied.insert(at + 1, events[at].clone());
    assert_eq!(
        fault(&rewritten(&copied, str::to_owned), &[]),
        Some(FaultKind::BadCheckpoint)
    );
}

#[test]
fn no_changed_byte_of_a_checkpoint_goes_unseen() {
    let (_, events) = a_log();
    let before = events[5].receipt();
    let payload = events[6].payload.as_bytes();
    for place in 0..payload.len() {
        let mut bytes = payload.to_vec();
        bytes[place] ^= 1 << (place % 8);
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        // As if the forger had computed the hash anew.
        let mut changed = events[6].clone();
        changed.payload = text.into();
        changed.hash = link(&before, &changed.payload).hash;
        let mut verifier = Verifier::new("acme", before);
        let found = verifier.push(&changed).map_err(|fault| fault.kind);
        assert!(
            matches!(
                found,
                Err(FaultKind::BadCheckpoint | FaultKind::CopyMismatch)
            ),
            "{place}: {found:?}"
        );
    }
}

#[test]
fn nothing_is_added_to_a_checkpoint_behind_its_signature() {
    let (_, events) = a_log();
    for more in [",\"note\":1}", " }", "}\n"] {
        let spoilt = rewritten(&events[..3], |payload| {
            if payload.contains("audit_checkpoint") {
                format!("{}{more}", payload.strip_suffix('}').unwrap())
            } else {
                payload.to_owned()
            }
        });
        assert_eq!(
            fault(&spoilt, &[]),
            Some(FaultKind::BadCheckpoint),
            "{more}"
        );
    }
}

#[test]
fn a_new_key_takes_over_and_both_are_asked_for() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (old, new) = (key(), AuditKey::from_seed([9; 32]));
    let both = [old.public(), new.public()];
    for (key, drawn) in [(old, 0), (new, 100)] {
        let bench = on(Arc::clone(&store), Some(key));
        bench.skip(drawn);
        bench.submit(&agent(), &Draft::read().body());
        bench.engine.checkpoint(&bench.moment()).unwrap();
    }
    let report = verify_chain(&*store, "acme", &[], &both).unwrap();
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.keys, both.map(|key| key.id()));
    let report = verify_chain(&*store, "acme", &[], &both[1..]).unwrap();
    assert_eq!(report.fault.unwrap().kind, FaultKind::UntrustedKey);
}

#[test]
fn a_long_unsigned_tail_is_found() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let signed = on(Arc::clone(&store), Some(key()));
    signed.submit(&agent(), &Draft::read().body());
    signed.engine.checkpoint(&signed.moment()).unwrap();
    let unsigned = on(Arc::clone(&store), None);
    unsigned.skip(100);
    let grow = |by| {
        for _ in 0..by {
            unsigned.submit(&agent(), &Draft::read().body());
        }
        let keys = [key().public()];
        let report = verify_chain(&*store, "acme", &[], &keys).unwrap();
        report.fault.map(|fault| fault.kind)
    };
    assert_eq!(grow(2_000), None);
    assert_eq!(grow(1), Some(FaultKind::Unsigned));
}

#[test]
fn a_failure_of_the_engine_is_in_the_signed_chain() {
    struct Broken;
    impl Policy for Broken {
        fn verdict(&self, _: &Question<'_>) -> Verdict {
            std::panic::resume_unwind(Box::new("a bug in a policy"))
        }
        fn digest(&self) -> Digest {
            Digest::of(b"broken")
        }
    }
    let (bench, _) = a_log();
    bench.engine.replace_policy(Arc::new(Broken));
    bench
        .submit(&agent(), &Draft::read().body())
        .is(403, "blocked");
    bench.engine.checkpoint(&bench.moment()).unwrap();
    let events = log(&bench);
    assert!(events[8].payload.contains("engine_error"));
    let report = check(&events, &[], &[key().public()]);
    assert_eq!(report.signed, Some(events[8].receipt()));
}

#[test]
fn the_wire_says_what_the_check_found() {
    let (bench, events) = a_log();
    let last = events[7].receipt().to_string();
    let verify = |expected: &[&str]| bench.handle(&auditor(), Request::AuditVerify { expected });
    let answer = verify(&[&last]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["valid"], true);
    assert_eq!(answer.body["events"], 8);
    assert_eq!(answer.body["head"]["seq"], 8);
    assert_eq!(answer.body["signed"]["seq"], 6);
    assert_eq!(answer.body["keys"][0], key().id().to_string());
    assert!(answer.body["fault"].is_null());
    let other = format!("8:{}", "0".repeat(64));
    let answer = verify(&[&other]);
    assert_eq!(answer.body["valid"], false);
    assert_eq!(answer.body["fault"]["seq"], 8);
    verify(&["8"]).is(422, "invalid_request");
    let head = bench.handle(&auditor(), Request::AuditHead);
    assert_eq!(head.body["seq"], 8);
    assert_eq!(format!("8:{}", head.body["hash"].as_str().unwrap()), last);
    for request in [
        Request::AuditHead,
        Request::AuditVerify { expected: &[] },
        Request::AuditEvents(AuditQuery::default()),
    ] {
        bench.handle(&agent(), request).is(403, "forbidden");
    }
}
