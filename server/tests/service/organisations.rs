//! Two organisations on one service: to each other, they do not exist.

use sernixa_engine::{Role, SelfDecision};

use crate::rig::{Service, action, make_key};

const EVERY: [Role; 4] = Role::ALL;

#[test]
fn ids_of_another_organisation_are_not_found() {
    let service = Service::start();
    let (_, ours) = make_key(&service, "ours", "a", &EVERY);
    let (_, theirs) = make_key(&service, "theirs", "b", &EVERY);
    let asked = service.post("/api/actions/execute", &ours, &action("high", "pay"));
    assert_eq!(asked.status, 202);
    let asked = asked.json();
    let id = asked["approval_id"].as_str().unwrap();
    let token = asked["claim_token"].as_str().unwrap();
    let hash = asked["body_hash"].as_str().unwrap();
    let yes = r#"{"decision":"approved","reason":"seen and fine"}"#.to_owned();
    let claim = format!(
        r#"{{"claim_token":"{token}","claim_id":"{}","body_hash":"{hash}"}}"#,
        "0".repeat(32)
    );
    let withdraw = format!(r#"{{"claim_token":"{token}"}}"#);
    for (path, body) in [
        (format!("/api/approvals/{id}/decision"), yes),
        (format!("/api/approvals/{id}/claim"), claim),
        (format!("/api/approvals/{id}/withdraw"), withdraw),
    ] {
        let reply = service.post(&path, &theirs, &body);
        assert_eq!(
            (reply.status, reply.word()),
            (404, "not_found".to_owned()),
            "{path}"
        );
    }
    for path in [
        format!("/api/approvals/{id}"),
        format!("/api/evidence-bundles/approvals/{id}"),
    ] {
        let (reply, unknown) = (
            service.get(&path, &theirs),
            service.get(
                &path.replace(id, "apr_00000000000000000000000000000000"),
                &theirs,
            ),
        );
        assert_eq!((reply.status, &reply.body), (404, &unknown.body), "{path}");
    }
    assert_eq!(
        service.get("/api/approvals/pending", &theirs).json(),
        serde_json::json!([])
    );
    let audit = service.get("/api/audit/events?limit=100", &theirs);
    assert!(!audit.body.contains(id), "{}", audit.body);
    assert_eq!(
        service.get(&format!("/api/approvals/{id}"), &ours).status,
        200
    );
}

#[test]
fn nobody_decides_what_their_own_keys_asked() {
    let service = Service::with(|config| config.settings.self_decision = SelfDecision::Refused);
    let (_, asks) = make_key(&service, "ours", "maria", &[Role::Agent]);
    let (_, same) = make_key(&service, "ours", "maria", &[Role::Reviewer]);
    let (_, other) = make_key(&service, "ours", "ines", &[Role::Reviewer]);
    let asked = service.post("/api/actions/execute", &asks, &action("high", "pay"));
    let id = asked.json()["approval_id"].as_str().unwrap().to_owned();
    let path = format!("/api/approvals/{id}/decision");
    let yes = r#"{"decision":"approved","reason":"seen and fine"}"#;
    let reply = service.post(&path, &same, yes);
    assert_eq!(
        (reply.status, reply.word()),
        (403, "self_decision".to_owned())
    );
    let decided = service.post(&path, &other, yes).json();
    assert_eq!(decided["status"], "approved");
    assert_eq!(decided["self_decided"], false);
}

#[test]
fn a_demonstration_lets_the_asker_decide_and_marks_it() {
    let service = Service::start();
    let demo = crate::rig::DEMO;
    let asked = service.post("/api/actions/execute", demo, &action("high", "pay"));
    let id = asked.json()["approval_id"].as_str().unwrap().to_owned();
    let path = format!("/api/approvals/{id}/decision");
    let decided = service.post(&path, demo, r#"{"decision":"approved","reason":"my own"}"#);
    assert_eq!(decided.json()["self_decided"], true);
}
