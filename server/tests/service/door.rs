//! Who comes in.

use sernixa_engine::Role;

use crate::rig::{DEMO, Service, action, make_key, request, revoke_key};

/// Every path with its methods; `X` stands for a name.
const PATHS: [(&str, &str); 28] = [
    ("POST", "/api/actions/execute"),
    ("POST", "/api/mcp/tools/call"),
    ("POST", "/api/mcp/tools/visible"),
    ("GET", "/api/approvals/pending"),
    ("GET", "/api/approvals/events"),
    ("POST", "/api/approvals/outcomes"),
    ("GET", "/api/approvals/X"),
    ("POST", "/api/approvals/X/decision"),
    ("POST", "/api/approvals/X/claim"),
    ("POST", "/api/approvals/X/withdraw"),
    ("POST", "/api/delegations"),
    ("GET", "/api/delegations"),
    ("POST", "/api/delegations/X/revoke"),
    ("GET", "/api/memory"),
    ("DELETE", "/api/memory/X"),
    ("GET", "/api/audit/events"),
    ("GET", "/api/audit/head"),
    ("GET", "/api/audit/verify"),
    ("GET", "/api/evidence-bundles/approvals/X"),
    ("GET", "/api/evidence-bundles/time-range"),
    ("GET", "/api/evidence-bundles/org"),
    ("POST", "/api/evidence-bundles/verify"),
    ("GET", "/api/auth/whoami"),
    ("GET", "/api/billing/current-plan"),
    ("POST", "/api/platform/telemetry/installations"),
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
    ("GET", "/nothing/here"),
];

#[test]
fn without_a_key_only_health_and_readiness_answer() {
    let service = Service::with(|config| config.limits.attempts_per_minute = 10_000);
    for path in ["/health", "/ready"] {
        assert_eq!(service.get(path, "").status, 200, "{path}");
    }
    for (method, path) in PATHS {
        for key in ["", "wrong", "srnx_live_0000", "E2E-ADMIN", "e2e-admin2"] {
            let reply = service.call(method, path, key, Some("{}"));
            assert_eq!(reply.status, 401, "{method} {path} {key}");
            assert_eq!(reply.word(), "unauthenticated");
            assert_eq!(reply.header("www-authenticate"), Some("bearer"));
        }
    }
    for path in ["/health/", "/ready/", "/health/x", "/%68ealth", "//health"] {
        assert_eq!(service.get(path, "").status, 401, "{path}");
    }
}

#[test]
fn a_credential_is_one_bearer_token_and_nothing_else() {
    let service = Service::start();
    let with = |lines: &str| {
        let text = format!("GET /api/auth/whoami HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n\r\n");
        service.raw(text.as_bytes()).status
    };
    assert_eq!(with("authorization: Bearer e2e-admin"), 200);
    assert_eq!(with("authorization: bearer e2e-admin"), 200);
    for odd in [
        "authorization: e2e-admin",
        "authorization: Basic e2e-admin",
        "authorization: Bearer",
        "authorization: Bearer ",
        "authorization: Bearer e2e-admin, Bearer e2e-admin",
        "authorization: Bearer e2e-admin\r\nauthorization: Bearer e2e-admin",
        "x-api-key: e2e-admin",
        "cookie: authorization=e2e-admin",
    ] {
        assert_eq!(with(odd), 401, "{odd}");
    }
    assert_eq!(
        service.get("/api/auth/whoami?api_key=e2e-admin", "").status,
        401
    );
}

#[test]
fn each_role_does_its_own_work_and_no_other() {
    let service = Service::start();
    let asked = service.post("/api/actions/execute", DEMO, &action("high", "pay"));
    let id = asked.json()["approval_id"].as_str().unwrap().to_owned();
    let decision = format!("/api/approvals/{id}/decision");
    let yes = r#"{"decision":"approved","reason":"seen and fine"}"#;
    let key = |role| make_key(&service, "local", "someone", &[role]).1;
    let (agent, reviewer) = (key(Role::Agent), key(Role::Reviewer));
    let (auditor, admin) = (key(Role::Auditor), key(Role::Admin));
    // An agent key cannot decide, nor read the audit, nor see what another asked.
    for denied in [&agent, &auditor, &admin] {
        let reply = service.post(&decision, denied, yes);
        assert_eq!((reply.status, reply.word()), (403, "forbidden".to_owned()));
    }
    assert_eq!(service.get("/api/audit/events", &agent).status, 403);
    assert_eq!(
        service.get(&format!("/api/approvals/{id}"), &agent).status,
        404
    );
    assert_eq!(service.get("/metrics", &agent).status, 403);
    assert_eq!(service.get("/metrics", &auditor).status, 200);
    // Nobody but an agent asks.
    for denied in [&reviewer, &auditor, &admin] {
        let reply = service.post("/api/actions/execute", denied, &action("low", "look"));
        assert_eq!(reply.status, 403);
    }
    let huge = service.post("/api/evidence-bundles/verify", &reviewer, "{}");
    assert_eq!(huge.status, 403);
    assert_eq!(service.post(&decision, &reviewer, yes).status, 200);
}

#[test]
fn a_revoked_key_is_out_at_once() {
    let service = Service::start();
    let (id, key) = make_key(&service, "local", "payments", &[Role::Agent]);
    let mut stream = service.connect();
    let ask = |stream: &mut std::net::TcpStream| {
        use std::io::Write as _;
        let text = request("GET", "/api/auth/whoami", &key, None);
        stream.write_all(text.as_bytes()).unwrap();
        crate::rig::Reply::read(stream).status
    };
    assert_eq!(ask(&mut stream), 200);
    revoke_key(&service, "local", &id);
    // Also on the connection that it came in by.
    assert_eq!(ask(&mut stream), 401);
}

#[test]
fn a_web_page_cannot_reach_a_demonstration_under_its_own_name() {
    let service = Service::start();
    let with = |host: &str| {
        let text = format!(
            "GET /api/auth/whoami HTTP/1.1\r\n{host}authorization: Bearer e2e-admin\r\n\r\n"
        );
        service.raw(text.as_bytes())
    };
    for host in [
        "localhost",
        "localhost:8000",
        "127.0.0.1:9",
        "[::1]:9",
        "LOCALHOST",
    ] {
        assert_eq!(with(&format!("host: {host}\r\n")).status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "127.0.0.1.nip.io",
    ] {
        let reply = with(&format!("host: {host}\r\n"));
        assert_eq!(reply.status, 421, "{host}");
        assert_eq!(reply.word(), "misdirected_request");
    }
    let form = "POST /api/actions/execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
                e2e-admin\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(service.raw(form.as_bytes()).status, 415);
}
