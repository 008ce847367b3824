//! Policies in Cedar: what they can say, what they can read, and what a failure does.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use sernixa_engine::cedar::{LoadError, PolicySet, Sources};
use sernixa_engine::{Engine, Policy as _, Principal};

use crate::support::{Answered, Bench, CLAIM, Draft, HOUR, agent, reviewer};

/// Everything may be asked.
pub(crate) const ASK: &str =
    r#"@id("ask") permit (principal, action == Sernixa::Action::"request", resource);"#;
/// Everything may run.
pub(crate) const RUN: &str =
    r#"@id("run") permit (principal, action == Sernixa::Action::"proceed", resource);"#;
/// The metadata of most of these tests.
pub(crate) const METADATA: &str =
    "type Metadata = { cents?: Long, region?: String, urgent?: Bool, tags?: Set<String> };";

pub(crate) fn load(policies: &[&str], metadata: &str) -> Result<PolicySet, LoadError> {
    PolicySet::load(
        &Sources::new()
            .policies("test.cedar", policies.join("\n"))
            .metadata("metadata.cedarschema", metadata),
    )
}

/// A bench under these policies.
pub(crate) fn under(policies: &[&str]) -> Bench {
    let set = load(policies, METADATA).unwrap_or_else(|error| panic!("{error}"));
    Bench::new(Engine::builder().policy(Arc::new(set)).build().unwrap())
}

fn submit(bench: &Bench, draft: &Draft) -> Answered {
    bench.submit(&agent(), &draft.body())
}

/// The status of the answer, and what its audit event says.
fn judged(bench: &Bench, draft: &Draft) -> (u16, Value) {
    let answer = submit(bench, draft);
    (answer.status, bench.events().pop().unwrap())
}

#[test]
fn the_default_policy_is_the_built_in_rule() {
    let cedar = under(&[PolicySet::DEFAULT]);
    let built_in = Bench::service();
    for risk in ["low", "medium", "high", "critical", "LOW"] {
        for class in [
            "read",
            "READ",
            "update",
            "tool_call",
            "Custom",
            "re ad",
            "\u{130}",
        ] {
            for sensitivity in ["public", "PII", "x"] {
                let draft = Draft::new(risk, class).meta("data_sensitivity", sensitivity);
                let (one, other) = (submit(&cedar, &draft), submit(&built_in, &draft));
                assert_eq!(one.status, other.status, "{risk} {class} {sensitivity}");
                assert!(matches!(one.status, 200 | 202), "{}", one.body);
            }
        }
    }
}

#[test]
fn what_no_policy_permits_is_blocked_and_the_answer_says_so() {
    let bench = under(&[RUN]);
    let answer = submit(&bench, &Draft::read());
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "no policy permits this");
    let evidence = &answer.body["detail"]["evidence"];
    assert_eq!(evidence["rule"], "policy");
    assert_eq!(evidence["policies"], json!([]));
    assert_eq!(bench.events()[0]["policies"], json!([]));
}

#[test]
fn a_forbid_beats_every_permit_and_gives_its_reason() {
    let bench = under(&[
        ASK,
        RUN,
        r#"@id("no-stripe") @reason("stripe is frozen until the audit is over")
           forbid (principal, action == Sernixa::Action::"request", resource)
           when { context.systems.contains("stripe") };"#,
        r#"@id("no-bank") forbid (principal, action, resource)
           when { context.systems.contains("bank") };"#,
    ]);
    assert_eq!(submit(&bench, &Draft::read()).status, 200);
    let answer = submit(
        &bench,
        &Draft::read().meta("systems_touched", vec!["a", "stripe"]),
    );
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "stripe is frozen until the audit is over");
    assert_eq!(
        answer.body["detail"]["evidence"]["policies"],
        json!(["no-stripe"])
    );
    let both = submit(
        &bench,
        &Draft::read().meta("systems_touched", vec!["bank", "stripe"]),
    );
    assert_eq!(
        both.reason(),
        "policy `no-bank` forbids it; stripe is frozen until the audit is over"
    );
    let event = bench.events().pop().unwrap();
    assert_eq!(event["policies"], json!(["no-bank", "no-stripe"]));
    assert_eq!(event["reason"], both.reason());
}

#[test]
fn the_audit_names_the_policies_behind_every_answer() {
    let bench = under(&[
        ASK,
        RUN,
        r#"@id("large") @reason("more than 100 EUR")
           forbid (principal, action == Sernixa::Action::"proceed", resource)
           when { context.metadata has cents && context.metadata.cents > 10000 };"#,
    ]);
    let (status, event) = judged(&bench, &Draft::medium().meta("cents", 500));
    assert_eq!((status, &event["policies"]), (200, &json!(["run"])));
    let (status, event) = judged(&bench, &Draft::medium().meta("cents", 10_001));
    assert_eq!((status, &event["policies"]), (202, &json!(["large"])));
    assert_eq!(event["reason"], "more than 100 EUR");
}

#[test]
fn a_failing_forbid_does_not_open() {
    // It overflows for a large amount; Cedar skips it and would say yes.
    let overflow = r#"@id("overflows") forbid (principal, action == Sernixa::Action::"ACTION", resource)
        when { context.metadata has cents && context.metadata.cents * 1000 > 5 };"#;
    let large = Draft::read().meta("cents", i64::MAX);

    let bench = under(&[ASK, RUN, &overflow.replace("ACTION", "request")]);
    let answer = submit(&bench, &large);
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "policy_error");
    let evidence = &answer.body["detail"]["evidence"];
    assert_eq!(evidence["rule"], "policy_error");
    assert_eq!(evidence["failed_policies"], json!(["overflows"]));
    let event = bench.events().pop().unwrap();
    assert_eq!(event["failed_policies"], json!(["overflows"]));

    let bench = under(&[ASK, RUN, &overflow.replace("ACTION", "proceed")]);
    let (status, event) = judged(&bench, &large);
    assert_eq!(status, 202);
    assert_eq!(
        event["reason"],
        "the policy could not tell, so a person decides"
    );
    assert_eq!(event["failed_policies"], json!(["overflows"]));
}

#[test]
fn a_failing_permit_is_a_no_even_where_another_permits() {
    let bench = under(&[
        ASK,
        RUN,
        r#"@id("overflows") permit (principal, action, resource)
           when { context.metadata has cents && context.metadata.cents + 1 > 0 };"#,
    ]);
    let answer = submit(&bench, &Draft::read().meta("cents", i64::MAX));
    answer.is(403, "blocked");
    assert_eq!(answer.reason(), "policy_error");
}

#[test]
fn policies_that_contradict_each_other_end_in_a_no() {
    let bench = under(&[
        ASK,
        RUN,
        r#"@id("never") forbid (principal, action == Sernixa::Action::"proceed", resource);"#,
    ]);
    assert_eq!(submit(&bench, &Draft::read()).status, 202);
    let bench = under(&[
        ASK,
        RUN,
        r#"@id("never") forbid (principal, action, resource);"#,
    ]);
    submit(&bench, &Draft::read()).is(403, "blocked");
}

#[test]
fn scopes_match_as_cedar_says() {
    let bench = under(&[
        ASK,
        r#"@id("tool") permit (principal, action == Sernixa::Action::"proceed",
            resource == Sernixa::Tool::"look-up");"#,
        r#"@id("intent") permit (principal, action == Sernixa::Action::"proceed",
            resource in Sernixa::Intent::"reporting");"#,
        r#"@id("agent") permit (principal == Sernixa::Agent::"owner:trusted",
            action == Sernixa::Action::"proceed", resource);"#,
        r#"@id("condition") permit (principal, action == Sernixa::Action::"proceed", resource)
            when { resource in Sernixa::Intent::"by condition" };"#,
        r#"@id("both") forbid (principal == Sernixa::Agent::"owner:trusted", action,
            resource == Sernixa::Tool::"secret") unless { resource in Sernixa::Intent::"open" };"#,
    ]);
    let trusted = agent().owned_by("trusted");
    let ask = |caller: &Principal, tool: &str, intent: &str| {
        let draft = Draft::medium()
            .top("action_id", tool)
            .top("intent_id", intent);
        bench.submit(caller, &draft.body()).status
    };
    assert_eq!(ask(&agent(), "other", "other"), 202);
    assert_eq!(ask(&agent(), "look-up", "other"), 200);
    assert_eq!(ask(&agent(), "reporting", "other"), 202);
    assert_eq!(ask(&agent(), "other", "reporting"), 200);
    assert_eq!(ask(&agent(), "other", "by condition"), 200);
    assert_eq!(ask(&trusted, "other", "other"), 200);
    assert_eq!(ask(&trusted, "secret", "other"), 403);
    assert_eq!(ask(&trusted, "secret", "open"), 200);
    assert_eq!(ask(&agent(), "secret", "open"), 202);
}

#[test]
fn a_key_that_is_not_delegated_is_never_taken_for_an_agent_of_its_owners_name() {
    let bench = under(&[
        ASK,
        r#"@id("bot") permit (principal == Sernixa::Agent::"billing-bot",
            action == Sernixa::Action::"proceed", resource);"#,
    ]);
    let namesake = agent().owned_by("billing-bot");
    assert_eq!(bench.submit(&namesake, &Draft::read().body()).status, 202);
}

#[test]
fn policies_read_every_word_of_the_contract() {
    let bench = under(&[
        ASK,
        r#"@id("exact") permit (principal, action == Sernixa::Action::"proceed", resource) when {
            context.risk == 2 && context.risk_level == "medium"
            && context.operation_class == "custom-class" && context.data_sensitivity == "pii"
            && context.systems == ["a", "b"] && !context.delegated && context.delegation_depth == 0
            && context.metadata has cents && context.metadata.cents == -7
            && context.metadata has region && context.metadata.region == "\"eu\" ✓"
            && context.metadata has urgent && context.metadata.urgent
            && context.metadata has tags && context.metadata.tags == ["x", "y"]
        };"#,
    ]);
    let draft = Draft::new("Medium", "Custom-Class")
        .meta("data_sensitivity", "PII")
        .meta("systems_touched", vec!["b", "a", "b"])
        .meta("cents", -7)
        .meta("region", "\"eu\" ✓")
        .meta("urgent", true)
        .meta("tags", vec!["y", "x", "y"]);
    assert_eq!(submit(&bench, &draft).status, 200);
    for other in [
        draft.clone().meta("cents", -8),
        draft.clone().meta("tags", vec!["x"]),
        draft.clone().meta("urgent", false),
        draft.clone().without("region"),
        draft.clone().meta("systems_touched", vec!["A", "b"]),
    ] {
        assert_eq!(submit(&bench, &other).status, 202);
    }
}

#[test]
fn a_declared_member_of_another_type_is_blocked_by_name() {
    let bench = under(&[ASK, RUN]);
    let wrong = [
        ("cents", json!("500"), "Long"),
        ("cents", json!(500.0), "Long"),
        ("cents", json!(1e3), "Long"),
        ("cents", json!(null), "Long"),
        ("cents", json!(9_223_372_036_854_775_808_u64), "Long"),
        (
            "cents",
            json!({"__extn": {"fn": "decimal", "arg": "1.0"}}),
            "Long",
        ),
        ("region", json!(1), "String"),
        (
            "region",
            json!({"__entity": {"type": "Sernixa::Agent", "id": "x"}}),
            "String",
        ),
        ("urgent", json!("true"), "Bool"),
        ("urgent", json!(1), "Bool"),
        ("tags", json!("x"), "Set<String>"),
        ("tags", json!(["x", 1]), "Set<String>"),
        ("tags", json!([["x"]]), "Set<String>"),
        ("tags", json!({"x": "y"}), "Set<String>"),
    ];
    for (key, value, wanted) in wrong {
        let answer = submit(&bench, &Draft::read().meta(key, value.clone()));
        answer.is(403, "blocked");
        assert_eq!(answer.reason(), "metadata_type", "{key} {value}");
        let evidence = &answer.body["detail"]["evidence"];
        assert_eq!(evidence["rule"], "metadata_type");
        assert_eq!(evidence["metadata_key"], key);
        assert_eq!(evidence["metadata_wants"], wanted);
        let event = bench.events().pop().unwrap();
        assert_eq!(event["reason"], "metadata_type");
        assert_eq!(event["metadata_key"], key);
    }
    for (key, value) in [
        ("cents", json!(i64::MAX)),
        ("cents", json!(i64::MIN)),
        ("tags", json!([])),
        ("region", json!("")),
    ] {
        assert_eq!(submit(&bench, &Draft::read().meta(key, value)).status, 200);
    }
}

#[test]
fn numbers_that_no_json_value_holds_are_judged_by_their_text() {
    let bench = under(&[ASK, RUN]);
    let with = |number: &str| {
        let body = Draft::read().meta("cents", 123_456_789).body();
        bench.submit(&agent(), &body.replace("123456789", number))
    };
    for number in ["9223372036854775807", "-9223372036854775808", "-0"] {
        assert_eq!(with(number).status, 200, "{number}");
    }
    let huge = format!("1{}", "0".repeat(400));
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "1e0",
        "1.0",
        "-0.0",
        &huge,
    ] {
        assert_eq!(with(number).reason(), "metadata_type", "{number}");
    }
}

/// Cedar's own way in, `Context::from_json_value`, fails on each of these or makes entities of
/// them.
#[test]
fn whatever_else_is_in_the_metadata_is_an_ordinary_decision() {
    let bench = under(&[ASK, RUN]);
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    for value in [
        json!(1.5),
        json!(null),
        json!(18_446_744_073_709_551_615_u64),
        json!({"__entity": {"type": "Sernixa::Agent", "id": "root"}}),
        json!({"__extn": {"fn": "ip", "arg": "127.0.0.1"}}),
        json!({"__expr": "true"}),
        json!([null, 1, "x", {"a": []}]),
        json!(""),
        deep,
    ] {
        for key in [
            "undeclared",
            "__entity",
            "__extn",
            "risk",
            "time",
            "cents2",
            "",
        ] {
            let answer = submit(&bench, &Draft::read().meta(key, value.clone()));
            assert_eq!(answer.status, 200, "{key}: {value}: {}", answer.body);
        }
    }
}

#[test]
fn time_is_that_of_the_configured_zone() {
    let policy = r#"@id("hours") forbid (principal, action == Sernixa::Action::"proceed", resource)
        unless { context.time.weekday <= 5 && context.time.hour >= 9 && context.time.hour < 17 };
        @id("freeze") forbid (principal, action, resource) when { context.time.date == "2026-05-08" };"#;
    let sources = Sources::new().policies("a.cedar", format!("{ASK}{RUN}{policy}"));
    // 2026-05-05 is a Tuesday; 16:53 in UTC.
    let at = |zone: &str, hours: u64| {
        let set = PolicySet::load(&sources.clone().zone(zone)).unwrap();
        assert!(set.reads_time());
        let bench = Bench::new(Engine::builder().policy(Arc::new(set)).build().unwrap());
        bench.pass(hours * HOUR);
        submit(&bench, &Draft::read()).status
    };
    assert_eq!(at("UTC", 0), 200);
    assert_eq!(at("UTC", 1), 202);
    assert_eq!(at("Europe/Berlin", 0), 202);
    assert_eq!(at("America/New_York", 1), 200);
    assert_eq!(at("UTC", 24), 200);
    assert_eq!(at("UTC", 3 * 24), 403);
    assert_eq!(at("UTC", 4 * 24), 202, "a Saturday");
    assert_eq!(at("UTC", 6 * 24), 200, "a Monday");
}

#[test]
fn verdicts_that_depend_on_the_time_are_not_remembered() {
    let policy = r#"@id("morning") permit (principal, action == Sernixa::Action::"proceed", resource)
        when { context.time.hour < 17 };"#;
    let bench = under(&[ASK, policy]);
    assert_eq!(submit(&bench, &Draft::read()).status, 200);
    bench.pass(HOUR);
    assert_eq!(submit(&bench, &Draft::read()).status, 202);
}

#[test]
fn a_remembered_verdict_is_never_that_of_another_question() {
    let bench = under(&[
        ASK,
        r#"@id("small") permit (principal, action == Sernixa::Action::"proceed", resource)
           when { context.metadata has cents && context.metadata.cents < 100 };"#,
        r#"@id("x") permit (principal == Sernixa::Agent::"owner:x",
           action == Sernixa::Action::"proceed", resource);"#,
    ]);
    for _ in 0..3 {
        for (cents, status) in [(1, 200), (99, 200), (100, 202), (-1, 200)] {
            assert_eq!(
                submit(&bench, &Draft::medium().meta("cents", cents)).status,
                status
            );
        }
        assert_eq!(submit(&bench, &Draft::medium()).status, 202);
        let other = agent().owned_by("x");
        assert_eq!(bench.submit(&other, &Draft::medium().body()).status, 200);
        // Values that would run together if they were only put one after the other.
        for (one, two) in [("ab", "c"), ("a", "bc")] {
            let draft = Draft::medium().top("action_id", one).top("intent_id", two);
            assert_eq!(submit(&bench, &draft).status, 202);
        }
    }
}

#[test]
fn more_questions_than_are_remembered_are_answered_all_the_same() {
    let bench = under(&[
        ASK,
        r#"@id("small") permit (principal, action == Sernixa::Action::"proceed", resource)
           when { context.metadata has cents && context.metadata.cents < 100 };"#,
    ]);
    for cents in (0..4_200).chain(0..120) {
        let status = if cents < 100 { 200 } else { 202 };
        assert_eq!(
            submit(&bench, &Draft::medium().meta("cents", cents)).status,
            status
        );
    }
}

#[test]
fn what_is_grave_is_a_persons_under_the_most_permissive_policy() {
    let bench = under(&[r#"@id("all") permit (principal, action, resource);"#]);
    for (risk, status) in [
        ("low", 200),
        ("medium", 200),
        ("high", 202),
        ("critical", 202),
    ] {
        assert_eq!(submit(&bench, &Draft::new(risk, "read")).status, status);
    }
}

#[test]
fn a_claim_after_a_change_that_forbids_is_refused_and_names_the_policy() {
    let bench = under(&[ASK]);
    let waiting = submit(&bench, &Draft::high()).waiting();
    bench.approve(&reviewer(), &waiting.id);
    let set = load(
        &[
            ASK,
            r#"@id("frozen") @reason("payments are frozen") forbid (principal,
               action == Sernixa::Action::"request", resource);"#,
        ],
        METADATA,
    );
    bench.engine.replace_policy(Arc::new(set.unwrap()));
    let answer = bench.claim(&agent(), &waiting, CLAIM);
    answer.is(409, "policy_changed");
    assert_eq!(
        answer.body["detail"]["evidence"]["policies"],
        json!(["frozen"])
    );
    assert_eq!(bench.look(&waiting.id)["execution"], "none");
    let event = bench.events().pop().unwrap();
    assert_eq!(event["event_type"], "claim_refused");
    assert_eq!(event["decision"], "policy_changed");

    // What only differs in layout is no change.
    let set = load(&[&format!("// as before\n\n{ASK}")], METADATA).unwrap();
    bench.engine.replace_policy(Arc::new(set));
    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
    assert!(!bench.event_types().contains(&"policy_rechecked".to_owned()));
}

#[test]
fn a_set_is_known_by_what_it_says_and_not_by_how_it_is_written() {
    let digest = |sources: Sources| PolicySet::load(&sources).unwrap().digest();
    let base = || Sources::new().metadata("metadata.cedarschema", METADATA);
    let one = digest(base().policies("a.cedar", format!("{ASK}\n{RUN}")));
    for same in [
        base().policies("b.cedar", format!("// why\n{RUN}\n\n   {ASK} // done")),
        base().policies("a.cedar", ASK).policies("b.cedar", RUN),
        base()
            .metadata(
                "metadata.cedarschema",
                "// x\ntype Metadata = { \"tags\"?: Set<String>, urgent?: Bool, region?: String, cents?: Long };",
            )
            .policies("a.cedar", format!("{ASK}\n{RUN}")),
    ] {
        assert_eq!(digest(same), one);
    }
    for other in [
        base().policies("a.cedar", ASK),
        base().policies("a.cedar", format!("{ASK}\n{}", RUN.replace("run", "run2"))),
        base().policies("a.cedar", format!("{ASK}\n@reason(\"x\"){RUN}")),
        base()
            .policies("a.cedar", format!("{ASK}\n{RUN}"))
            .zone("Europe/Berlin"),
        Sources::new().policies("a.cedar", format!("{ASK}\n{RUN}")),
    ] {
        assert_ne!(digest(other), one);
    }
}

/// Any JSON, with Cedar's own escapes among it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| {
            serde_json::Number::from_f64(number).map(Value::Number)
        }),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            Just("__entity".to_owned()),
            Just("__extn".to_owned()),
            Just("type".to_owned()),
            Just("id".to_owned()),
            "[a-z]{0,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_metadata_is_decided_and_only_a_declared_member_of_another_type_is_blocked(
        cents in prop::option::of(any_json()),
        region in prop::option::of(any_json()),
        tags in prop::option::of(any_json()),
        other in any_json(),
    ) {
        let bench = under(&[ASK, RUN]);
        let draft = Draft::read().meta("other", other);
        let members = [("cents", &cents), ("region", &region), ("tags", &tags)];
        let draft = members.into_iter().fold(draft, |draft, (key, value)| {
            value.iter().fold(draft, |draft, value| draft.meta(key, value.clone()))
        });
        let fits = cents.is_none_or(|value| value.is_i64())
            && region.is_none_or(|value| value.is_string())
            && tags.is_none_or(|value| {
                value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            });
        let answer = submit(&bench, &draft);
        if fits {
            prop_assert_eq!(answer.status, 200, "{}", answer.body);
        } else {
            prop_assert_eq!(answer.reason(), "metadata_type", "{}", answer.body);
        }
    }
}

/// Cedar is told what some policy reads and nothing else, so nothing that is read may be left out.
#[test]
fn what_one_policy_reads_is_told_in_every_way_of_reading() {
    let all = [
        "context.risk == 1",
        "context.risk_level == \"low\"",
        "context.operation_class == \"read\"",
        "context.data_sensitivity == \"internal\"",
        "context.systems.contains(\"postgres\")",
        "context.delegated == false",
        "context.delegation_depth == 0",
        "context.time.hour == 16",
        "context.metadata has cents",
        "context[\"risk\"] == 1",
        "context has risk",
        "context.time == {hour: 16, weekday: 2, date: \"2026-05-05\"}",
        "[context.metadata] == [context.metadata]",
        "if context.risk == 1 then context.delegation_depth == 0 else false",
    ];
    for condition in all {
        let policy = format!(
            "@id(\"it\") permit (principal, action == Sernixa::Action::\"proceed\", resource) \
             when {{ {condition} }};"
        );
        let bench = under(&[ASK, &policy]);
        let answer = submit(&bench, &Draft::read().meta("cents", 1));
        assert_eq!(answer.status, 200, "{condition}: {}", bench.events()[0]);
    }
}
