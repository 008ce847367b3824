//! Against the real service, started as a person would.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::served::Served;
use crate::support::{Ask, Running, run};

fn service() -> (TempDir, Served) {
    let folder = TempDir::new().unwrap();
    let served = Served::start(&folder.path().join("service.db"), "0");
    (folder, served)
}

#[test]
fn a_person_decides_at_the_service_what_was_asked_there() {
    let (_folder, served) = service();
    let id = served.ask(&Ask::default());
    let listed = run(&mut served.command(&["approvals", "list"]))
        .exits(0)
        .safe();
    assert!(listed.stdout.contains(&id), "{listed:?}");
    let shown = run(&mut served.command(&["approvals", "show", &id, "--json"])).exits(0);
    assert_eq!(
        shown.json()["metadata"]["summary"],
        "adjust inv_1 by 1250 cents"
    );
    let approve = [
        "approvals",
        "approve",
        &id[..20],
        "--reason",
        "seen and fine",
    ];
    run(&mut served.command(&approve)).exits(0);
    let reject = ["approvals", "reject", &id, "--reason", "too late"];
    let ran = run(&mut served.command(&reject)).exits(2);
    assert!(ran.stderr.contains("approved already"), "{ran:?}");
    run(&mut served.command(&["approvals", "wait", &id])).exits(0);
    let (status, record) = served.send("GET", &format!("/api/approvals/{id}"), "");
    assert_eq!((status, &record["status"]), (200, &Value::from("approved")));
}

#[test]
fn service_and_file_answer_the_same() {
    let (folder, served) = service();
    let id = served.ask(&Ask::default());
    let file = folder.path().join("service.db");
    for arguments in [
        &["approvals", "show", &id, "--json"][..],
        &["approvals", "list", "--json"],
        &["memory", "list", "--json"],
        &["delegations", "list", "--json"],
    ] {
        let over_http = run(&mut served.command(arguments)).exits(0);
        let mut on_file = crate::support::sernixa(arguments);
        let on_file = run(on_file.arg("--store").arg(&file)).exits(0);
        assert_eq!(over_http.stdout, on_file.stdout, "{arguments:?}");
    }
}

#[test]
fn a_wait_at_the_service_hears_of_a_decision_on_its_file() {
    let (folder, served) = service();
    let id = served.ask(&Ask::default());
    let arguments = [
        "approvals",
        "wait",
        &id,
        "--timeout",
        "25",
        "--poll-interval",
        "20",
    ];
    let mut waiting = Running::start(&mut served.command(&arguments));
    assert!(waiting.remark().ends_with(&format!("decision on {id}.")));
    let began = Instant::now();
    let mut decide =
        crate::support::sernixa(&["approvals", "reject", &id, "--reason", "not today"]);
    run(decide.arg("--store").arg(folder.path().join("service.db"))).exits(0);
    let ended = waiting.end().exits(1);
    assert!(ended.stdout.starts_with("REJECTED · "), "{ended:?}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it was told by the stream"
    );
}

#[test]
fn a_watch_outlives_the_service() {
    let (folder, mut served) = service();
    let mut watching = Running::start(&mut served.command(&["approvals", "watch", "--json"]));
    let mut told = || -> Value { serde_json::from_str(&watching.line()).unwrap() };
    let id = served.ask(&Ask::default());
    assert_eq!(told()["approval"]["approval_id"], *id);
    let port = served.port().to_owned();
    served.kill();
    let served = Served::start(&folder.path().join("service.db"), &port);
    let approve = ["approvals", "approve", &id, "--reason", "seen and fine"];
    run(&mut served.command(&approve)).exits(0);
    let ended = told();
    assert_eq!(
        (&ended["change"], &ended["approval"]["status"]),
        (&"ended".into(), &"approved".into())
    );
    let id = served.ask(&Ask::default());
    assert_eq!(told()["approval"]["approval_id"], *id);
    watching.signal(Signal::INT);
    watching.end().exits(0);
}

#[test]
fn a_key_that_is_not_accepted_is_told_what_to_do() {
    let (_folder, served) = service();
    let mut command = served.command(&["approvals", "list"]);
    let ran = run(command.env("SERNIXA_ACCESS_TOKEN", "srnx_live_wrong")).exits(2);
    assert!(
        ran.stderr.contains("SERNIXA_ACCESS_TOKEN") && !ran.stderr.contains("wrong"),
        "{ran:?}"
    );
    let mut command = served.command(&["doctor", "--json"]);
    let found = run(command.env("SERNIXA_ACCESS_TOKEN", "srnx_live_wrong"))
        .exits(1)
        .json();
    let checks = found["checks"].as_array().unwrap();
    assert!(
        checks
            .iter()
            .any(|check| check["name"] == "credential" && check["state"] == "wrong")
    );
}

#[test]
fn doctor_finds_a_demonstration_in_order_and_says_that_it_is_one() {
    let (_folder, served) = service();
    let found = run(&mut served.command(&["doctor", "--json"]))
        .exits(0)
        .safe()
        .json();
    let checks = found["checks"].as_array().unwrap();
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap();
    for name in [
        "reachable",
        "ready",
        "clock",
        "credential",
        "roles",
        "events",
        "transport",
    ] {
        assert_eq!(of(name)["state"], "ok", "{found}");
    }
    assert!(
        of("events")["found"]
            .as_str()
            .unwrap()
            .contains("as they happen"),
        "{found}"
    );
    assert_eq!(of("mode")["state"], "warning");
}

#[test]
fn a_delegation_is_listed_and_taken_back() {
    let (_folder, served) = service();
    let empty = run(&mut served.command(&["delegations", "list"])).exits(0);
    assert_eq!(empty.stdout, "No delegation tokens.\n");
    let ask = serde_json::json!({
        "parent_token_id": null, "delegator_agent_id": "orchestrator",
        "delegatee_agent_id": "worker", "tool_subset": null,
        "scope": {"max_risk_level": "medium", "allowed_operation_classes": ["financial"],
                  "allowed_data_sensitivities": ["financial"], "resources": {}},
        "root_human_session_id": null, "expires_in_seconds": 3600, "reason": "month-end run",
    });
    let (status, made) = served.send("POST", "/api/delegations", &ask.to_string());
    assert!((200..300).contains(&status), "{made}");
    let id = made["token_id"].as_str().unwrap();
    let listed = run(&mut served.command(&["delegations", "list"]))
        .exits(0)
        .safe();
    for text in [
        id,
        "active",
        "orchestrator",
        "worker",
        "medium",
        "month-end run",
    ] {
        assert!(listed.stdout.contains(text), "{text}: {listed:?}");
    }
    run(&mut served.command(&["delegations", "revoke", id])).exits(0);
    let listed = run(&mut served.command(&["delegations", "list", "--json"]))
        .exits(0)
        .json();
    assert_eq!(
        (&listed[0]["token_id"], &listed[0]["status"]),
        (&id.into(), &"revoked".into())
    );
    let unknown = "dgt_00000000000000000000000000000000";
    let ran = run(&mut served.command(&["delegations", "revoke", unknown, "--json"])).exits(2);
    assert!(
        ran.json()["error"].as_str().unwrap().contains("404"),
        "{ran:?}"
    );
}
