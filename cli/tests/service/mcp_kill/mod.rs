//! The proxy, the server behind it, or the service is killed at random points while tools are called:
//! no call reaches the server without an approval that was claimed for it, none reaches it twice for
//! one approval (what a server asks itself apart), and no request is left unanswered while the proxy
//! lives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use sernixa_engine::Decision;

use crate::support::house::House;
use crate::support::mcp::{Desk, Person, arguments};
use crate::support::serve::{Serve, audit_verify};

mod http;
mod stdio;
mod upstream;

/// Calls that are under way when something is killed.
const CALLS: u64 = 4;

/// Moments of killing, the same in every run.
struct Moments(u64);

impl Moments {
    /// Below `most` milliseconds.
    fn next(&mut self, most: u64) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((self.0 >> 33) % most)
    }
}

/// What the person says: two of four are approved, one is rejected, one waits.
fn verdict(text: &str) -> Option<Decision> {
    match text.rsplit(' ').next()?.parse::<u64>().ok()? % CALLS {
        0 | 1 => Some(Decision::Approve),
        2 => Some(Decision::Reject),
        _ => None,
    }
}

fn kill(process: u32) {
    let _ = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
}

impl Desk {
    fn person(&self) -> Person {
        Person::start(&self.store(), verdict)
    }

    /// The options of a proxy on the embedded file.
    fn options(&self) -> [String; 4] {
        let [store, file] = self.embedded();
        ["--hold".to_owned(), "400ms".to_owned(), store, file]
    }

    /// What reached the notes server.
    fn reached(&self) -> Vec<Reached> {
        let plain = |text| Reached { text, state: None };
        self.notes().into_iter().map(plain).collect()
    }
}

/// What is asked for is captured, so that approvals can be told apart.
fn captured(mut command: Command) -> Command {
    command.env("SERNIXA_CAPTURE_ARGUMENTS", "true");
    command
}

/// A service that is killed, and one who decides at it.
struct Service {
    house: House,
    serve: Serve,
    agent: String,
    reviewer: String,
}

impl Service {
    fn new() -> Self {
        let house = House::production();
        Self {
            agent: house.key("agent", "ann", &[]),
            reviewer: house.key("reviewer", "rita", &[]),
            serve: house.serve(),
            house,
        }
    }

    /// The options of a proxy that asks it.
    fn options(&self) -> [String; 4] {
        ["--hold", "400ms", "--base-url", &self.serve.url()].map(str::to_owned)
    }

    fn asked_by(&self, command: Command) -> Command {
        let mut command = captured(command);
        command
            .env("SERNIXA_ACCESS_TOKEN", &self.agent)
            .env("SERNIXA_MAX_RETRIES", "1");
        command
    }

    /// What [`Desk::person`] does, for as long as the service answers, and 200 ms at most.
    fn decide(&self) {
        let reviewer = self.serve.caller(&self.reviewer);
        for _ in 0..10 {
            let Ok(pending) = reviewer.try_get("/api/approvals/pending?limit=100") else {
                return;
            };
            for record in pending.json().as_array().into_iter().flatten() {
                let id = record["approval_id"].as_str().unwrap();
                let Ok(record) = reviewer.try_get(&format!("/api/approvals/{id}")) else {
                    return;
                };
                let decision = match verdict(&arguments(&record.json()["metadata"].to_string())) {
                    Some(Decision::Approve) => "approved",
                    Some(_) => "rejected",
                    None => continue,
                };
                let body = json!({"decision": decision, "reason": "seen by a test"});
                let _ = reviewer.try_post(&format!("/api/approvals/{id}/decision"), &body);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        self.serve.kill();
    }

    /// Starts it again, where it was.
    fn restart(&mut self) {
        self.serve = self.house.serve_at(self.serve.address);
    }
}

/// A call that reached a server.
struct Reached {
    text: String,
    /// The server's own state, which a retry brought: it belongs to the call that was approved, and
    /// is no other.
    state: Option<String>,
}

/// What reached the server, against what was approved and claimed.
fn check(reached: &[Reached], store: &Path, rounds: usize) {
    let claimed = claimed(store);
    let mut calls = BTreeMap::<&str, u32>::new();
    let mut states = BTreeSet::new();
    for Reached { text, state } in reached {
        assert_eq!(verdict(text), Some(Decision::Approve), "{text}");
        assert!(claimed.contains_key(text), "{text} was not claimed");
        match state {
            Some(state) => assert!(states.insert(state), "{text}: answered twice"),
            None => *calls.entry(text).or_default() += 1,
        }
    }
    for (text, count) in &calls {
        let claims = claimed[*text];
        assert!(
            *count <= claims,
            "{text}: reached {count} times, claimed {claims} times"
        );
    }
    let verified = audit_verify(store, &[]);
    assert!(verified.status.success(), "{verified:?}");
    eprintln!(
        "{rounds} kills: {} calls claimed, {} reached the server, {} answers to its questions",
        claimed.len(),
        calls.len(),
        states.len()
    );
    assert!(!calls.is_empty(), "nothing ran");
}

/// How many approvals were approved and claimed, by the note that they were for.
fn claimed(store: &Path) -> BTreeMap<String, u32> {
    let store = Connection::open(store).unwrap();
    let query = "SELECT s.metadata FROM approvals a JOIN submissions s ON s.approval = a.number \
                 WHERE a.decision = 'approved' AND a.claim_id IS NOT NULL";
    let mut found = BTreeMap::new();
    let mut statement = store.prepare(query).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let metadata: String = row.get(0).unwrap();
        *found.entry(arguments(&metadata)).or_default() += 1;
    }
    found
}
