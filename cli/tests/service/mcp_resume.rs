//! One approval is one start, whichever process of the proxy takes it up: one after the other against a
//! service, and two at once on one file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use sernixa_engine::Decision;

use crate::support::house::House;
use crate::support::mcp::{Desk, Host, Person, told};
use crate::support::until;

/// What the proxy says of a call that it did not let through.
fn decision(answer: &Value) -> &Value {
    let decision = &answer["result"]["_meta"]["sernixa/decision"];
    assert!(decision.is_object(), "{answer}");
    decision
}

fn note(host: &mut Host, id: u64, text: &str) {
    host.call(id, "add_note", &json!({ "text": text }));
}

fn answer(host: &Host, id: u64) -> Value {
    host.answer(id).expect("the proxy lives")
}

#[test]
fn the_key_that_was_made_once_resumes_a_call_in_the_next_process_against_a_service() {
    let desk = Desk::new();
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let reviewer = serve.caller(&house.key("reviewer", "rita", &[]));
    let url = serve.url();
    // Each is a process of its own, with nothing but the user's state folder in common.
    let start = || {
        let mut command = desk.command(&["--hold", "0s", "--base-url", &url]);
        command.env("SERNIXA_ACCESS_TOKEN", &agent);
        let mut host = Host::start(command);
        host.initialize(0);
        host
    };
    let mut host = start();
    note(&mut host, 1, "later");
    let waits = answer(&host, 1);
    assert_eq!(decision(&waits)["status"], "pending_review");
    let id = decision(&waits)["approval_id"].as_str().unwrap().to_owned();
    assert!(host.close().success());
    reviewer.approve(&id);

    let mut host = start();
    note(&mut host, 1, "later");
    assert_eq!(told(&answer(&host, 1)), ("added: later".to_owned(), false));
    // Once only, in this process and in another.
    note(&mut host, 2, "later");
    let again = answer(&host, 2);
    assert_eq!(decision(&again)["status"], "pending_review");
    assert_ne!(decision(&again)["approval_id"], id.as_str());
    assert!(host.close().success());
    let mut host = start();
    note(&mut host, 1, "later");
    let third = answer(&host, 1);
    assert_eq!(decision(&third), decision(&again), "it waits on");
    assert!(host.close().success());
    assert_eq!(desk.notes(), ["later"]);
    assert_eq!(reviewer.record(&id)["execution"], "succeeded");

    // Somebody else's key knows none of it.
    let elsewhere = desk.path().join("another state");
    let mut command = desk.command(&["--hold", "0s", "--base-url", &url]);
    command
        .env("SERNIXA_ACCESS_TOKEN", &agent)
        .env("XDG_STATE_HOME", &elsewhere);
    let mut host = Host::start(command);
    host.initialize(0);
    note(&mut host, 1, "later");
    let other = answer(&host, 1);
    assert_ne!(
        decision(&other)["approval_id"],
        decision(&again)["approval_id"]
    );
    assert!(host.close().success());
}

#[test]
fn two_proxies_at_once_on_one_file_start_a_call_once_for_each_approval() {
    let desk = Desk::new();
    let [store, file] = desk.embedded();
    let start = || {
        let mut command = desk.command(&["--hold", "30s", &store, &file]);
        command.env("SERNIXA_CAPTURE_ARGUMENTS", "true");
        let mut host = Host::start(command);
        host.initialize(0);
        answer(&host, 0);
        host
    };
    let (mut one, mut two) = (start(), start());
    note(&mut one, 1, "same");
    note(&mut one, 2, "of one");
    until("both calls of the first wait", || {
        (pending(&desk) == 2).then_some(())
    });
    note(&mut two, 1, "same");
    note(&mut two, 2, "of two");
    // The later waits for the one approval, and the earlier is told before anybody decides.
    let replayed = answer(&one, 1);
    assert_eq!(decision(&replayed)["status"], "replayed", "{replayed}");
    until("the other call of the second waits", || {
        (pending(&desk) == 3).then_some(())
    });
    assert_eq!(desk.notes(), [""; 0]);

    let may = Arc::new(AtomicBool::new(true));
    let person = Person::start(&desk.store(), {
        let may = Arc::clone(&may);
        move |_| may.load(Ordering::Relaxed).then_some(Decision::Approve)
    });
    assert_eq!(told(&answer(&one, 2)).0, "added: of one");
    assert_eq!(told(&answer(&two, 1)).0, "added: same");
    assert_eq!(told(&answer(&two, 2)).0, "added: of two");
    may.store(false, Ordering::Relaxed);
    let mut notes = desk.notes();
    notes.sort();
    assert_eq!(notes, ["of one", "of two", "same"]);

    // The approval is used up: the earlier asks anew, and that one runs once, too.
    note(&mut one, 3, "same");
    until("it waits for another approval", || {
        (pending(&desk) == 1).then_some(())
    });
    may.store(true, Ordering::Relaxed);
    assert_eq!(told(&answer(&one, 3)).0, "added: same");
    drop(person);
    assert!(one.close().success() && two.close().success());
    let notes = desk.notes();
    assert_eq!(notes.iter().filter(|note| *note == "same").count(), 2);
    assert_eq!(count(&desk, "claim_id IS NOT NULL"), 4);
}

#[test]
fn without_a_hold_the_host_is_answered_at_once() {
    let desk = Desk::new();
    let [store, file] = desk.embedded();
    let mut host = Host::start(desk.command(&["--hold", "0s", &store, &file]));
    host.initialize(0);
    answer(&host, 0);
    // The first lets the proxy look at the tools; the fastest of the others counts.
    let quickest = (1..=5).map(|id| {
        let begin = std::time::Instant::now();
        note(&mut host, id, &format!("note {id}"));
        assert_eq!(decision(&answer(&host, id))["status"], "pending_review");
        begin.elapsed()
    });
    let quickest = quickest.min().unwrap();
    assert!(quickest < Duration::from_millis(700), "{quickest:?}");
    assert!(host.close().success());
}

fn pending(desk: &Desk) -> u32 {
    count(desk, "decision IS NULL AND claim_id IS NULL")
}

fn count(desk: &Desk, which: &str) -> u32 {
    let store = Connection::open(desk.store()).unwrap();
    let query = format!("SELECT count(*) FROM approvals WHERE {which}");
    store.query_row(&query, [], |row| row.get(0)).unwrap()
}
