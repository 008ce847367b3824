//! Verifying a log of a million events in a file, as `sernixa audit verify FILE` does: every link,
//! column and checkpoint; and approvals against their events.
//!
//! `cargo bench -p sernixa-store --bench audit` writes 1.5 GB to the temporary folder, and prints
//! the time, the events per second and the most memory that was resident. `-- 100000` does it with
//! as many events.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

use std::fs::read_to_string;
use std::sync::Arc;
use std::time::Instant;

use sernixa_engine::audit::{AuditKey, Event, EventKind, link, verify_approvals, verify_chain};
use sernixa_engine::{
    ApprovalId, Engine, Moment, Principal, Request, Settings, Store as _, Timestamp,
};
use sernixa_store::SqliteStore;

/// How many events one transaction writes: as many as stand between two checkpoints.
const AT_ONCE: u64 = 999;
/// How many approvals are compared with their events.
const APPROVALS: u64 = 20_000;

/// What an engine writes for a low-risk read that runs at once.
fn payload(number: u64) -> String {
    let time = Timestamp::from_millis(1_780_000_000_000 + number);
    format!(
        r#"{{"event_type":"submission_auto_approved","created_at":"{time}","approval_id":"apr_{number:032x}","request_id":"{number:032x}","action_id":"billing-look-up","body_hash":"{number:064x}","status":"auto_approved","execution":"none","key":"local","owner":"local","intent_id":"invoice-lookup","risk_level":"low","operation_class":"read","data_sensitivity":"internal","systems_touched":["postgres"],"decision":"auto_approved","reason":"the policy lets it proceed","policy_digest":"{number:064x}"}}"#
    )
}

fn moment(number: u64) -> Moment {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Moment::new(Timestamp::from_millis(1_780_100_000_000 + number), seed)
}

/// The most memory that this process has had, in MB.
fn peak() -> f64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1_024.0
}

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let count = numbers.next().unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("audit.db");
    let key = AuditKey::from_seed([7; 32]);
    let trusted = [key.public()];
    let store = Arc::new(
        SqliteStore::open_without_durability_for_benchmarks_only(&path).expect("a new store"),
    );
    let engine = Engine::builder()
        .shared_store(Arc::clone(&store) as _)
        .audit_key(key)
        .settings(Settings::local())
        .build()
        .expect("the settings are good");
    write(&store, &engine, count);
    for number in 0..APPROVALS {
        let body = format!(
            r#"{{"intent_id":"lookup","action_id":"look-up","request_id":"{number:032x}","metadata":{{"risk_level":"low","operation_class":"read","data_sensitivity":"internal","systems_touched":["postgres"]}}}}"#
        );
        let request = Request::Submit { body: &body };
        let answer = engine.handle(&Principal::local(), request, &moment(count + number));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    engine.checkpoint(&moment(0)).expect("a signed log");
    drop((engine, store));

    let store = SqliteStore::open_read_only(&path).expect("the store");
    let before = peak();
    for _ in 0..3 {
        let start = Instant::now();
        let report = verify_chain(&store, "local", &[], &trusted).expect("a readable store");
        let took = start.elapsed().as_secs_f64();
        assert!(report.is_valid(), "{report:?}");
        println!(
            "{} events, {} checkpoints: {took:.2} s, {:.0} events/s",
            report.events,
            report.checkpoints,
            report.events as f64 / took
        );
    }
    let start = Instant::now();
    let report = verify_approvals(&store).expect("a readable store");
    let took = start.elapsed().as_secs_f64();
    assert!(report.faults.is_empty(), "{report:?}");
    println!(
        "{} approvals: {took:.2} s, {:.0} approvals/s",
        report.checked,
        report.checked as f64 / took
    );
    println!("most memory: {before:.0} MB before, {:.0} MB after", peak());
}

/// A log of `count` events, signed every thousand.
fn write(store: &SqliteStore, engine: &Engine, count: u64) {
    let organisation: Arc<str> = "local".into();
    let mut written = 0;
    while written < count {
        store
            .transact(&mut |state| {
                let mut head = state.head(&organisation)?;
                for number in written..(written + AT_ONCE).min(count) {
                    let payload = payload(number);
                    head = link(&head, &payload);
                    let event = Event {
                        seq: head.seq,
                        hash: head.hash,
                        payload: payload.into(),
                        kind: EventKind::Allowed,
                        approval_id: Some(ApprovalId(u128::from(number).to_be_bytes())),
                    };
                    state.append(&organisation, event)?;
                }
                Ok(())
            })
            .expect("a writable store");
        written += AT_ONCE;
        engine.checkpoint(&moment(written)).expect("a signed log");
    }
}
