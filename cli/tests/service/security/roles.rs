//! Keys and roles, from the outside.

use crate::security::{assert_refusal, operations};
use crate::support::asked::{Asked, unique};
use crate::support::house::{House, root_token};
use crate::support::http;
use crate::support::serve::{run, sernixa};

#[test]
fn without_a_key_only_health_and_ready_answer() {
    let house = House::production();
    let admin = house.key("admin", "olga", &[]);
    let serve = house.serve();
    let mut open = Vec::new();
    let operations = operations(&serve.caller(&admin));
    assert!(operations.len() >= 20, "{operations:?}");
    for (method, path) in &operations {
        for key in [None, Some(""), Some("e2e-admin"), Some("srnx_live_nobody")] {
            let answer = http::send(serve.address, method, path, key, Some("{}")).unwrap();
            if answer.status == 401 {
                assert_refusal(&answer.json());
            } else {
                open.push(path.as_str());
            }
        }
    }
    open.dedup();
    open.sort_unstable();
    assert_eq!(open, ["/health", "/ready"]);
    // What is not there answers no differently to a stranger.
    for path in [
        "/",
        "/api",
        "/api/nothing",
        "/metrics",
        "/api/approvals/pending/",
    ] {
        let answer = http::send(serve.address, "GET", path, None, None).unwrap();
        assert_eq!(answer.status, 401, "{path}: {}", answer.body);
    }
}

#[test]
fn what_is_refused_is_json_of_one_shape() {
    let house = House::production();
    let admin = house.key("admin", "olga", &[]);
    let serve = house.serve();
    let admin = serve.caller(&admin);
    let answers = [
        admin.get("/api/nothing"),
        http::send(
            admin.address,
            "PATCH",
            "/api/approvals/pending",
            Some(&admin.key),
            None,
        )
        .unwrap(),
        http::send(
            admin.address,
            "POST",
            "/api/actions/execute",
            Some(&admin.key),
            Some("no json"),
        )
        .unwrap(),
        http::send(
            admin.address,
            "POST",
            "/api/actions/execute",
            Some(&admin.key),
            Some(r#"{"a":1,"a":2}"#),
        )
        .unwrap(),
        admin.get("/api/approvals/pending?limit=many"),
        admin.get("/api/approvals/%2e%2e%2fhealth"),
        admin.get("/api/approvals/apr_nothing"),
    ];
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("application/json"),
            "{answer:?}"
        );
        assert_refusal(&answer.json());
    }
}

#[test]
fn an_agent_key_decides_nothing() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let other = house.key("agent", "bob", &[]);
    let auditor = house.key("auditor", "otto", &[]);
    let reviewer = house.key("reviewer", "rita", &[]);
    let serve = house.serve();
    let waiting = serve.caller(&agent).ask(&Asked::new("pay"));
    for key in [&agent, &other, &auditor] {
        let answer = serve.caller(key).decide(&waiting.id, "approved");
        assert!(matches!(answer.status, 403 | 404), "{}", answer.body);
        assert_refusal(&answer.json());
    }
    assert_eq!(
        serve.caller(&reviewer).record(&waiting.id)["status"],
        "pending_review"
    );
    // Nor does a reviewer submit, or an agent read what is not its own.
    serve
        .caller(&reviewer)
        .submit(&Asked::new("pay"))
        .expect(403);
    serve
        .caller(&other)
        .get(&format!("/api/approvals/{}", waiting.id))
        .expect(404);
    for path in [
        "/api/audit/events",
        "/api/audit/head",
        "/api/evidence-bundles/org",
    ] {
        serve.caller(&agent).get(path).expect(403);
    }
}

#[test]
fn nobody_decides_what_their_own_key_asked() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let own = house.key("reviewer", "ann", &[]);
    let both = house.key("agent,reviewer", "bea", &[]);
    let serve = house.serve();
    let waiting = serve.caller(&agent).ask(&Asked::new("pay"));
    for decision in ["approved", "rejected"] {
        let answer = serve.caller(&own).decide(&waiting.id, decision).expect(403);
        assert_eq!(answer.word(), "self_decision");
    }
    let waiting = serve.caller(&both).ask(&Asked::new("pay"));
    assert_eq!(
        serve
            .caller(&both)
            .decide(&waiting.id, "approved")
            .expect(403)
            .word(),
        "self_decision"
    );
}

#[test]
fn in_the_local_demonstration_ones_own_decision_is_marked() {
    let house = House::demo();
    let mut serve = house.serve();
    let caller = serve.caller("e2e-admin");
    let waiting = caller.ask(&Asked::new("pay"));
    caller.approve(&waiting.id);
    assert_eq!(caller.record(&waiting.id)["self_decided"], true);
    assert!(
        serve.log().contains("e2e-admin"),
        "it says at its start which key it takes: {}",
        serve.log()
    );
}

#[test]
fn the_local_demonstration_stays_on_this_machine() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = run(&["serve", "--listen", address]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}

#[test]
fn what_belongs_to_another_organisation_is_not_there() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let stranger = house.key_of("strangers", "admin,agent,reviewer,auditor", "sam");
    let serve = house.serve();
    let waiting = serve.caller(&agent).ask(&Asked::new("pay"));
    let admin = serve.caller(&house.key("admin", "olga", &[]));
    let token = root_token(&admin, "worker-agent");
    let stranger = serve.caller(&stranger);
    let id = &waiting.id;
    stranger.get(&format!("/api/approvals/{id}")).expect(404);
    stranger.decide(id, "approved").expect(404);
    stranger.claim(&waiting, &unique()).expect(404);
    let withdrawal = serde_json::json!({"claim_token": waiting.token});
    stranger
        .post(&format!("/api/approvals/{id}/withdraw"), &withdrawal)
        .expect(404);
    stranger
        .get(&format!("/api/evidence-bundles/approvals/{id}"))
        .expect(404);
    stranger
        .post(
            &format!("/api/delegations/{token}/revoke"),
            &serde_json::json!({"reason": "why not"}),
        )
        .expect(404);
    for list in [
        "/api/approvals/pending",
        "/api/delegations",
        "/api/audit/events",
    ] {
        let answer = stranger.get(list).expect(200);
        assert!(
            !answer.body.contains(id) && !answer.body.contains(&token),
            "{}",
            answer.body
        );
    }
    assert_eq!(admin.record(id)["status"], "pending_review");
}

#[test]
fn a_revoked_key_is_a_strangers() {
    let house = House::production();
    let agent = house.key("agent", "ann", &[]);
    let serve = house.serve();
    let caller = serve.caller(&agent);
    caller.submit(&Asked::harmless("look")).expect(200);
    let listed = sernixa()
        .args([
            "keys",
            "list",
            "--json",
            "--organisation",
            "acme",
            "--store",
        ])
        .arg(house.store())
        .output()
        .unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let id = listed[0]["key_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{listed}"));
    let revoked = sernixa()
        .args(["keys", "revoke", id, "--organisation", "acme", "--store"])
        .arg(house.store())
        .output()
        .unwrap();
    assert!(revoked.status.success(), "{revoked:?}");
    caller.submit(&Asked::harmless("look")).expect(401);
}
