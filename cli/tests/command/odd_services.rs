//! Services of others, and what is none: only an answer is an answer, and no secret goes astray.

use std::io::Write as _;
use std::process::Command;

use crate::support::stub::{Stub, json, raw};
use crate::support::{Ran, run, sernixa};

const TOKEN: &str = "srnx_live_0123456789abcdef";

fn command(stub: &Stub, arguments: &[&str]) -> Command {
    let mut command = sernixa(arguments);
    command
        .env("SERNIXA_BASE_URL", stub.url())
        .env("SERNIXA_ACCESS_TOKEN", TOKEN);
    command
}

#[track_caller]
fn asked(stub: &Stub, arguments: &[&str]) -> Ran {
    let ran = run(&mut command(stub, arguments)).safe();
    assert!(
        !ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN),
        "{ran:?}"
    );
    ran
}

#[test]
fn fields_that_are_missing_or_unknown_do_no_harm() {
    let stub = Stub::json(
        200,
        r#"[{"approval_id": "a/1", "status": "pending", "odd": {"x": [1]}, "risk_level": 7}, 3, null,
            {"action_id": "only", "expires_at": "never"}]"#,
    );
    let ran = asked(&stub, &["approvals", "list"]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(lines[1].starts_with("a/1") && lines[1].contains(" 7 ") && lines[1].contains(" - "));
    assert!(lines[2].contains("only"));
    let stub = Stub::json(
        200,
        r#"{"approval_id": "a/1", "status": "Pending", "more": true}"#,
    );
    let ran = asked(&stub, &["approvals", "show", "a/1"]).exits(0);
    assert!(ran.stdout.contains("summary          -"), "{ran:?}");
    let head = stub.heads().concat();
    assert!(head.starts_with("get /api/approvals/a%2f1 "), "{head}");
    assert!(head.contains(&format!("authorization: bearer {TOKEN}")));
}

#[test]
fn a_decision_is_what_the_reference_sends() {
    let stub = Stub::new(|_, body, out| {
        assert_eq!(body, r#"{"decision":"approved","reason":"seen and fine"}"#);
        json(out, 200, r#"{"approval_id": "x", "decision": "approved"}"#);
    });
    let arguments = ["approvals", "approve", "x", "--reason", "  seen and fine\n"];
    let ran = asked(&stub, &arguments).exits(0);
    assert_eq!(ran.stdout, "Approval x approved.\n");
    assert!(stub.heads()[0].starts_with("post /api/approvals/x/decision "));
}

#[test]
fn a_refusal_says_what_the_service_said() {
    for (status, body, says) in [
        (
            409,
            r#"{"detail": {"status": "rejected", "reason": "it is rejected already"}}"#,
            "it is rejected already",
        ),
        (404, r#"{"detail": "Not Found"}"#, "Not Found (404)"),
        (
            401,
            r#"{"detail": {"status": "unauthorized", "reason": "unknown key"}}"#,
            "SERNIXA_ACCESS_TOKEN",
        ),
        (
            403,
            r#"{"detail": {"status": "forbidden", "reason": "forbidden"}}"#,
            "forbidden (403)",
        ),
        (429, "{}", "too many requests"),
        (503, "no JSON at all", "503"),
        (
            500,
            r#"{"detail": {"status": "x", "reason": "\u001b[2J\u202e"}}"#,
            r"\u{1b}[2J\u{202e}",
        ),
    ] {
        let stub = Stub::json(status, body);
        let ran = asked(&stub, &["approvals", "show", "x"]).exits(2);
        assert!(ran.stderr.contains(says), "{status}: {ran:?}");
        let ran = asked(&stub, &["approvals", "show", "x", "--json"]).exits(2);
        assert_eq!(ran.json()["exit_code"], 2);
    }
}

#[test]
fn a_redirect_is_not_followed_and_takes_no_credential_along() {
    let elsewhere = Stub::json(200, "[]");
    let target = elsewhere.url();
    let stub = Stub::new(move |_, _, out| {
        let head = format!("location: {target}/api/approvals/pending\r\nconnection: close");
        raw(out, 302, &head, "[]");
    });
    let ran = asked(&stub, &["approvals", "list"]).exits(2);
    assert!(ran.stderr.contains("redirects"), "{ran:?}");
    assert!(elsewhere.heads().is_empty());
}

#[test]
fn what_is_no_answer_is_no_answer() {
    let html = Stub::new(|_, _, out| {
        raw(
            out,
            200,
            "content-type: text/html\r\nconnection: close",
            "<html>[]</html>",
        );
    });
    let ran = asked(&html, &["approvals", "list"]).exits(2);
    assert!(ran.stderr.contains("no JSON"), "{ran:?}");
    for body in ["", "{", "{}", "[{\"a\": 1, \"a\": 2}]", "[] []", "null"] {
        let stub = Stub::json(200, body);
        asked(&stub, &["approvals", "list"]).exits(2);
    }
    let cut = Stub::new(|_, _, out| {
        let _ = write!(
            out,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n["
        );
    });
    asked(&cut, &["approvals", "list"]).exits(2);
    let silent = Stub::new(|_, _, _| std::thread::sleep(crate::support::PATIENCE));
    let mut command = command(&silent, &["approvals", "list"]);
    let ran = run(command.env("SERNIXA_TIMEOUT_SECONDS", "0.2")).exits(2);
    assert!(ran.stderr.contains("did not answer in time"), "{ran:?}");
}

#[test]
fn a_service_that_is_not_there_says_what_else_there_is() {
    let ran = run(&mut sernixa(&[
        "approvals",
        "list",
        "--base-url",
        "http://127.0.0.1:9",
    ]))
    .exits(2);
    assert!(
        ran.stderr.contains("sernixa serve") && ran.stderr.contains("--store"),
        "{ran:?}"
    );
}

#[test]
fn addresses_that_leak_or_mislead_are_refused_without_being_quoted() {
    for (url, says) in [
        ("http://approvals.example", "plain http"),
        ("http://user:hunter2@localhost", "user name"),
        ("http://@localhost:8000", "user name"),
        ("http://localhost/?token=hunter2", "query"),
        ("ftp://localhost", "http(s)"),
        ("localhost:8000", "http(s)"),
        ("http://local host", "blank"),
        ("embedded:", "--store"),
    ] {
        let ran = run(&mut sernixa(&["approvals", "list", "--base-url", url])).exits(2);
        assert!(ran.stderr.contains(says), "{url}: {ran:?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn a_credential_comes_from_a_file_or_the_environment_and_is_checked() {
    let stub = Stub::json(200, "[]");
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "  from-a-file\n").unwrap();
    let mut with_file = command(&stub, &["approvals", "list"]);
    run(with_file.arg("--token-file").arg(&file)).exits(0);
    assert!(stub.heads()[0].contains("authorization: bearer from-a-file\r\n"));
    for (content, says) in [("\n", "empty"), ("zwei wörter", "token")] {
        std::fs::write(&file, content).unwrap();
        let mut with_file = command(&stub, &["approvals", "list"]);
        let ran = run(with_file.arg("--token-file").arg(&file)).exits(2);
        assert!(ran.stderr.contains(says), "{ran:?}");
        assert!(!ran.stderr.contains("wörter"));
    }
    let mut without = command(&stub, &["approvals", "list"]);
    run(without
        .env("SERNIXA_ACCESS_TOKEN", " ")
        .env("SERNIXA_API_KEY", "the-key"))
    .exits(0);
    assert!(stub.heads()[1].contains("authorization: bearer the-key\r\n"));
}

#[test]
fn a_wait_goes_on_through_trouble_and_falls_back_to_asking() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let looks = AtomicUsize::new(0);
    let stub = Stub::new(move |head, _, out| {
        if head.starts_with("get /api/approvals/events") {
            return json(out, 404, r#"{"detail": "Not Found"}"#);
        }
        match looks.fetch_add(1, Ordering::Relaxed) {
            0 => json(out, 200, r#"{"approval_id": "x", "status": "pending"}"#),
            1 => json(out, 503, r#"{"detail": "restarting"}"#),
            2 => {} // Closed without a word.
            _ => json(
                out,
                200,
                r#"{"approval_id": "x", "status": "APPROVED", "decision_reason": "ok then"}"#,
            ),
        }
    });
    let arguments = [
        "approvals",
        "wait",
        "x",
        "--timeout",
        "30",
        "--poll-interval",
        "1",
        "--json",
    ];
    let ended = asked(&stub, &arguments).exits(0).json();
    assert_eq!(
        (&ended["approved"], &ended["status"]),
        (&true.into(), &"approved".into())
    );
    assert_eq!(ended["event_stream_used"], false);
}

#[test]
fn a_decision_between_the_first_look_and_the_stream_is_not_missed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let streaming = Arc::new(AtomicBool::new(false));
    let stub = Stub::new(move |head, _, out| {
        if head.starts_with("get /api/approvals/events") {
            assert!(head.contains("accept: text/event-stream"));
            // It is decided now, and the stream never says so.
            streaming.store(true, Ordering::SeqCst);
            let _ = write!(
                out,
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n"
            );
            std::thread::sleep(crate::support::PATIENCE);
        } else if streaming.load(Ordering::SeqCst) {
            json(out, 200, r#"{"approval_id": "x", "status": "rejected"}"#);
        } else {
            json(
                out,
                200,
                r#"{"approval_id": "x", "status": "pending_review"}"#,
            );
        }
    });
    let arguments = [
        "approvals",
        "wait",
        "x",
        "--timeout",
        "25",
        "--poll-interval",
        "20",
        "--json",
    ];
    let ended = asked(&stub, &arguments).exits(1).json();
    assert!(ended["elapsed_seconds"].as_f64().unwrap() < 10.0, "{ended}");
}

#[test]
fn a_stream_that_breaks_is_taken_up_where_it_broke() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let streams = AtomicUsize::new(0);
    let resumed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let done = std::sync::Arc::clone(&resumed);
    let stub = Stub::new(move |head, _, out| {
        let event = "content-type: text/event-stream\r\nconnection: close";
        if !head.starts_with("get /api/approvals/events") {
            let status = if done.load(Ordering::SeqCst) {
                "approved"
            } else {
                "pending"
            };
            return json(
                out,
                200,
                &format!(r#"{{"approval_id": "x", "status": "{status}"}}"#),
            );
        }
        if streams.fetch_add(1, Ordering::SeqCst) == 0 {
            assert!(!head.contains("last-event-id"), "{head}");
            // An event of another approval, one that is none, and the end in the middle of a third.
            let text = "id: 41\ndata: {\"approval_id\": \"y\"}\n\nid: 42\n\ndata: {\"appr";
            return raw(out, 200, event, text);
        }
        assert!(head.contains("last-event-id: 42\r\n"), "{head}");
        done.store(true, Ordering::SeqCst);
        raw(
            out,
            200,
            event,
            "id: 43\ndata: {\"approval_id\": \"x\"}\n\n",
        );
    });
    let arguments = [
        "approvals",
        "wait",
        "x",
        "--timeout",
        "25",
        "--poll-interval",
        "20",
        "--json",
    ];
    let ended = asked(&stub, &arguments).exits(0).json();
    assert_eq!(ended["event_stream_used"], true);
    assert!(resumed.load(std::sync::atomic::Ordering::SeqCst));
}

#[test]
fn an_event_without_end_fills_no_memory() {
    let stub = Stub::new(|head, _, out| {
        if !head.starts_with("get /api/approvals/events") {
            return json(out, 200, r#"{"approval_id": "x", "status": "pending"}"#);
        }
        let _ = write!(
            out,
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: "
        );
        let chunk = vec![b'x'; 1 << 20];
        // Until nobody reads any more: well before the test's patience.
        while out.write_all(&chunk).is_ok() {}
    });
    let arguments = ["approvals", "wait", "x", "--timeout", "1", "--json"];
    let ended = asked(&stub, &arguments).exits(1).json();
    assert_eq!(ended["terminal"], false);
}
