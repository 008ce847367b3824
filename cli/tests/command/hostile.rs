//! What others wrote is shown, and never obeyed.

use serde_json::json;

use crate::support::{Ask, House, Running};

/// Clears the screen, moves up, hides, turns the reading direction, breaks the line, titles the
/// window, sets C1 controls.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[1A\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}txet\u{2066}\u{200b}\r\nAPPROVED \u{85}\u{2028}\u{feff}\u{e0041}";

fn hostile() -> Ask {
    let metadata = json!({
        "summary": format!("pay {HOSTILE}"),
        HOSTILE: {"nested": [HOSTILE, {HOSTILE: 1}]},
        "long": "x".repeat(5_000),
    });
    Ask {
        metadata,
        ..Ask::default()
    }
}

#[test]
fn hostile_text_never_reaches_a_person_raw() {
    let house = House::new();
    let id = house.ask(&hostile());
    house.run(&["approvals", "list"]).exits(0).safe();
    let shown = house.run(&["approvals", "show", &id]).exits(0).safe();
    assert!(shown.stdout.contains(r"\u{1b}[2J"), "{}", shown.stdout);
    assert!(shown.stdout.lines().all(|line| line.chars().count() < 600));
    let approve = [
        "approvals",
        "approve",
        &id,
        "--reason",
        &format!("fine {HOSTILE}"),
    ];
    house.run(&approve).exits(0).safe();
    let shown = house.run(&["approvals", "show", &id]).exits(0).safe();
    assert!(shown.stdout.contains(r"fine \u{1b}[2J"));
    house
        .run(&["approvals", "wait", &id, "--timeout", "0"])
        .exits(0)
        .safe();
}

#[test]
fn json_says_the_same_in_escapes() {
    let house = House::new();
    let id = house.ask(&hostile());
    for arguments in [
        &["approvals", "list", "--json"][..],
        &["approvals", "show", &id, "--json"],
    ] {
        let ran = house.run(arguments).exits(0).safe();
        let record = ran.json();
        let record = record.get(0).unwrap_or(&record);
        assert_eq!(record["summary"], format!("pay {HOSTILE}"));
    }
}

#[test]
fn hostile_arguments_come_back_safe() {
    let house = House::new();
    let odd = format!("apr_{HOSTILE}");
    for arguments in [
        &["approvals", "show", &odd][..],
        &["approvals", "wait", &odd, "--timeout", "0"],
        &["memory", "forget", &odd],
        &["delegations", "revoke", &odd],
        &["approvals", "list", &odd],
        &["approvals", &odd],
    ] {
        house.run(arguments).exits(2).safe();
    }
}

#[test]
fn a_watched_hostile_text_stays_one_line() {
    let house = House::new();
    let mut watching = Running::start(&mut house.command(&["approvals", "watch"]));
    let id = house.ask(&hostile());
    let line = watching.line();
    assert!(line.contains("WAITING") && line.contains(&id), "{line}");
    assert!(line.contains(r"\u{1b}[2J") && !line.chars().any(sernixa_protocol::display::hides));
    house.decide(
        &id,
        sernixa_engine::Decision::Reject,
        &format!("no {HOSTILE}"),
    );
    let line = watching.line();
    assert!(
        line.contains("REJECTED") && line.contains(r"no \u{1b}"),
        "{line}"
    );
}
