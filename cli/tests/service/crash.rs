//! Promise 6, nothing is lost: the service is killed at random points under load, and started
//! again. (`kill -9` does not test what the disk keeps when the power goes: see `durable`.)

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sernixa::Error;

use crate::support::asked::{Asked, Waiting, unique};
use crate::support::client::Caller;
use crate::support::house::House;
use crate::support::serve::audit_verify;
use crate::support::{rounds, sdk};

/// What the service has answered, and may never forget.
#[derive(Default)]
struct Answered {
    asked: Vec<Waiting>,
    decided: BTreeMap<String, &'static str>,
    claimed: Vec<String>,
}

/// How many callers submit, decide and claim at once.
const LOAD: usize = 4;
/// How many callers of the SDK wait across every restart.
const WAITERS: usize = 3;
/// How much is checked after each kill, for time's sake; at the end it is everything.
const LAST: usize = 200;

#[test]
fn kill_9_loses_nothing_that_was_answered() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let reviewer = house.key("reviewer", "rita", &[]);
    let mut serve = house.serve();
    let address = serve.address;
    // It also has to get its request through while the service is down.
    let client = sdk::builder(address, &agent)
        .max_retries(10)
        .build()
        .unwrap();
    let (agent, reviewer) = (serve.caller(&agent), serve.caller(&reviewer));
    let answered = Mutex::new(Answered::default());
    let ran = AtomicUsize::new(0);
    let rounds = rounds(8, 200);
    let mut moments = 0x9E37_79B9_u64;
    for round in 0..rounds {
        moments = moments
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let until_the_kill = Duration::from_millis(20 + (moments >> 33) % 180);
        let down = AtomicBool::new(false);
        let intent = format!("wait across restart {round}");
        std::thread::scope(|scope| {
            for _ in 0..LOAD {
                scope.spawn(|| {
                    while !down.load(Ordering::Relaxed) {
                        work(&agent, &reviewer, &answered);
                    }
                });
            }
            for _ in 0..WAITERS {
                scope.spawn(|| {
                    let waited = client.run(&sdk::payment(&intent), || Ok::<_, Error>(()));
                    waited.unwrap();
                    ran.fetch_add(1, Ordering::Relaxed);
                });
            }
            std::thread::sleep(until_the_kill);
            serve.kill();
            down.store(true, Ordering::Relaxed);
            let verified = audit_verify(&house.store(), &[]);
            assert!(verified.status.success(), "{verified:?}");
            serve = house.serve_at(address);
            approve_all(&reviewer, &intent);
        });
        let answered = answered.lock().unwrap();
        assert_eq!(ran.load(Ordering::Relaxed), WAITERS * (round + 1));
        check(&reviewer, &answered, LAST);
    }
    let answered = answered.into_inner().unwrap();
    check(&reviewer, &answered, usize::MAX);
    let (asked, decided) = (answered.asked.len(), answered.decided.len());
    let claimed = answered.claimed.len();
    eprintln!("{rounds} kills; answered: {asked} asked, {decided} decided, {claimed} claimed");
    assert!(claimed >= rounds, "there was hardly any load");
    let receipts: Vec<_> = answered.asked.iter().rev().take(50).collect();
    for waiting in receipts {
        let verified = audit_verify(&house.store(), &["--expect", &waiting.receipt]);
        assert!(verified.status.success(), "{verified:?}");
    }
}

/// Submits, decides and claims one request; notes what was answered, and only that.
fn work(agent: &Caller, reviewer: &Caller, answered: &Mutex<Answered>) {
    let Ok(answer) = agent.try_post("/api/actions/execute", &Asked::new("load").body()) else {
        return;
    };
    if answer.status != 202 {
        return;
    }
    let waiting = Waiting::of(&answer);
    let id = waiting.id.clone();
    answered.lock().unwrap().asked.push(waiting.clone());
    let turn = answered.lock().unwrap().asked.len();
    let decision = if turn.is_multiple_of(3) {
        "rejected"
    } else {
        "approved"
    };
    let body = serde_json::json!({"decision": decision, "reason": "seen by a test"});
    match reviewer.try_post(&format!("/api/approvals/{id}/decision"), &body) {
        Ok(answer) if answer.status == 200 => {}
        _ => return,
    }
    answered
        .lock()
        .unwrap()
        .decided
        .insert(id.clone(), decision);
    let claim = waiting.claim(&unique());
    match agent.try_post(&format!("/api/approvals/{id}/claim"), &claim) {
        Ok(answer) if answer.status == 200 => answered.lock().unwrap().claimed.push(id),
        _ => {}
    }
}

/// Approves the waiters of a round until all have been seen.
fn approve_all(reviewer: &Caller, intent: &str) {
    let mut approved = 0;
    let end = Instant::now() + Duration::from_mins(1);
    while approved < WAITERS {
        assert!(
            Instant::now() < end,
            "{approved} of {WAITERS} waiters are left"
        );
        let pending = reviewer
            .get("/api/approvals/pending?limit=100")
            .expect(200)
            .json();
        for record in pending.as_array().unwrap() {
            if record["intent_id"] == intent {
                reviewer.approve(record["approval_id"].as_str().unwrap());
                approved += 1;
            } else {
                // Left over by the load: out of the way.
                reviewer.decide(record["approval_id"].as_str().unwrap(), "rejected");
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What was answered still stands: the last `count` of it.
fn check(reader: &Caller, answered: &Answered, count: usize) {
    for waiting in answered.asked.iter().rev().take(count) {
        let record = reader.record(&waiting.id);
        assert_eq!(record["body_hash"], waiting.body_hash.as_str());
        if let Some(decision) = answered.decided.get(&waiting.id) {
            assert_eq!(record["status"], *decision, "{record}");
        }
        if answered.claimed.contains(&waiting.id) {
            assert_eq!(record["execution"], "claimed", "{record}");
        }
    }
}
