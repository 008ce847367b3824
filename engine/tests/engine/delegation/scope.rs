//! How far a token reaches, and that no child reaches further.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Given, House, admin, key_of, merged, wide};
use crate::support::Draft;

/// A token of the worker's whose scope is changed so.
fn narrowed(house: &House, name: &str, value: Value) -> Given {
    let mut ask = wide("admin", "worker");
    if name == "tool_subset" {
        ask[name] = value;
    } else {
        ask["scope"][name] = value;
    }
    house.issue(&admin(), &ask)
}

#[test]
fn risk_class_sensitivity_and_tool_are_kept_to() {
    let house = House::new();
    for (name, value, inside, outside) in [
        (
            "max_risk_level",
            json!("medium"),
            Draft::medium(),
            Draft::high(),
        ),
        (
            "allowed_operation_classes",
            json!(["READ"]),
            Draft::read(),
            Draft::medium(),
        ),
        (
            "allowed_data_sensitivities",
            json!(["pii"]),
            Draft::read().meta("data_sensitivity", "PII"),
            Draft::read(),
        ),
        (
            "tool_subset",
            json!(["pay-invoice"]),
            Draft::read(),
            Draft::read().top("action_id", "pay-invoices"),
        ),
    ] {
        let token = narrowed(&house, name, value);
        let answer = house.submit(&token, &inside);
        assert!(
            matches!(answer.status, 200 | 202),
            "{name}: {}",
            answer.body
        );
        house.submit(&token, &outside).is(403, "out_of_scope");
    }
}

#[test]
fn a_tool_may_be_named_by_its_function_as_clients_do() {
    let house = House::new();
    let token = narrowed(&house, "tool_subset", json!(["pay_invoice"]));
    assert_eq!(house.submit(&token, &Draft::read()).status, 200);
    // The other way round nothing is guessed.
    let token = narrowed(&house, "tool_subset", json!(["pay-invoice"]));
    house
        .submit(&token, &Draft::read().top("action_id", "pay_invoice"))
        .is(403, "out_of_scope");
}

#[test]
fn resources_are_members_of_the_metadata_and_all_of_them_must_fit() {
    let house = House::new();
    let token = narrowed(
        &house,
        "resources",
        json!({"account": ["acc_1", 7, true], "systems_touched": ["postgres", "stripe"]}),
    );
    let with = |value: Value| Draft::read().meta("account", value);
    for fits in [
        json!("acc_1"),
        json!(7),
        json!(true),
        json!(["acc_1", 7]),
        json!(["acc_1"]),
    ] {
        assert_eq!(
            house.submit(&token, &with(fits.clone())).status,
            200,
            "{fits}"
        );
    }
    for other in [
        json!("acc_2"),
        json!("ACC_1"),
        json!("7"),
        json!(7.0),
        json!(false),
        json!(null),
        json!([]),
        json!(["acc_1", "acc_2"]),
        json!([["acc_1"]]),
        json!({"id": "acc_1"}),
    ] {
        house.submit(&token, &with(other)).is(403, "out_of_scope");
    }
    house.submit(&token, &Draft::read()).is(403, "out_of_scope");
    let elsewhere = with(json!(7)).meta("systems_touched", json!(["postgres", "mainframe"]));
    house.submit(&token, &elsewhere).is(403, "out_of_scope");
}

#[test]
fn a_child_that_is_broader_than_its_parent_is_refused() {
    let house = House::new();
    let mut ask = wide("admin", "orchestrator");
    ask["scope"] = json!({"max_risk_level": "medium", "allowed_operation_classes": ["read", "update"],
        "allowed_data_sensitivities": ["internal"], "resources": {"account": ["acc_1", "acc_2"]}});
    ask["tool_subset"] = json!(["pay_invoice", "list-invoices"]);
    ask["expires_in_seconds"] = json!(600);
    let root = house.issue(&admin(), &ask);
    let mut child = merged(
        ask,
        &json!({"parent_token_id": root.id,
        "delegator_agent_id": "orchestrator", "delegatee_agent_id": "worker"}),
    );
    let broader = [
        ("/scope/max_risk_level", json!("high")),
        (
            "/scope/allowed_operation_classes",
            json!(["read", "delete"]),
        ),
        (
            "/scope/allowed_data_sensitivities",
            json!(["internal", "PII"]),
        ),
        ("/scope/resources", json!({})),
        ("/scope/resources", json!({"accounts": ["acc_1"]})),
        ("/scope/resources", json!({"account": ["acc_1", "acc_3"]})),
        ("/tool_subset", json!(null)),
        ("/tool_subset", json!(["pay_invoice", "delete-all"])),
        ("/expires_in_seconds", json!(601)),
    ];
    for (place, value) in broader {
        let mut ask = child.clone();
        *ask.pointer_mut(place).unwrap() = value;
        let answer = house.ask(&key_of("orchestrator"), &ask);
        answer.is(403, "out_of_scope");
        let last = place.rsplit('/').next().unwrap();
        assert!(
            answer.reason().contains(last),
            "{place}: {}",
            answer.reason()
        );
    }
    // The same, and less, is none of that.
    house.issue(&key_of("orchestrator"), &child);
    for (place, value) in [
        ("/scope/max_risk_level", json!("low")),
        ("/scope/allowed_operation_classes", json!([])),
        (
            "/scope/resources",
            json!({"account": "acc_2", "region": "eu"}),
        ),
        ("/tool_subset", json!(["pay-invoice"])),
        ("/expires_in_seconds", json!(1)),
    ] {
        *child.pointer_mut(place).unwrap() = value;
        house.issue(&key_of("orchestrator"), &child);
    }
}

#[test]
fn a_child_whose_caller_chose_no_lifetime_ends_with_its_parent() {
    let house = House::new();
    // Both clients send their default, 3,600 s, for the parent and, a minute later, for the child.
    let root = house.root("orchestrator");
    house.bench.pass(60_000);
    let child = house.child(&root, "worker");
    assert_eq!(child.answer["expires_at"], root.answer["expires_at"]);
}

#[test]
fn the_session_of_the_root_is_that_of_the_whole_chain() {
    let house = House::new();
    let mut ask = wide("admin", "orchestrator");
    ask["root_human_session_id"] = json!("ses_1");
    let root = house.issue(&admin(), &ask);
    let child = house.child(&root, "worker");
    assert_eq!(child.answer["root_human_session_id"], "ses_1");
    let mut other = wide("orchestrator", "worker");
    other["parent_token_id"] = json!(root.id);
    other["root_human_session_id"] = json!("ses_2");
    house
        .ask(&key_of("orchestrator"), &other)
        .is(422, "invalid_request");
}

fn words(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(of), 0..3)
}

prop_compose! {
    fn scopes()(
        risk in prop::sample::select(vec!["low", "medium", "high", "critical"]),
        classes in words(&["read", "update", "financial", "READ"]),
        sensitivities in words(&["internal", "PII", "pii"]),
        resources in prop::collection::btree_map(
            prop::sample::select(vec!["account", "region"]),
            prop::collection::vec(prop::sample::select(vec!["x", "y", "z"]), 1..3), 0..3),
        tools in prop::option::of(prop::collection::vec(
            prop::sample::select(vec!["pay-invoice", "pay_invoice", "list"]), 1..3)),
        lifetime in 1_u64..5_000,
    ) -> Value {
        json!({
            "scope": {"max_risk_level": risk, "allowed_operation_classes": classes,
                "allowed_data_sensitivities": sensitivities, "resources": resources},
            "tool_subset": tools, "expires_in_seconds": lifetime,
        })
    }
}

prop_compose! {
    fn submissions()(
        risk in prop::sample::select(vec!["low", "medium", "high", "critical"]),
        class in prop::sample::select(vec!["read", "update", "financial"]),
        sensitivity in prop::sample::select(vec!["internal", "PII"]),
        account in prop::sample::select(vec!["x", "y", "z"]),
        region in prop::option::of(prop::sample::select(vec!["x", "y"])),
        tool in prop::sample::select(vec!["pay-invoice", "pay_invoice", "list"]),
    ) -> Draft {
        let draft = Draft::new(risk, class).meta("data_sensitivity", sensitivity)
            .meta("account", account).top("action_id", tool);
        match region {
            Some(region) => draft.meta("region", region),
            None => draft,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a child of an accepted token lets through, its parent lets through: shown by
    /// asking, not by comparing scopes.
    #[test]
    fn no_child_reaches_further_than_its_parent(
        root in scopes(), child in scopes(), calls in prop::collection::vec(submissions(), 8),
        later in 0_u64..4_000_000,
    ) {
        let house = House::new();
        let root = house.issue(&admin(), &merged(wide("admin", "orchestrator"), &root));
        let ask = merged(wide("orchestrator", "worker"), &child);
        let ask = merged(ask, &json!({"parent_token_id": root.id}));
        let answer = house.ask(&key_of("orchestrator"), &ask);
        if answer.status == 201 {
            let child = Given {
                agent: "worker".into(),
                id: answer.body["token_id"].as_str().unwrap().into(),
                answer: answer.body,
            };
            house.bench.pass(later);
            for call in calls {
                let through = house.submit(&child, &call);
                if matches!(through.status, 200 | 202) {
                    let parent = house.submit(&root, &call);
                    prop_assert!(matches!(parent.status, 200 | 202), "{}", parent.body);
                } else {
                    prop_assert_eq!(through.status, 403);
                }
            }
        } else {
            prop_assert_eq!(answer.word(), "out_of_scope");
        }
    }
}
