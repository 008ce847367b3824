//! What a person decides on a file is decided for everyone on it.

use std::thread;
use std::time::Duration;

use sernixa_engine::{Decision, Status};

use crate::support::{Ask, House, Ran, Running};

#[test]
fn a_file_that_does_not_exist_is_an_error_and_is_never_made() {
    let house = House::new();
    let missing = house.path().join("other.db");
    let id = "apr_00000000000000000000000000000000";
    let token = "dgt_00000000000000000000000000000000";
    for arguments in [
        &["approvals", "list"][..],
        &["approvals", "show", id],
        &["approvals", "approve", id, "--reason", "seen and fine"],
        &["approvals", "wait", id, "--timeout", "0"],
        &["approvals", "watch"],
        &["delegations", "list"],
        &["delegations", "revoke", token],
        &["memory", "list"],
        &["memory", "forget", "0123456789abcdef"],
    ] {
        let mut command = crate::support::sernixa(arguments);
        let ran = crate::support::run(command.arg("--store").arg(&missing)).exits(2);
        assert!(ran.stderr.contains("other.db"), "{arguments:?}: {ran:?}");
        assert!(ran.stdout.is_empty());
    }
    let mut doctor = crate::support::sernixa(&["doctor", "--json"]);
    let ran = crate::support::run(doctor.arg("--store").arg(&missing)).exits(1);
    assert_eq!(ran.json()["healthy"], false);
    assert!(!missing.exists(), "it was made");
    let names: Vec<_> = std::fs::read_dir(house.path()).unwrap().collect();
    assert!(names.iter().all(|name| {
        let name = name.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("agents.db")
    }));
}

#[test]
fn what_is_no_store_is_left_as_it_is() {
    let house = House::new();
    for (name, content) in [
        ("empty.db", ""),
        ("notes.txt", "not a database, and longer than its header\n"),
    ] {
        let file = house.path().join(name);
        std::fs::write(&file, content).unwrap();
        let mut command = crate::support::sernixa(&["approvals", "list"]);
        let ran = crate::support::run(command.arg("--store").arg(&file)).exits(2);
        assert!(ran.stderr.contains(name), "{ran:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    }
    let mut command = crate::support::sernixa(&["approvals", "list"]);
    crate::support::run(command.arg("--store").arg(house.path())).exits(2);
}

#[test]
fn the_environment_may_name_the_file() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let mut command = crate::support::sernixa(&["approvals", "list", "--json"]);
    command.env(
        "SERNIXA_BASE_URL",
        format!("embedded:{}", house.file().display()),
    );
    let ran = crate::support::run(&mut command).exits(0);
    assert_eq!(ran.json()[0]["approval_id"], *id);
    // A flag beats it, and so does a service that is named.
    let mut command = house.command(&["approvals", "list", "--json"]);
    command.env("SERNIXA_BASE_URL", "http://127.0.0.1:9/");
    crate::support::run(&mut command).exits(0);
    let ran = house
        .run(&["approvals", "list", "--base-url", "http://127.0.0.1:9"])
        .exits(2);
    assert!(ran.stderr.contains("cannot be used with"), "{ran:?}");
}

#[test]
fn what_waits_is_listed_the_oldest_first() {
    let house = House::new();
    let ran = house.run(&["approvals", "list"]).exits(0);
    assert_eq!(ran.stdout, "No pending approvals.\n");
    assert_eq!(
        house.run(&["approvals", "list", "--json"]).exits(0).stdout,
        "[]\n"
    );
    let (one, other) = (house.ask(&Ask::default()), house.ask(&Ask::default()));
    let ran = house.run(&["approvals", "list"]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].trim_start().starts_with("ID"), "{lines:?}");
    let (first, second) = if lines[1].contains(&one) {
        (&one, &other)
    } else {
        (&other, &one)
    };
    assert!(lines[1].contains(first.as_str()) && lines[2].contains(second.as_str()));
    for text in ["high", "billing-adjustment", "adjust inv_1 by 1250 cents"] {
        assert!(lines[1].contains(text), "{lines:?}");
    }
    let listed = house
        .run(&["approvals", "list", "--json", "--limit", "1"])
        .exits(0)
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["status"], "pending_review");
    assert_eq!(
        listed[0]["systems_touched"],
        serde_json::json!(["stripe", "postgres"])
    );
}

#[test]
fn one_approval_is_shown_with_every_field_and_with_numbers_as_they_are() {
    let house = House::new();
    let metadata = serde_json::from_str(
        r#"{"summary": "s", "huge": 123456789012345678, "nested": {"b": [1.0, null], "a": true}}"#,
    )
    .unwrap();
    let ask = Ask {
        metadata,
        ..Ask::default()
    };
    let id = house.ask(&ask);
    let ran = house.run(&["approvals", "show", &id]).exits(0);
    for text in [
        &*id,
        "pending_review",
        "high",
        "billing.adjust_invoice",
        "financial",
        "stripe, postgres",
        "why it waits",
        "body hash",
        "policy digest",
        "\"huge\": 123456789012345678",
    ] {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
    let shown = house.run(&["approvals", "show", &id, "--json"]).exits(0);
    assert!(shown.stdout.contains("1.0"), "{}", shown.stdout);
    let shown = shown.json();
    assert_eq!(shown["metadata"]["nested"]["a"], true);
    assert_eq!(shown["decided_by"], serde_json::Value::Null);
}

#[test]
fn a_decision_is_taken_once_and_the_second_terminal_is_told() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let approve = ["approvals", "approve", &id, "--reason", "seen and fine"];
    let ran = house.run(&approve).exits(0);
    assert!(
        ran.stdout.starts_with(&format!("Approval {id} approved.")),
        "{ran:?}"
    );
    let record = house.record(&id);
    assert_eq!(record.status(), Status::Approved);
    assert_eq!(record.decision_reason(), Some("seen and fine"));
    assert!(
        record.self_decided(),
        "one person asked and decided, and the record says so"
    );
    // The same again, from an impatient person: no harm, and nothing new.
    let again = ["approvals", "approve", &id, "--reason", "another reason"];
    house.run(&again).exits(0);
    assert_eq!(house.record(&id).decision_reason(), Some("seen and fine"));
    let ran = house
        .run(&["approvals", "reject", &id, "--reason", "too late"])
        .exits(2);
    assert!(ran.stderr.contains("approved already"), "{ran:?}");
    assert_eq!(house.record(&id).status(), Status::Approved);
}

#[test]
fn two_terminals_that_decide_one_approval_differently_do_not_both_succeed() {
    let house = House::new();
    for _ in 0..5 {
        let id = house.ask(&Ask::default());
        let decide = |word| {
            let mut command = house.command(&["approvals", word, &id, "--reason", "at once"]);
            thread::spawn(move || crate::support::run(&mut command))
        };
        let (approving, rejecting) = (decide("approve"), decide("reject"));
        let codes = [
            approving.join().unwrap().code,
            rejecting.join().unwrap().code,
        ];
        let status = house.record(&id).status();
        match codes {
            [0, 2] => assert_eq!(status, Status::Approved),
            [2, 0] => assert_eq!(status, Status::Rejected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_beginning_of_an_id_is_enough_where_it_fits_one_alone() {
    let house = House::new();
    let ids: Vec<String> = (0..3).map(|_| house.ask(&Ask::default())).collect();
    let all_share = "apr_";
    let ran = house.run(&[
        "approvals",
        "approve",
        all_share,
        "--reason",
        "seen and fine",
    ]);
    assert!(ran.exits(2).stderr.contains("no such approval"));
    house
        .run(&[
            "approvals",
            "reject",
            &ids[1][..16],
            "--reason",
            "seen and not fine",
        ])
        .exits(0);
    let status = |id: &str| house.record(id).status();
    assert_eq!(status(&ids[1]), Status::Rejected);
    assert_eq!(
        (status(&ids[0]), status(&ids[2])),
        (Status::PendingReview, Status::PendingReview)
    );
}

#[test]
fn a_reason_is_needed_and_has_its_length() {
    let house = House::new();
    let id = house.ask(&Ask::default());
    let long = "x".repeat(501);
    for (reason, says) in [
        (None, "--reason"),
        (Some(""), "3 to 500"),
        (Some(" no "), "3 to 500"),
        (Some(&*long), "3 to 500"),
    ] {
        let mut arguments = vec!["approvals", "approve", &*id];
        arguments.extend(reason.iter().flat_map(|reason| ["--reason", *reason]));
        let ran = house.run(&arguments).exits(2);
        assert!(ran.stderr.contains(says), "{reason:?}: {ran:?}");
    }
    assert_eq!(house.record(&id).status(), Status::PendingReview);
    let longest = "é".repeat(500);
    house
        .run(&["approvals", "approve", &id, "--reason", &longest])
        .exits(0);
    assert_eq!(house.record(&id).decision_reason(), Some(&*longest));
}

#[test]
fn what_people_approved_is_listed_and_forgotten() {
    let house = House::new();
    assert_eq!(
        house.run(&["memory", "list"]).exits(0).stdout,
        "Nothing is remembered.\n"
    );
    let mut ask = Ask {
        risk: "medium",
        ..Ask::default()
    };
    ask.metadata["arguments_digest"] = format!("hmac-sha256:{}", "a".repeat(64)).into();
    for _ in 0..2 {
        let id = house.ask(&ask);
        house.decide(&id, Decision::Approve, "seen and fine");
    }
    let listed = house.run(&["memory", "list", "--json"]).exits(0).json();
    let fingerprint = listed[0]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(listed[0]["approved_at"].as_array().unwrap().len(), 2);
    let ran = house.run(&["memory", "list"]).exits(0);
    assert!(ran.stdout.contains(&fingerprint) && ran.stdout.contains("billing-adjustment"));
    house
        .run(&["memory", "forget", &fingerprint[..12]])
        .exits(0);
    let ran: Ran = house.run(&["memory", "forget", &fingerprint]).exits(2);
    assert!(ran.stderr.contains("nothing is remembered"), "{ran:?}");
    house.run(&["memory", "forget", &fingerprint[..3]]).exits(2);
}

#[test]
fn what_nobody_waits_for_any_more_is_shown_as_such_until_its_client_comes_back() {
    let house = House::new();
    let ask = |number: u8, resumable: bool| {
        let mut metadata = serde_json::json!({"summary": format!("number {number}")});
        if resumable {
            metadata["arguments_digest"] =
                format!("hmac-sha256:{}", format!("{number:02x}").repeat(32)).into();
            metadata["resume_key"] = "a".repeat(64).into();
        }
        Ask {
            metadata,
            ..Ask::default()
        }
    };
    let left = house.ask_before(&ask(1, true), Duration::from_secs(125));
    house.ask_before(&ask(2, true), Duration::from_secs(100));
    house.ask_before(&ask(3, false), Duration::from_secs(125));
    let listed = house.run(&["approvals", "list"]).exits(0).stdout;
    let line = |text: &str| listed.lines().find(|line| line.contains(text)).unwrap();
    assert!(
        line("number 1").contains("[nobody is waiting] number 1"),
        "{listed}"
    );
    assert!(!line("number 2").contains("nobody") && !line("number 3").contains("nobody"));
    let shown = house.run(&["approvals", "show", &left]).exits(0).stdout;
    assert!(shown.contains("ago; nobody is waiting)"), "{shown}");
    let mut watching = Running::start(&mut house.command(&["approvals", "watch"]));
    let lines = [watching.line(), watching.line(), watching.line()];
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("nobody is waiting"))
            .count(),
        1
    );
    // Looking at it is not waiting for it; asking again is.
    let again = house.run(&["approvals", "list"]).exits(0).stdout;
    assert!(again.contains("nobody is waiting"), "{again}");
    assert_eq!(house.ask(&ask(1, true)), left);
    let back = house.run(&["approvals", "show", &left]).exits(0).stdout;
    assert!(
        back.contains("waiter seen") && !back.contains("nobody"),
        "{back}"
    );
    house.decide(&left, Decision::Approve, "seen and fine");
    let json = house
        .run(&["approvals", "show", &left, "--json"])
        .exits(0)
        .json();
    assert!(json["waiter_seen_at"].is_string(), "{json}");
}
