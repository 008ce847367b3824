//! The proxy, the server behind it, or the service is killed at random points while tools are called:
//! no call reaches the server without an approval that was claimed for it, none reaches it twice for
//! one approval, and no request is left unanswered while the proxy lives.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use sernixa_engine::Decision;

use crate::support::house::House;
use crate::support::mcp::{Desk, Host, Person, arguments, told};
use crate::support::serve::{Serve, audit_verify};
use crate::support::{rounds, until};

/// Calls that are under way when something is killed.
const CALLS: u64 = 4;
/// The request that initializes; the calls come after it.
const INITIALIZE: u64 = 0;
/// A request beside the calls, answered by the server itself.
const PING: u64 = CALLS + 1;

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

#[test]
fn killing_the_proxy_starts_nothing_unapproved_or_twice() {
    let desk = Desk::new();
    let _person = desk.person();
    let mut moments = Moments(1);
    let (mut cut, rounds) = (0, rounds(6, 1_000));
    for round in 0..rounds {
        let mut host = desk.host(&[]);
        host.start_calls(round);
        std::thread::sleep(moments.next(400));
        let servers = host.servers();
        host.kill();
        for server in servers {
            until("the server ends with its proxy", || {
                (!lives(server)).then_some(())
            });
        }
        // The host starts another, and asks again what it has no answer to.
        let open: Vec<_> = (1..=CALLS)
            .filter(|id| host.answer(*id).is_none())
            .collect();
        cut += open.len();
        let mut host = desk.host(&[]);
        host.initialize(INITIALIZE);
        for id in &open {
            host.note(round, *id);
        }
        for id in open {
            host.answer(id).expect("the proxy lives");
        }
        assert!(host.close().success());
    }
    assert!(cut > 0, "nothing was under way when it was killed");
    desk.check(&desk.store(), rounds);
}

#[test]
fn killing_the_server_leaves_no_request_unanswered() {
    let desk = Desk::new();
    let _person = desk.person();
    let mut moments = Moments(2);
    let rounds = rounds(6, 1_000);
    for round in 0..rounds {
        let mut host = desk.host(&[]);
        host.start_calls(round);
        std::thread::sleep(moments.next(400));
        let server = until("the server is started", || host.servers().first().copied());
        kill(server);
        for id in INITIALIZE..=PING {
            let answer = host.answer(id);
            let answer = answer.unwrap_or_else(|| panic!("round {round}, request {id}"));
            assert!(
                answer["result"].is_object() || answer["error"].is_object(),
                "{answer}"
            );
        }
        host.close();
    }
    desk.check(&desk.store(), rounds);
}

#[test]
fn killing_the_service_leaves_no_request_unanswered() {
    let desk = Desk::new();
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let reviewer = house.key("reviewer", "rita", &[]);
    let mut serve = house.serve();
    let address = serve.address;
    let mut moments = Moments(3);
    let rounds = rounds(4, 500);
    for round in 0..rounds {
        let url = serve.url();
        let mut command = desk.command(&["--hold", "400ms", "--base-url", &url]);
        command
            .env("SERNIXA_ACCESS_TOKEN", &agent)
            .env("SERNIXA_CAPTURE_ARGUMENTS", "true")
            .env("SERNIXA_MAX_RETRIES", "1");
        let mut host = Host::start(command);
        host.start_calls(round);
        std::thread::scope(|scope| {
            scope.spawn(|| decide_once(&serve, &reviewer));
            std::thread::sleep(moments.next(400));
        });
        serve.kill();
        for id in INITIALIZE..=PING {
            let answer = host.answer(id);
            assert!(answer.is_some(), "round {round}, request {id}");
        }
        serve = house.serve_at(address);
        assert!(host.close().success());
    }
    drop(serve);
    desk.check(&house.store(), rounds);
}

/// What [`Desk::person`] does, through the service, for as long as it answers.
fn decide_once(serve: &Serve, reviewer: &str) {
    let reviewer = serve.caller(reviewer);
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

/// What the person says: two of four are approved, one is rejected, one waits.
fn verdict(text: &str) -> Option<Decision> {
    match text.rsplit(' ').next()?.parse::<u64>().ok()? % CALLS {
        0 | 1 => Some(Decision::Approve),
        2 => Some(Decision::Reject),
        _ => None,
    }
}

fn lives(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat"));
    // A zombie has ended; who inherited it may take its time.
    status.is_ok_and(|status| !status.contains(") Z "))
}

fn kill(process: u32) {
    let _ = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
}

impl Host {
    /// All at once: in every other round as fast as it goes, else once it is connected.
    fn start_calls(&mut self, round: usize) {
        self.initialize(INITIALIZE);
        if round.is_multiple_of(2) {
            self.answer(INITIALIZE).expect("nothing is killed yet");
        }
        for id in 1..=CALLS {
            self.note(round, id);
        }
        self.ask(PING, "ping", &json!({}));
    }

    fn note(&mut self, round: usize, id: u64) {
        self.call(
            id,
            "add_note",
            &json!({"text": format!("round {round} call {id}")}),
        );
    }
}

impl Desk {
    fn person(&self) -> Person {
        Person::start(&self.store(), verdict)
    }

    /// A host on the embedded file. What is asked for is captured, so that approvals can be told
    /// apart.
    fn host(&self, options: &[&str]) -> Host {
        let [store, file] = self.embedded();
        let mut all = vec!["--hold", "400ms", &store, &file];
        all.extend(options);
        let mut command = self.command(&all);
        command.env("SERNIXA_CAPTURE_ARGUMENTS", "true");
        Host::start(command)
    }

    /// What reached the server, against what was approved and claimed.
    fn check(&self, store: &Path, rounds: usize) {
        let mut reached = BTreeMap::<String, u32>::new();
        for note in self.notes() {
            *reached.entry(note).or_default() += 1;
        }
        let claimed = claimed(store);
        for (note, count) in &reached {
            let claims = claimed.get(note).copied().unwrap_or_default();
            assert!(
                *count <= claims,
                "{note}: reached {count} times, claimed {claims} times"
            );
            assert_eq!(verdict(note), Some(Decision::Approve), "{note}");
        }
        let verified = audit_verify(store, &[]);
        assert!(verified.status.success(), "{verified:?}");
        let (notes, claims) = (reached.len(), claimed.len());
        eprintln!("{rounds} kills: {claims} calls claimed, {notes} reached the server");
        assert!(notes > 0, "nothing ran");
    }
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

#[test]
fn a_proxy_whose_server_does_not_start_says_so_to_the_host() {
    let desk = Desk::new();
    let [store, file] = desk.embedded();
    let mut command = desk.command(&[&store, &file]);
    // Another notes server: one that does not exist.
    command.env("PATH", desk.path());
    let mut host = Host::start(command);
    host.initialize(INITIALIZE);
    if let Some(answer) = host.answer(INITIALIZE) {
        assert!(told(&answer).1, "{answer}");
    }
    assert!(!host.close().success());
}
