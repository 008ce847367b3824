//! `approvals wait`: no decision is missed, and only a yes is a yes.

use std::time::Duration;

use sernixa_engine::Decision;

use crate::support::{Ask, House, Running};

#[test]
fn only_a_yes_exits_with_zero() {
    let house = House::new();
    for (decision, code, says) in [
        (Decision::Approve, 0, "APPROVED"),
        (Decision::Reject, 1, "REJECTED"),
    ] {
        let id = house.ask(&Ask::default());
        house.decide(&id, decision, "seen by a person");
        let ran = house.run(&["approvals", "wait", &id]).exits(code);
        assert_eq!(
            ran.stdout,
            format!("{says} · approval {id}\nReason: seen by a person\n")
        );
    }
}

#[test]
fn what_is_not_decided_in_time_is_no_yes() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let ran = house
        .run(&["approvals", "wait", &id, "--timeout", "0"])
        .exits(1);
    assert!(ran.stdout.starts_with("PENDING_REVIEW · "), "{ran:?}");
    let ran = house
        .run(&["approvals", "wait", &id, "--timeout", "1", "--json"])
        .exits(1)
        .json();
    assert_eq!(ran["schema"], "sernixa.approval_continuity.v1");
    assert_eq!(
        (&ran["terminal"], &ran["approved"]),
        (&false.into(), &false.into())
    );
    assert_eq!(ran["approval"]["approval_id"], *id);
    let elapsed = ran["elapsed_seconds"].as_f64().unwrap();
    assert!((1.0..10.0).contains(&elapsed), "{elapsed}");
}

#[test]
fn what_nobody_knows_is_a_failure() {
    let house = House::new();
    let unknown = "apr_00000000000000000000000000000000";
    let ran = house
        .run(&["approvals", "wait", unknown, "--json"])
        .exits(2);
    assert!(
        ran.json()["error"]
            .as_str()
            .unwrap()
            .contains("no such approval")
    );
}

#[test]
fn a_decision_of_another_process_ends_the_wait() {
    let house = House::new();
    for (pause, decision, code) in [
        (Duration::ZERO, Decision::Approve, 0),
        (Duration::from_millis(20), Decision::Reject, 1),
        (Duration::from_millis(300), Decision::Approve, 0),
    ] {
        let id = house.ask(&Ask::default());
        let mut command = house.command(&["approvals", "wait", &id, "--json", "--timeout", "20"]);
        let waiting = Running::start(command.arg("--poll-interval").arg("60"));
        // Decided before, while and after it begins to listen: the pause is the variation.
        std::thread::sleep(pause);
        house.decide(&id, decision, "seen by a person");
        let ended = waiting.end().exits(code).json();
        assert_eq!(ended["terminal"], true);
        assert!(ended["elapsed_seconds"].as_f64().unwrap() < 10.0, "{ended}");
    }
}
