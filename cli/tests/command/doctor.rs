//! `doctor`: what is wrong is found, and what to do is said.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::stub::{Stub, json};
use crate::support::{Ask, House, run, sernixa};

fn check<'v>(found: &'v Value, name: &str) -> Vec<&'v Value> {
    let checks = found["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["name"] == name).collect()
}

#[test]
fn a_file_in_order_is_healthy() {
    let house = House::new();
    house.ask(&Ask::default());
    let found = house.run(&["doctor", "--json"]).exits(0).safe().json();
    assert_eq!(found["healthy"], true, "{found}");
    assert!(
        check(&found, "approvals")[0]["found"]
            .as_str()
            .unwrap()
            .starts_with("1 wait")
    );
    assert_eq!(
        check(&found, "version")[0]["found"],
        env!("CARGO_PKG_VERSION")
    );
    let ran = house.run(&["doctor"]).exits(0).safe();
    assert!(ran.stdout.ends_with("All is well.\n"), "{}", ran.stdout);
}

#[test]
fn a_file_that_others_may_read_is_wrong() {
    let house = House::new();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(house.file(), open).unwrap();
    let found = house.run(&["doctor", "--json"]).exits(1).json();
    let wrong = check(&found, "files")[0];
    assert_eq!(wrong["state"], "wrong", "{found}");
    assert!(wrong["advice"].as_str().unwrap().starts_with("chmod 600 "));
}

#[test]
fn variables_that_are_set_wrongly_are_named_without_their_value() {
    let house = House::new();
    let mut command = house.command(&["doctor", "--json"]);
    command
        .env("SERNIXA_MAX_RETRIES", "eleventy")
        .env("SERNIXA_BINDING_KEY", "hunter2")
        .env("SERNIXA_BASEURL", "http://localhost:1");
    let ran = run(&mut command).exits(1);
    assert!(
        !ran.stdout.contains("hunter2") && !ran.stdout.contains("eleventy"),
        "{ran:?}"
    );
    let found = ran.json();
    let said: Vec<_> = check(&found, "environment")
        .iter()
        .map(|check| check["found"].to_string())
        .collect();
    for name in [
        "SERNIXA_MAX_RETRIES",
        "SERNIXA_BINDING_KEY",
        "SERNIXA_BASEURL",
    ] {
        assert!(said.iter().any(|said| said.contains(name)), "{said:?}");
    }
}

#[test]
fn a_service_that_is_not_there_is_wrong() {
    let found = run(&mut sernixa(&[
        "doctor",
        "--json",
        "--base-url",
        "http://127.0.0.1:9",
    ]))
    .exits(1)
    .json();
    assert_eq!(check(&found, "reachable")[0]["state"], "wrong");
    let found = run(&mut sernixa(&["doctor", "--json", "--base-url", "ftp://x"]))
        .exits(1)
        .json();
    assert_eq!(check(&found, "target")[0]["state"], "wrong");
}

#[test]
fn a_service_is_asked_who_one_is_and_what_its_clock_says() {
    let stub = Stub::new(|head, _, out| {
        if head.starts_with("get /ready") {
            let head = "content-type: application/json\r\nconnection: close\r\n\
                        date: Sun, 06 Nov 1994 08:49:37 GMT";
            let body = r#"{"status": "not_ready", "checks": {"store": {"status": "failed", "error": "disk full"}}}"#;
            crate::support::stub::raw(out, 503, head, body);
        } else if head.starts_with("get /api/auth/whoami") {
            json(
                out,
                401,
                r#"{"detail": {"status": "unauthorized", "reason": "unknown key"}}"#,
            );
        } else {
            json(out, 404, "{}");
        }
    });
    let mut command = sernixa(&["doctor", "--json", "--base-url", &stub.url()]);
    let found = run(command.env("SERNIXA_API_KEY", "k"))
        .exits(1)
        .safe()
        .json();
    let of = |name| check(&found, name)[0].clone();
    assert_eq!(
        (&of("clock")["state"], &of("ready")["state"]),
        (&"wrong".into(), &"wrong".into())
    );
    assert_eq!(of("credential")["state"], "wrong");
    assert!(found.to_string().contains("disk full"), "{found}");
    let mut without = sernixa(&["doctor", "--json", "--base-url", &stub.url()]);
    let found = run(&mut without).exits(1).json();
    assert_eq!(check(&found, "credential")[0]["found"], "none is set");
}
