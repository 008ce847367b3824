//! Tools that need not be shown: whatever is said of them in a call, the policy set refuses it.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use sernixa_engine::{Engine, Principal, Request, Role};

use crate::cedar::{ASK, METADATA, RUN, load};
use crate::support::{Answered, Bench, Draft, agent};

const READ: &str = "mcp.read";
const WRITE: &str = "mcp.write";
const FILES: &str = "mcp:files";
const MAIL: &str = "mcp:mail";

fn under(policies: &[&str]) -> Bench {
    let set = load(policies, METADATA).unwrap_or_else(|error| panic!("{error}"));
    Bench::new(Engine::builder().policy(Arc::new(set)).build().unwrap())
}

fn ask(bench: &Bench, caller: &Principal, body: &Value) -> Answered {
    let body = &*body.to_string();
    bench.handle(caller, Request::VisibleTools { body })
}

/// Which of reading and writing files, and of reading and writing mail, are visible.
fn visible_to(bench: &Bench, caller: &Principal) -> [bool; 4] {
    let tools = [(READ, FILES), (WRITE, FILES), (READ, MAIL), (WRITE, MAIL)];
    let tools = tools.map(|(action, intent)| json!({"action_id": action, "intent_id": intent}));
    let answer = ask(bench, caller, &json!({ "tools": tools }));
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_value(answer.body["visible"].clone()).unwrap()
}

fn visible(policies: &[&str]) -> [bool; 4] {
    visible_to(&under(policies), &agent())
}

#[test]
fn what_no_policy_permits_is_hidden() {
    assert_eq!(visible(&[RUN]), [false; 4]);
    assert_eq!(visible(&[ASK]), [true; 4]);
    let tool = r#"@id("t") permit(principal, action == Sernixa::Action::"request",
        resource == Sernixa::Tool::"mcp.read");"#;
    assert_eq!(visible(&[tool]), [true, false, true, false]);
    let intent = r#"@id("i") permit(principal, action, resource in Sernixa::Intent::"mcp:files");"#;
    assert_eq!(visible(&[intent]), [true, true, false, false]);
    assert_eq!(visible(&[tool, intent]), [true, true, true, false]);
}

#[test]
fn a_permit_with_conditions_may_hold_for_some_call() {
    for condition in [
        "when { context.risk <= 2 }",
        r#"unless { context.risk_level == "low" }"#,
        r#"when { resource in Sernixa::Intent::"mcp:mail" }"#,
        // Never true; that is not looked into.
        "when { context.risk > 9 && context.metadata has cents }",
    ] {
        let policy = format!(
            r#"@id("c") permit(principal, action == Sernixa::Action::"request", resource) {condition};"#
        );
        assert_eq!(visible(&[&policy]), [true; 4], "{condition}");
    }
}

#[test]
fn what_is_forbidden_whatever_is_said_is_hidden_and_what_is_forbidden_at_times_is_not() {
    let always = r#"@id("f") forbid(principal, action == Sernixa::Action::"request",
        resource == Sernixa::Tool::"mcp.write");"#;
    assert_eq!(visible(&[ASK, always]), [true, false, true, false]);
    let both = r#"@id("f") forbid(principal, action, resource in Sernixa::Intent::"mcp:mail");"#;
    assert_eq!(visible(&[ASK, both]), [true, true, false, false]);
    let at_times = r#"@id("f") forbid(principal, action, resource) when { context.risk >= 4 };"#;
    assert_eq!(visible(&[ASK, at_times]), [true; 4]);
    // What may never run without a person may still be asked.
    let reviewed = r#"@id("f") forbid(principal, action == Sernixa::Action::"proceed", resource);"#;
    assert_eq!(visible(&[ASK, RUN, reviewed]), [true; 4]);
}

#[test]
fn the_one_who_asks_counts_and_whom_a_delegated_call_acts_as_is_not_known() {
    let ours =
        r#"@id("o") permit(principal == Sernixa::Agent::"owner:payments", action, resource);"#;
    let bench = under(&[ours]);
    let key = |owner: &str| {
        Principal::new("acme", "key")
            .owned_by(owner.to_owned())
            .with(Role::Agent)
    };
    assert_eq!(visible_to(&bench, &key("payments")), [true; 4]);
    assert_eq!(visible_to(&bench, &key("others")), [false; 4]);
    assert_eq!(
        visible_to(&bench, &key("others").delegated_only()),
        [true; 4]
    );
}

#[test]
fn without_policies_nothing_is_hidden() {
    assert_eq!(visible_to(&Bench::service(), &agent()), [true; 4]);
}

#[test]
fn odd_questions_are_refused() {
    let bench = under(&[ASK]);
    let tool = json!({"action_id": "a", "intent_id": "b"});
    for odd in [
        json!({}),
        json!({"tools": []}),
        json!({"tools": tool}),
        json!({"tools": [1]}),
        json!({"tools": [{"action_id": "a"}]}),
        json!({"tools": [{"action_id": "a", "intent_id": 1}]}),
        json!({"tools": vec![tool.clone(); 5_001]}),
    ] {
        ask(&bench, &agent(), &odd).is(422, "invalid_request");
    }
    let twice = r#"{"tools":[{"action_id":"a","action_id":"b","intent_id":"c"}]}"#;
    let request = Request::VisibleTools { body: twice };
    assert_eq!(bench.handle(&agent(), request).status, 400);
    let auditor = Principal::new("acme", "auditor-key").with(Role::Auditor);
    ask(&bench, &auditor, &json!({"tools": [tool]})).is(403, "forbidden");
    let many = ask(&bench, &agent(), &json!({"tools": vec![tool; 5_000]}));
    assert_eq!(many.body["visible"].as_array().unwrap().len(), 5_000);
    assert_eq!(
        many.body["policy_digest"],
        bench.engine.policy_digest().to_string()
    );
    assert!(bench.events().is_empty(), "asking is no event");
}

/// A policy of these parts.
fn policy(
    (number, effect, action, resource, condition): (usize, usize, usize, usize, usize),
) -> String {
    let effect = ["permit", "forbid"][effect];
    let action = [
        r#"action == Sernixa::Action::"request""#,
        r#"action == Sernixa::Action::"proceed""#,
        "action",
    ][action];
    let resource = [
        "resource",
        "resource is Sernixa::Tool",
        r#"resource == Sernixa::Tool::"mcp.read""#,
        r#"resource in Sernixa::Tool::"mcp.write""#,
        r#"resource in Sernixa::Intent::"mcp:files""#,
        r#"resource is Sernixa::Tool in Sernixa::Intent::"mcp:mail""#,
    ][resource];
    let condition = [
        "",
        "when { context.risk <= 2 }",
        r#"unless { context.risk_level == "low" }"#,
        r#"when { context.operation_class == "read" } unless { context.risk == 4 }"#,
        "when { context.metadata has cents && context.metadata.cents > 1 }",
    ][condition];
    format!(r#"@id("p{number}") {effect}(principal, {action}, {resource}) {condition};"#)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_is_hidden_is_refused_however_it_is_called(
        parts in prop::collection::vec((0..2_usize, 0..3_usize, 0..6_usize, 0..5_usize), 1..6),
    ) {
        let policies: Vec<String> = parts
            .into_iter()
            .enumerate()
            .map(|(n, (effect, action, resource, condition))| policy((n, effect, action, resource, condition)))
            .collect();
        let texts: Vec<&str> = policies.iter().map(String::as_str).collect();
        // A condition that can never hold beside the others is refused when it is loaded.
        let Ok(set) = load(&texts, METADATA) else { return Ok(()) };
        let bench = Bench::new(Engine::builder().policy(Arc::new(set)).build().unwrap());
        let shown = visible_to(&bench, &agent());
        for (shown, (action, intent)) in shown.into_iter().zip(
            [(READ, FILES), (WRITE, FILES), (READ, MAIL), (WRITE, MAIL)],
        ) {
            for risk in ["low", "medium", "critical"] {
                for cents in [None, Some(1), Some(2)] {
                    let mut draft = Draft::new(risk, "read").top("action_id", action).top("intent_id", intent);
                    if let Some(cents) = cents {
                        draft = draft.meta("cents", cents);
                    }
                    let status = bench.submit(&agent(), &draft.body()).status;
                    prop_assert!(shown || status == 403, "{policies:?} {action} {intent} {risk}: {status}");
                }
            }
        }
    }
}
