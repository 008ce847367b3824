//! Making tokens, listing them, taking them back.

use serde_json::{Value, json};
use sernixa_engine::{Principal, Request, Role};

use super::{House, admin, key_of, wide};

#[test]
fn a_token_comes_with_everything_that_its_delegatee_needs() {
    let house = House::new();
    let mut ask = wide("admin", "orchestrator");
    ask["scope"]["resources"] = json!({"accounts": ["acc_1", 7, true], "repo": "acme/x"});
    ask["tool_subset"] = json!(["pay-invoice"]);
    ask["root_human_session_id"] = json!("ses_1");
    ask["reason"] = json!("month end");
    let answer = house.issue(&admin(), &ask).answer;
    let id = answer["token_id"].as_str().unwrap();
    assert!(id.starts_with("dgt_") && id.len() == 36);
    assert!(answer["chain_id"].as_str().unwrap().starts_with("chn_"));
    for (name, value) in [
        ("status", json!("active")),
        ("parent_token_id", Value::Null),
        ("depth", json!(1)),
        ("delegator_agent_id", json!("admin")),
        ("delegatee_agent_id", json!("orchestrator")),
        ("scope", ask["scope"].clone()),
        ("tool_subset", json!(["pay-invoice"])),
        ("root_human_session_id", json!("ses_1")),
        ("reason", json!("month end")),
        ("issued_by", json!("admin-key")),
        ("issued_at", json!("2026-05-05T16:53:20.000Z")),
        ("expires_at", json!("2026-05-05T17:53:20.000Z")),
        ("revoked_at", Value::Null),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
    assert_eq!(answer["receipt"]["seq"], 1);
    let event = &house.bench.events()[0];
    assert_eq!(event["event_type"], "delegation_issued");
    assert_eq!(event["token_id"], id);
    assert_eq!(event["owner"], "ada");
}

#[test]
fn no_agent_is_named_as_policies_name_the_owner_of_a_key() {
    let house = House::new();
    let refused = house.ask(&admin(), &wide("admin", "owner:ada"));
    refused.is(422, "invalid_request");
    assert!(refused.reason().contains("delegatee_agent_id"));
}

#[test]
fn the_clients_default_scope_is_taken_and_names_nothing() {
    let house = House::new();
    let mut ask = wide("admin", "worker");
    ask["scope"] = json!({"max_risk_level": "low", "allowed_operation_classes": [],
        "allowed_data_sensitivities": [], "resources": {}});
    let token = house.issue(&admin(), &ask);
    let answer = house.submit(&token, &crate::support::Draft::read());
    answer.is(403, "out_of_scope");
    assert!(
        answer.reason().contains("names none"),
        "{}",
        answer.reason()
    );
}

#[test]
fn a_root_needs_the_admin_role_and_a_child_its_parents_delegatee() {
    let house = House::new();
    let nobody = Principal::new("acme", "auditor-key").with(Role::Auditor);
    house
        .ask(&key_of("worker"), &wide("worker", "helper"))
        .is(403, "forbidden");
    house
        .ask(&nobody, &wide("worker", "helper"))
        .is(403, "forbidden");
    let root = house.root("orchestrator");
    let mut ask = wide("orchestrator", "worker");
    ask["parent_token_id"] = json!(root.id);
    // Another agent's key, also one that is an admin's: the agent is not bound to it.
    house.ask(&key_of("worker"), &ask).is(403, "unknown_agent");
    house.ask(&admin(), &ask).is(403, "forbidden");
    house
        .ask(&admin().with(Role::Agent), &ask)
        .is(403, "unknown_agent");
    // In the name of another agent than the delegatee.
    let mut lie = ask.clone();
    lie["delegator_agent_id"] = json!("worker");
    house
        .ask(&key_of("worker"), &lie)
        .is(403, "mismatched_delegatee");
    let child = house.issue(&key_of("orchestrator"), &ask);
    assert_eq!(child.answer["depth"], 2);
    assert_eq!(child.answer["chain_id"], root.answer["chain_id"]);
    assert_eq!(child.answer["parent_token_id"], root.id);
    let refused = house.bench.event_types();
    assert_eq!(
        refused
            .iter()
            .filter(|kind| **kind == "delegation_refused")
            .count(),
        5,
        "every refusal that reached the state is in the audit: {refused:?}"
    );
}

#[test]
fn a_parent_that_is_unknown_or_of_another_organisation_is_no_parent() {
    let house = House::new();
    let root = house.root("orchestrator");
    let elsewhere = Principal::new("other", "orchestrator-key")
        .with(Role::Agent)
        .with(Role::Admin)
        .acting_as(sernixa_engine::Agents::Any);
    let mut ask = wide("orchestrator", "worker");
    for (caller, parent) in [
        (&elsewhere, root.id.as_str()),
        (
            &key_of("orchestrator"),
            "dgt_00000000000000000000000000000000",
        ),
        (&key_of("orchestrator"), "dgt_123"),
        (&key_of("orchestrator"), "../../etc"),
    ] {
        ask["parent_token_id"] = json!(parent);
        house.ask(caller, &ask).is(403, "invalid_chain");
    }
}

#[test]
fn what_a_token_request_may_hold_is_bounded() {
    let house = House::new();
    let long = |count: usize| "x".repeat(count);
    let mut cases: Vec<(&str, Value)> = Vec::new();
    for name in ["delegator_agent_id", "delegatee_agent_id"] {
        for wrong in [
            json!(null),
            json!(""),
            json!("  "),
            json!(7),
            json!("a\nb"),
            json!(long(257)),
        ] {
            cases.push((name, wrong));
        }
    }
    for wrong in [
        json!(0),
        json!(-1),
        json!(2_592_001),
        json!(1.5),
        json!("60"),
        json!(null),
        json!(1e300),
    ] {
        cases.push(("expires_in_seconds", wrong));
    }
    for wrong in [
        json!([]),
        json!("pay"),
        json!([1]),
        json!([""]),
        json!(vec!["t"; 257]),
        json!([long(257)]),
    ] {
        cases.push(("tool_subset", wrong));
    }
    cases.push(("reason", json!(long(501))));
    cases.push(("root_human_session_id", json!(long(257))));
    cases.push(("parent_token_id", json!(7)));
    let scope = |name: &str, value: Value| {
        let mut scope = wide("a", "b")["scope"].clone();
        scope[name] = value;
        scope
    };
    let many: serde_json::Map<String, Value> =
        (0..33).map(|at| (at.to_string(), json!(1))).collect();
    for wrong in [
        json!(null),
        json!([]),
        scope("max_risk_level", json!("extreme")),
        scope("max_risk_level", json!(null)),
        scope("allowed_operation_classes", json!(null)),
        scope("allowed_operation_classes", json!("read")),
        scope("allowed_operation_classes", json!(vec!["read"; 65])),
        scope("allowed_data_sensitivities", json!([" "])),
        // What nobody here understands is never left out unseen.
        scope("allowed_hours", json!([9, 17])),
        scope("resources", json!(null)),
        scope("resources", json!(["acc_1"])),
        scope("resources", json!({"accounts": []})),
        scope("resources", json!({"accounts": null})),
        scope("resources", json!({"accounts": 1.5})),
        scope("resources", json!({"accounts": {"id": 1}})),
        scope("resources", json!({"accounts": [["acc_1"]]})),
        scope("resources", json!({"": "x"})),
        scope("resources", json!({"accounts": long(2000)})),
        scope("resources", Value::Object(many)),
    ] {
        cases.push(("scope", wrong));
    }
    for (name, wrong) in cases {
        let mut ask = wide("admin", "worker");
        ask[name] = wrong.clone();
        let answer = house.ask(&admin(), &ask);
        answer.is(422, "invalid_request");
        let member = name.strip_suffix("_id").unwrap_or(name);
        assert!(
            answer.reason().contains(member),
            "{name}: {}",
            answer.reason()
        );
    }
    for body in ["", "[]", "null", "{\"scope\":{},\"scope\":{}}"] {
        let answer = house.bench.handle(&admin(), Request::Delegate { body });
        assert_eq!(answer.status, 400, "{body}");
    }
    let huge = format!("{{\"reason\":\"{}\"}}", long(70_000));
    house
        .bench
        .handle(&admin(), Request::Delegate { body: &huge })
        .is(422, "invalid_request");
    assert!(house.list(&admin()).is_empty(), "none of it was made");
}

#[test]
fn the_list_shows_where_each_token_stands_to_those_it_concerns() {
    let house = House::new();
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    let root = house.root("orchestrator");
    house.bench.pass(1);
    let child = house.child(&root, "worker");
    house.bench.pass(1);
    let other = house.root("helper");
    house.bench.pass(1);
    let short = house.issue(
        &admin(),
        &super::merged(wide("admin", "a1"), &json!({"expires_in_seconds": 1})),
    );
    house.bench.pass(1_000);
    house.revoke(&admin(), &root);
    let seen = |caller: &Principal| -> Vec<(String, String)> {
        let word = |token: &Value, name: &str| token[name].as_str().unwrap().to_owned();
        house
            .list(caller)
            .iter()
            .map(|token| (word(token, "token_id"), word(token, "status")))
            .collect()
    };
    let shown = |id: &super::Given, status: &str| (id.id.clone(), status.to_owned());
    let all = vec![
        shown(&short, "expired"),
        shown(&other, "active"),
        // With the token that it narrows.
        shown(&child, "revoked"),
        shown(&root, "revoked"),
    ];
    assert_eq!(seen(&auditor), all);
    assert_eq!(seen(&admin()), all);
    assert_eq!(seen(&key_of("worker")), [all[2].clone()]);
    assert_eq!(
        seen(&key_of("orchestrator")),
        [all[2].clone(), all[3].clone()]
    );
    assert!(seen(&key_of("stranger")).is_empty());
    let elsewhere = Principal::new("other", "admin-key").with(Role::Admin);
    assert!(seen(&elsewhere).is_empty());
    let two = house
        .bench
        .handle(&admin(), Request::Delegations { limit: 2 });
    assert_eq!(two.body.as_array().unwrap().len(), 2);
}

#[test]
fn admin_and_delegator_revoke_and_nobody_else() {
    let house = House::new();
    let root = house.root("orchestrator");
    let child = house.child(&root, "worker");
    house.revoke(&key_of("worker"), &child).is(403, "forbidden");
    house
        .revoke(&key_of("stranger"), &child)
        .is(404, "not_found");
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    house.revoke(&auditor, &child).is(403, "forbidden");
    let elsewhere = Principal::new("other", "admin-key").with(Role::Admin);
    house.revoke(&elsewhere, &child).is(404, "not_found");
    for unknown in ["dgt_1", "", "dgt_00000000000000000000000000000000"] {
        let answer = house
            .bench
            .handle(&admin(), Request::RevokeDelegation { token_id: unknown });
        answer.is(404, "not_found");
    }
    let revoked = house.revoke(&key_of("orchestrator"), &child);
    assert_eq!(
        (revoked.status, &revoked.body["status"]),
        (200, &json!("revoked"))
    );
    assert!(revoked.body["revoked_at"].is_string());
    // Again: nothing changes, nothing is written.
    let events = house.bench.events().len();
    house.bench.pass(5_000);
    assert_eq!(house.revoke(&admin(), &child), revoked);
    assert_eq!(house.bench.events().len(), events);
    let last = house.bench.events().pop().unwrap();
    assert_eq!(
        (&last["event_type"], &last["token_id"]),
        (&json!("delegation_revoked"), &json!(child.id))
    );
    assert_eq!(house.revoke(&admin(), &root).status, 200);
}

#[test]
fn a_secret_in_a_token_request_is_refused_and_written_nowhere() {
    let house = House::new();
    let secret = "AKIAIOSFODNN7EXAMPLE";
    for name in ["reason", "root_human_session_id", "delegatee_agent_id"] {
        let mut ask = wide("admin", "worker");
        ask[name] = json!(secret);
        let answer = house.ask(&admin(), &ask);
        answer.is(422, "invalid_request");
        assert!(!answer.body.to_string().contains(secret));
    }
    let mut ask = wide("admin", "worker");
    ask["scope"]["resources"] = json!({"key": [secret]});
    house.ask(&admin(), &ask).is(422, "invalid_request");
    assert!(house.bench.events().is_empty());
}
