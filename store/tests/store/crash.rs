//! Promise 6, nothing is lost: what was answered outlives `kill -9`, and nothing is left half done.

use std::io::stdin;
use std::thread;
use std::time::Duration;

use sernixa_engine::audit::Receipt;
use sernixa_engine::{ApprovalId, Digest, Engine, Principal, Role};

use crate::process::{Process, cases, engine, file, say};
use crate::support::{Bench, Draft, agent, reviewer};

#[test]
fn what_was_answered_outlives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut answered = Vec::new();
    for round in 0..u64::from(cases(8)) {
        let child = Process::start("crash::other_process", &path);
        // Other ids in every round.
        answered.push(child.ask(&(round << 32).to_string()));
        thread::sleep(Duration::from_millis(1 + round * 37 % 180));
        answered.extend(child.kill());

        let engine = engine(&path);
        let receipts: Vec<Receipt> = answered.iter().map(|line| told(line).2).collect();
        let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
        let report = engine.verify_audit(&auditor, &receipts).unwrap();
        assert!(report.is_valid(), "round {round}: {report:?}");
        assert_nothing_is_torn(&engine, &answered);
    }
    assert!(answered.len() > 8, "the killed processes did something");
}

/// What a line says: what happened to which approval, and the receipt.
fn told(line: &str) -> (&str, ApprovalId, Receipt) {
    let [what, id, seq, hash] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{line}");
    };
    let receipt = Receipt {
        seq: seq.parse().unwrap(),
        hash: Digest::parse(hash).unwrap(),
    };
    (what, ApprovalId::parse(id).unwrap(), receipt)
}

/// Every answered approval is there, no decision is undone, and approvals and audit agree.
fn assert_nothing_is_torn(engine: &Engine, answered: &[String]) {
    let bench = Bench::new(engine.clone());
    let events = bench.events();
    for line in answered {
        let (what, id, _) = told(line);
        let record = bench.look(&id.to_string());
        let expected: &[&str] = match what {
            "asked" => &["pending_review", "approved"],
            _ => &["approved"],
        };
        assert!(
            expected.contains(&record["status"].as_str().unwrap()),
            "{line}: {record}"
        );
        let decided = events.iter().any(|event| {
            event["event_type"] == "approval_approved" && event["approval_id"] == *id.to_string()
        });
        assert_eq!(record["status"] == "approved", decided, "{line}");
    }
}

/// Not a test of its own: asks and decides until it is killed.
#[test]
#[ignore = "started by the test that kills it"]
fn other_process() {
    let mut line = String::new();
    stdin().read_line(&mut line).unwrap();
    let bench = Bench::new(engine(&file()));
    bench.skip(line.trim().parse().unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let answer = bench.submit(&agent(), &Draft::high().body());
                    let id = answer.waiting().id;
                    let receipt = &answer.body["receipt"];
                    let receipt =
                        format!("{} {}", receipt["seq"], receipt["hash"].as_str().unwrap());
                    say(&format!("asked {id} {receipt}"));
                    bench.approve(&reviewer(), &id);
                    say(&format!("approved {id} {receipt}"));
                }
            });
        }
    });
}
