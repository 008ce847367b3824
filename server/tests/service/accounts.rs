//! What the reference's command line asks before it works (PROTOCOL 8).

use sernixa_engine::Role;

use crate::rig::{DEMO, Service, make_key};

#[test]
fn the_caller_its_plan_and_its_installation_are_told() {
    let service = Service::start();
    let (id, key) = make_key(&service, "local", "payments", &[Role::Agent, Role::Auditor]);
    let who = service.get("/api/auth/whoami", &key).json();
    assert_eq!(who["principal_id"], *id);
    assert_eq!(who["organization_id"], "local");
    assert_eq!(who["owner"], "payments");
    assert_eq!(who["roles"], serde_json::json!(["agent", "auditor"]));
    let plan = service.get("/api/billing/current-plan", &key).json();
    assert!(plan["subscription"].is_object() && plan["entitlements"].is_object());
    assert!(plan["plan"]["name"].is_string());
    let body = r#"{"installation_id":"x","client":"cli","version":"0.6.9","platform":"linux","integrations":[]}"#;
    let heard = service
        .post("/api/platform/telemetry/installations", DEMO, body)
        .json();
    assert_eq!(heard["accepted"], true);
}

#[test]
fn the_document_of_the_interface_names_every_path() {
    let service = Service::start();
    let document = service.get("/api/openapi.json", DEMO).json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 26, "{}", paths.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let open = path == "/health" || path == "/ready";
            let responses = operation["responses"].as_object().unwrap();
            assert_eq!(responses.contains_key("401"), !open, "{method} {path}");
            assert!(responses.contains_key("503"), "{method} {path}");
            let with_body = operation.get("requestBody").is_some();
            assert_eq!(responses.contains_key("413"), with_body, "{method} {path}");
        }
    }
}

#[test]
fn the_numbers_count_requests_by_route_and_never_by_name() {
    let service = Service::start();
    service.get("/api/approvals/apr_secret_name", DEMO);
    service.get("/some/other/secret_name?x=secret_name", DEMO);
    let numbers = service.get("/metrics", DEMO);
    let text = &numbers.body;
    assert!(
        text.contains(r#"route="/api/approvals/{approval_id}",method="GET",status="404"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"route="unknown",method="GET",status="404"} 1"#),
        "{text}"
    );
    assert!(!text.contains("secret_name"));
    assert!(text.ends_with("# EOF\n"));
}
