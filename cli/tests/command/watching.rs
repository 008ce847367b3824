//! `approvals watch` without a terminal: a line for each change, and a clean end.

use rustix::process::Signal;
use sernixa_engine::Decision;

use crate::support::{Ask, House, Running};

#[test]
fn each_change_is_a_line() {
    let house = House::new();
    let before = house.ask(&Ask::default());
    let old = house.ask(&Ask::default());
    house.decide(&old, Decision::Approve, "before anybody watched");
    let mut watching = Running::start(&mut house.command(&["approvals", "watch"]));
    let line = watching.line();
    assert!(line.contains("WAITING") && line.contains(&before), "{line}");
    let id = house.ask(&Ask::default());
    let line = watching.line();
    assert!(
        line.contains("WAITING") && line.contains(&id) && line.contains("high"),
        "{line}"
    );
    house.decide(&id, Decision::Reject, "not today");
    let line = watching.line();
    assert!(line.contains("REJECTED") && line.contains(&id), "{line}");
    assert!(line.ends_with("by local: not today"), "{line}");
    house.decide(&before, Decision::Approve, "fine by me");
    let line = watching.line();
    assert!(
        line.contains("APPROVED") && line.contains(&before),
        "{line}"
    );
    watching.signal(Signal::INT);
    let ran = watching.end().exits(0);
    assert_eq!((&*ran.stdout, &*ran.stderr), ("", ""));
}

#[test]
fn scripts_get_an_object_for_each_change() {
    let house = House::new();
    let mut watching = Running::start(&mut house.command(&["approvals", "watch", "--json"]));
    let id = house.ask(&Ask::default());
    let told: serde_json::Value = serde_json::from_str(&watching.line()).unwrap();
    assert_eq!(told["change"], "waiting");
    assert_eq!(told["approval"]["approval_id"], *id);
    house.decide(&id, Decision::Approve, "fine by me");
    let told: serde_json::Value = serde_json::from_str(&watching.line()).unwrap();
    assert_eq!(
        (&told["change"], &told["approval"]["status"]),
        (&"ended".into(), &"approved".into())
    );
    watching.signal(Signal::TERM);
    watching.end().exits(0);
}
