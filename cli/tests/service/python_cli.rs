//! The Python CLI 0.6.9 against the local demonstration, with its key `e2e-admin`.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::asked::{Asked, Waiting};
use crate::support::client::Caller;
use crate::support::house::House;
use crate::support::python;

const DEMO_KEY: &str = "e2e-admin";

struct Cli<'a> {
    environment: &'a Path,
    house: &'a House,
    caller: Caller,
}

impl Cli<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        python::program(self.environment, "sernixa", self.house.path())
            .env("SERNIXA_BASE_URL", self.caller.url())
            .env("SERNIXA_ACCESS_TOKEN", &self.caller.key)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What it prints, given that it ends with this code.
    #[track_caller]
    fn says(&self, arguments: &[&str], code: i32) -> String {
        said(&self.run(arguments), code)
    }

    #[track_caller]
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let said = self.says(arguments, code);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}{errors}");
    said
}

fn with_cli(test: impl FnOnce(&Cli<'_>)) {
    let Some(environment) = python::environment("sdk-0.6.9") else {
        return;
    };
    let house = House::demo();
    let serve = house.serve();
    test(&Cli {
        environment: &environment,
        house: &house,
        caller: serve.caller(DEMO_KEY),
    });
}

#[test]
fn it_lists_decides_and_waits() {
    with_cli(|cli| {
        assert!(
            cli.says(&["approvals", "list"], 0)
                .contains("No pending approvals.")
        );
        let Waiting { id, .. } = cli.caller.ask(&Asked::new("refund an order"));
        let listed = cli.json(&["approvals", "list", "--json"], 0);
        assert_eq!(listed[0]["approval_id"], id);
        assert_eq!(listed[0]["status"], "pending_review");
        let line = cli.says(&["decisions"], 0);
        assert!(line.contains(&id) && line.contains("pay-invoice"), "{line}");
        assert!(line.contains("expires="), "{line}");

        let decided = cli.says(
            &[
                "approvals",
                "decide",
                &id,
                "approved",
                "--reason",
                "looks right",
            ],
            0,
        );
        assert!(
            decided.contains(&id) && decided.to_lowercase().contains("approved"),
            "{decided}"
        );
        let waited = cli.json(&["approvals", "wait", &id, "--json"], 0);
        assert_eq!(waited["status"], "approved");
        assert_eq!(waited["approval"]["decision_reason"], "looks right");
        assert_eq!(waited["approval"]["self_decided"], true);

        // Another decision is a conflict, an empty reason is refused, and so is a stranger's id.
        cli.says(
            &[
                "approvals",
                "decide",
                &id,
                "rejected",
                "--reason",
                "no, wait",
            ],
            2,
        );
        let other = cli.caller.ask(&Asked::new("refund another"));
        cli.says(
            &[
                "approvals",
                "decide",
                &other.id,
                "approved",
                "--reason",
                " ",
            ],
            2,
        );
        cli.says(
            &[
                "approvals",
                "decide",
                "apr_nothing",
                "approved",
                "--reason",
                "why not",
            ],
            2,
        );
        cli.says(
            &[
                "approvals",
                "decide",
                &other.id,
                "rejected",
                "--reason",
                "too much",
            ],
            0,
        );
        let waited = cli.says(&["approvals", "wait", &other.id], 1);
        assert!(
            waited.contains("REJECTED") && waited.contains("too much"),
            "{waited}"
        );
    });
}

#[test]
fn it_is_woken_by_the_stream_while_it_waits() {
    with_cli(|cli| {
        let Waiting { id, .. } = cli.caller.ask(&Asked::new("refund an order"));
        // Its poll interval is longer than this test may take, so the event must end the wait.
        let waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                cli.json(
                    &[
                        "approvals",
                        "wait",
                        &id,
                        "--timeout",
                        "60",
                        "--poll-interval",
                        "60",
                        "--json",
                    ],
                    0,
                )
            });
            // The stream's opening repeats what is pending, so it may be open or not yet.
            std::thread::sleep(std::time::Duration::from_millis(1500));
            cli.caller.approve(&id);
            waiting.join().unwrap()
        });
        assert_eq!(waiting["approved"], true, "{waiting}");
        assert_eq!(waiting["event_stream_used"], true);
        assert!(
            waiting["elapsed_seconds"].as_f64().unwrap() < 20.0,
            "{waiting}"
        );
    });
}

#[test]
fn it_reads_the_audit_log() {
    with_cli(|cli| {
        let asked = Asked::new("refund an order")
            .top("request_id", json!("0123456789abcdef0123456789abcdef"));
        cli.caller.ask(&asked);
        cli.caller
            .submit(&Asked::harmless("look it up"))
            .expect(200);
        let all = cli.json(&["events", "--json"], 0);
        let kinds: Vec<&str> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["event_type"].as_str().unwrap())
            .collect();
        assert!(kinds.contains(&"submission_pending_review"), "{kinds:?}");
        assert!(kinds.contains(&"submission_auto_approved"), "{kinds:?}");
        let one = cli.json(
            &[
                "events",
                "--request-id",
                "0123456789abcdef0123456789abcdef",
                "--json",
            ],
            0,
        );
        assert_eq!(one.as_array().unwrap().len(), 1, "{one}");
        let typed = cli.json(
            &["events", "--type", "submission_auto_approved", "--json"],
            0,
        );
        assert_eq!(typed.as_array().unwrap().len(), 1, "{typed}");
        let line = cli.says(&["events", "--type", "submission_pending_review"], 0);
        assert!(line.contains("submission_pending_review"), "{line}");
        assert!(line.contains("0123456789abcdef0123456789abcdef"), "{line}");
    });
}

#[test]
fn it_exports_evidence_and_verifies_it() {
    with_cli(|cli| {
        let waiting = cli.caller.ask(
            &Asked::new("refund an order")
                .with("cents", 1e3)
                .with("note", "grün \u{2028}"),
        );
        cli.caller.approve(&waiting.id);
        cli.caller.ask(&Asked::new("somebody else's"));
        let file = |name: &str| cli.house.path().join(name).to_str().unwrap().to_owned();
        let one = file("one.json");
        let said = cli.says(
            &["evidence", "export", "--approval", &waiting.id, "-o", &one],
            0,
        );
        assert!(said.contains("VALID"), "{said}");
        let all = file("all.json");
        let said = cli.json(&["evidence", "export", "-o", &all, "--json"], 0);
        assert_eq!(said["verification"]["valid"], true, "{said}");
        let range = file("range.json");
        let span = [
            "--from",
            "2020-01-01T00:00:00Z",
            "--to",
            "2099-01-01T00:00:00Z",
        ];
        cli.says(
            &[&["evidence", "export", "-o", &range][..], &span].concat(),
            0,
        );
        for bundle in [&one, &all, &range] {
            let said = cli.says(&["evidence", "verify", bundle], 0);
            assert!(
                said.contains("VALID") && !said.contains("INVALID"),
                "{said}"
            );
        }

        let text = std::fs::read_to_string(&one).unwrap();
        let changed = text.replace("refund an order", "refund no order");
        assert_ne!(text, changed);
        std::fs::write(&one, changed).unwrap();
        let said = cli.says(&["evidence", "verify", &one], 1);
        assert!(said.contains("INVALID"), "{said}");
        cli.says(
            &[
                "evidence",
                "export",
                "--approval",
                "apr_nothing",
                "-o",
                &file("none.json"),
            ],
            2,
        );
    });
}

#[test]
fn it_signs_in() {
    with_cli(|cli| {
        let status = cli.json(&["auth", "status", "--json"], 0);
        assert_eq!(status["signed_in"], true, "{status}");
        assert_eq!(status["credential_type"], "user_session", "{status}");
        let said = cli.says(&["auth", "status"], 0);
        assert!(said.contains("Organization: local"), "{said}");
        let caller = Caller {
            key: "nobody".into(),
            ..cli.caller.clone()
        };
        Cli { caller, ..*cli }.says(&["auth", "status"], 2);
    });
}

#[test]
fn it_signs_in_with_a_key_that_was_made() {
    let Some(environment) = python::environment("sdk-0.6.9") else {
        return;
    };
    let house = House::production();
    let key = house.key("reviewer", "rita", &[]);
    let serve = house.serve();
    let cli = |arguments: &[&str]| {
        let mut command = python::program(&environment, "sernixa", house.path());
        command.args(arguments);
        command
    };
    let login = [
        "auth",
        "login",
        "--api-key-stdin",
        "--base-url",
        &serve.url(),
    ];
    let sign_in = |key: &str| {
        let mut child = cli(&login)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(key.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    said(&sign_in("srnx_live_nobody"), 2);
    let welcome = said(&sign_in(&key), 0);
    assert!(welcome.contains("Signed in · acme"), "{welcome}");
    // What it stored is enough for the rest.
    let status = said(&cli(&["auth", "status", "--json"]).output().unwrap(), 0);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["organization_id"], "acme");
    assert_eq!(status["credential_type"], "api_key");
    said(&cli(&["approvals", "list"]).output().unwrap(), 0);
}
