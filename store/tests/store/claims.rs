//! Promise 3, once: however many hold an approval at the same time, one starts.

use std::io::stdin;
use std::sync::{Barrier, Mutex};
use std::thread;

use sernixa_engine::{Engine, Principal, Role};

use crate::process::{Process, engine, file, say};
use crate::support::{Bench, Draft, Waiting, agent, reviewer};

const APPROVALS: usize = 1_000;

/// So many approved requests, made by many threads, which share commits.
fn approved(engine: Engine) -> (Bench, Vec<Waiting>) {
    let bench = Bench::new(engine);
    let made = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for _ in 0..APPROVALS / 20 {
                    let waiting = bench.submit(&agent(), &Draft::high().body()).waiting();
                    bench.approve(&reviewer(), &waiting.id);
                    made.lock().unwrap().push(waiting);
                }
            });
        }
    });
    (bench, made.into_inner().unwrap())
}

/// Each was claimed once, and the log of it holds.
fn assert_once(bench: &Bench, wins: usize) {
    assert_eq!(wins, APPROVALS);
    let types = bench.event_types();
    let count = |word| types.iter().filter(|kind| **kind == word).count();
    assert_eq!(count("approval_claimed"), APPROVALS);
    assert_eq!(count("claim_refused"), APPROVALS);
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    let report = bench.engine.verify_audit(&auditor, &[]).unwrap();
    assert!(report.is_valid(), "{report:?}");
}

#[test]
fn two_threads_claim_one_approval_a_thousand_times_and_one_wins_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (bench, all) = approved(engine(&folder.path().join("a.db")));
    let together = Barrier::new(2);
    let wins: usize = thread::scope(|scope| {
        let threads: Vec<_> = (1..=2)
            .map(|number| {
                let (bench, all, together) = (&bench, &all, &together);
                scope.spawn(move || {
                    let won = all.iter().filter(|waiting| {
                        together.wait();
                        let answer = bench.claim(&agent(), waiting, &format!("{number:032x}"));
                        if answer.status != 200 {
                            answer.is(409, "already_claimed");
                        }
                        answer.status == 200
                    });
                    won.count()
                })
            })
            .collect();
        let all = threads.into_iter();
        all.map(|thread| thread.join().unwrap()).sum()
    });
    assert_once(&bench, wins);
}

#[test]
fn two_processes_claim_one_approval_a_thousand_times_and_one_wins_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let (bench, all) = approved(engine(&path));
    let other = Process::start("claims::other_process", &path);
    assert_eq!(other.says(), "ready");
    let mut wins = 0;
    for waiting in &all {
        let line = format!("{} {} {}", waiting.id, waiting.token, waiting.body_hash);
        let (there, here) = thread::scope(|scope| {
            let there = scope.spawn(|| other.ask(&line));
            let here = bench.claim(&agent(), waiting, &"1".repeat(32)).status;
            (there.join().unwrap(), here)
        });
        assert_ne!(there == "200", here == 200, "{there} there and {here} here");
        wins += 1;
    }
    assert_once(&bench, wins);
}

/// Not a test of its own: claims what it is told to.
#[test]
#[ignore = "started by the test of two processes"]
fn other_process() {
    let bench = Bench::new(engine(&file()));
    bench.skip(1 << 32);
    say("ready");
    for line in stdin().lines() {
        let line = line.unwrap();
        let [id, token, body_hash] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let waiting = Waiting {
            id: id.to_owned(),
            token: token.to_owned(),
            body_hash: body_hash.to_owned(),
        };
        let answer = bench.claim(&agent(), &waiting, &"2".repeat(32));
        say(&answer.status.to_string());
    }
}
