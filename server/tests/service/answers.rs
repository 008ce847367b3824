//! What is answered: PROTOCOL 0 to the letter.

use crate::rig::{DEMO, Service, action};

#[test]
fn an_allow_is_exactly_200_and_accepted_a_wait_exactly_202() {
    let service = Service::start();
    let allowed = service.post("/api/actions/execute", DEMO, &action("low", "look"));
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.json()["status"], "accepted");
    assert_eq!(allowed.json()["decision"], "auto_approved");
    let waits = service.post("/api/actions/execute", DEMO, &action("high", "pay"));
    assert_eq!(waits.status, 202);
    let waits = waits.json();
    assert_eq!(waits["status"], "pending_review");
    let offered = waits["capabilities"].as_array().unwrap();
    assert!(offered.iter().any(|one| one == "events"), "{offered:?}");
    let id = waits["approval_id"].as_str().unwrap();
    assert!(
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    );
    let record = service.get(&format!("/api/approvals/{id}"), DEMO);
    assert_eq!(record.status, 200);
    assert_eq!(record.json()["status"], "pending_review");
    let waited = service.get(&format!("/api/approvals/{id}?waiting=true"), DEMO);
    assert_eq!(waited.json(), record.json());
    assert!(record.json().get("claim_token").is_none());
    let listed = service.get("/api/approvals/pending?limit=25", DEMO).json();
    assert_eq!(listed[0]["approval_id"], id);
}

#[test]
fn every_no_is_json_with_a_detail_and_never_below_400() {
    let service = Service::start();
    let execute = "/api/actions/execute";
    for (method, path, body, status) in [
        ("POST", execute, "", 400),
        ("POST", execute, "{", 400),
        ("POST", execute, "[]", 400),
        ("POST", execute, "null", 400),
        ("POST", execute, r#"{"intent_id":"a","intent_id":"b"}"#, 400),
        ("POST", execute, "{}", 422),
        ("GET", execute, "", 405),
        ("PUT", execute, "{}", 405),
        ("DELETE", "/api/approvals/x", "", 405),
        ("GET", "/api/approvals/x", "", 404),
        ("GET", "/api/approvals/..%2f..%2fhealth", "", 404),
        ("GET", "/api/approvals/%ff", "", 404),
        ("GET", "/api/approvals/apr_%00", "", 404),
        ("GET", "/api/approvals/x?waiting=true", "", 404),
        ("GET", "/api/approvals/x?waiting=yes", "", 422),
        (
            "GET",
            "/api/approvals/x?waiting=true&waiting=false",
            "",
            422,
        ),
        ("POST", "/api/approvals/x/decision", "{}", 404),
        ("GET", "/api/approvals/pending?limit=0", "", 422),
        ("GET", "/api/approvals/pending?limit=101", "", 422),
        ("GET", "/api/approvals/pending?limit=-1", "", 422),
        ("GET", "/api/approvals/pending?limit=", "", 422),
        ("GET", "/api/approvals/pending?limit=x&limit=1", "", 422),
        ("GET", "/api/evidence-bundles/org?team_id=a", "", 422),
        ("GET", "/api/evidence-bundles/time-range", "", 422),
        ("GET", "/api/nothing", "", 404),
        ("GET", "/", "", 404),
        ("GET", "/index.html", "", 404),
        ("GET", "/api/actions/execute/", "", 404),
        ("GET", "/api/auth/whoami/", "", 404),
        ("OPTIONS", execute, "", 405),
        ("BREW", execute, "", 405),
    ] {
        let reply = service.call(method, path, DEMO, Some(body));
        assert_eq!(
            reply.status, status,
            "{method} {path} {body}: {}",
            reply.body
        );
        reply.word();
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("location"), None);
    }
}

#[test]
fn a_body_is_json_in_utf_8_without_any_coding() {
    let service = Service::start();
    let send = |head: &str, body: &[u8]| {
        let mut bytes = format!(
            "POST /api/actions/execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
             {DEMO}\r\ncontent-length: {}\r\n{head}\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        service.raw(&bytes)
    };
    let good = action("low", "look");
    let good = good.as_bytes();
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(
            send(&format!("content-type: {kind}\r\n"), good).status,
            200,
            "{kind}"
        );
    }
    for head in [
        "",
        "content-type: text/json\r\n",
        "content-type: application/problem+json\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-type: application/json\r\ncontent-encoding: gzip\r\n",
    ] {
        let reply = send(head, good);
        assert_eq!(
            (reply.status, reply.word()),
            (415, "not_json".to_owned()),
            "{head}"
        );
    }
    let reply = send("content-type: application/json\r\n", b"{\"a\": \"\xff\"}");
    assert_eq!(
        (reply.status, reply.word()),
        (400, "invalid_request".to_owned())
    );
}

#[test]
fn the_same_nonce_gets_the_same_answer_and_another_body_gets_none() {
    let service = Service::start();
    let with_nonce = |name: &str| {
        let nonce = format!("{{\"nonce\":\"{}\",", "ab".repeat(16));
        action("high", name).replacen('{', &nonce, 1)
    };
    let first = service.post("/api/actions/execute", DEMO, &with_nonce("pay"));
    let again = service.post("/api/actions/execute", DEMO, &with_nonce("pay"));
    assert_eq!((first.status, &first.body), (202, &again.body));
    let other = service.post("/api/actions/execute", DEMO, &with_nonce("steal"));
    assert_eq!(
        (other.status, other.word()),
        (403, "replayed_nonce".to_owned())
    );
}
