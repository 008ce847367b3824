//! `Guard`: any framework's tools.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use serde_json::{Value, json};
use sernixa::boundary::Guard;
use sernixa::delegation::Delegation;
use sernixa::testing::TestGate;
use sernixa::{DataSensitivity, Error, OperationClass, RiskLevel};

use super::{both, client, vectors};
use crate::support::service::{Says, Service};

/// Runs through both doors.
fn run<A: Serialize + Clone + Sync>(guard: &Guard, arguments: &A) -> Result<(), Error> {
    both(
        |ran| guard.run(arguments.clone(), |_| ran()),
        async |ran| {
            let arguments = arguments.clone();
            guard.run_async(arguments, |_| async { ran() }).await
        },
    )
}

#[test]
fn action_ids_are_the_references() {
    let gate = TestGate::new().approve("i");
    let text = include_str!("../../../protocol/tests/vectors/action_ids.json");
    let cases = vectors(text, 39);
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let guard = Guard::new("i", text("framework"), text("tool"));
        gate.scope(|| guard.run((), |()| Ok::<_, Error>(())))
            .unwrap();
        assert_eq!(
            sernixa::protocol::action_id(text("framework"), text("tool")),
            text("action_id")
        );
    }
    let asked = gate.submissions();
    for (asked, case) in asked.iter().zip(&cases) {
        assert_eq!(asked.action_id(), case["action_id"].as_str().unwrap());
        assert_eq!(asked.metadata()["tool_name"], case["tool"]);
        assert_eq!(asked.metadata()["framework"], case["framework"]);
    }
    assert_eq!(asked.len(), cases.len());
}

#[test]
fn a_call_is_submitted_as_the_reference_submits_it() {
    let gate = TestGate::new().approve("look").approve("ship");
    gate.scope(|| {
        run(
            &Guard::new("look", "langchain", "web search"),
            &json!({"q": 1}),
        )
    })
    .unwrap();
    let asked = gate.submissions();
    assert_eq!(asked[0].body_hash(), asked[1].body_hash());
    assert_eq!(asked[0].action_id(), "langchain.web-search");
    assert_eq!(asked[0].risk_level(), RiskLevel::Low);
    let metadata = asked[0].metadata();
    assert_eq!(metadata["operation_class"], "tool_call");
    assert_eq!(metadata["data_sensitivity"], "internal");
    assert_eq!(metadata["systems_touched"], json!(["langchain"]));
    assert_eq!(metadata["framework"], "langchain");
    assert_eq!(metadata["tool_name"], "web search");
    assert_eq!(metadata["args_count"], 1);

    let guard = Guard::new("ship", "autogen", "ship")
        .risk(RiskLevel::Critical)
        .class(OperationClass::Deploy)
        .sensitivity(DataSensitivity::Regulated)
        .systems(["cluster"])
        .action_id("release")
        .metadata([("framework", "none"), ("tool_name", "none"), ("ring", "3")]);
    gate.scope(|| run(&guard, &())).unwrap();
    let asked = gate.submissions();
    assert_eq!(asked[2].action_id(), "release");
    assert_eq!(asked[2].risk_level(), RiskLevel::Critical);
    let metadata = asked[2].metadata();
    assert_eq!(metadata["framework"], "autogen");
    assert_eq!(metadata["tool_name"], "ship");
    assert_eq!(metadata["ring"], "3");
    assert_eq!(metadata["operation_class"], "deploy");
    assert_eq!(metadata["systems_touched"], json!(["cluster"]));
}

#[test]
fn whatever_the_arguments_are_their_digest_binds_them() {
    #[derive(Serialize)]
    struct Query<'a> {
        text: &'a str,
        limit: u128,
    }
    let gate = TestGate::new().approve("i");
    let guard = Guard::new("i", "f", "t");
    let digest = |arguments: &dyn erased::Arguments| {
        let before = gate.submissions().len();
        gate.scope(|| arguments.run(&guard)).unwrap();
        let asked = &gate.submissions()[before];
        let metadata = asked.metadata();
        assert!(!metadata.contains_key("args"), "values stay here");
        assert!(metadata.get("arguments_unbound").is_none());
        (
            metadata["arguments_digest"].as_str().unwrap().to_owned(),
            metadata["args_count"].as_u64().unwrap(),
        )
    };
    let query = Query {
        text: "whales",
        limit: u128::MAX,
    };
    let near = Query {
        limit: u128::MAX - 1,
        ..query
    };
    assert_eq!(digest(&query).1, 2);
    assert_ne!(digest(&query), digest(&near));
    // One that is no object is called `input`; none at all has no name.
    assert_eq!(digest(&"whales"), digest(&json!({"input": "whales"})));
    assert_eq!(
        digest(&json!(["a", 1])),
        digest(&json!({"input": ["a", 1]}))
    );
    assert_eq!(digest(&()), digest(&json!({})));
    assert_eq!(digest(&()).1, 0);
    assert_ne!(digest(&1), digest(&1.0));
    assert_ne!(digest(&"1"), digest(&1));
}

/// Arguments of many types in one list.
mod erased {
    use super::{Error, Guard, Serialize};

    pub trait Arguments {
        fn run(&self, guard: &Guard) -> Result<(), Error>;
    }

    impl<T: Serialize> Arguments for T {
        fn run(&self, guard: &Guard) -> Result<(), Error> {
            guard.run(self, |_| Ok(()))
        }
    }
}

#[test]
fn arguments_that_json_cannot_say_or_says_twice_run_nothing() {
    let gate = TestGate::new().approve("i");
    let guard = Guard::new("i", "f", "t");
    let nested: Option<Option<u8>> = Some(None);
    for error in [
        gate.scope(|| run(&guard, &f64::NAN)),
        gate.scope(|| run(&guard, &nested)),
        gate.scope(|| {
            run(
                &guard,
                &[(vec![1], 2)]
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            )
        }),
        gate.scope(|| run(&guard, &"x".repeat(300_000))),
    ] {
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Validation(_)), "{error}");
    }
    assert_eq!(gate.submissions().len(), 0);
}

#[test]
fn long_arguments_are_digested_to_their_end() {
    let gate = TestGate::new().approve("i");
    let guard = Guard::new("i", "f", "t");
    let long = "x".repeat(200_000);
    gate.scope(|| run(&guard, &json!({"long": long, "short": 1})))
        .unwrap();
    gate.scope(|| run(&guard, &json!({"long": format!("{long}y"), "short": 1})))
        .unwrap();
    let asked = gate.submissions();
    assert!(asked[0].metadata().get("arguments_unbound").is_none());
    assert_ne!(asked[0].body_hash(), asked[2].body_hash());
}

#[test]
fn the_tool_gets_what_was_approved() {
    let gate = TestGate::new().approve("i");
    let guard = Guard::new("i", "f", "t");
    let given = json!({"order": 7});
    let got = gate
        .scope(|| guard.run(given.clone(), Ok::<Value, Error>))
        .unwrap();
    assert_eq!(got, given);
}

#[test]
fn a_wrapped_tool_is_asked_for_at_each_call() {
    let ran = AtomicUsize::new(0);
    let gate = TestGate::new();
    let tool = Guard::new("i", "f", "t").wrap(|cents: u64| {
        ran.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Error>(cents * 2)
    });
    let later = Guard::new("i", "f", "t").wrap(|cents: u64| async move { Ok::<_, Error>(cents) });
    gate.approve("i");
    assert_eq!(gate.scope(|| tool.call(21)).unwrap(), 42);
    assert_eq!(
        pollster::block_on(gate.run(later.call_async(5))).unwrap(),
        5
    );
    gate.refuse("i", "enough");
    assert!(gate.scope(|| tool.call(21)).is_err());
    assert!(pollster::block_on(gate.run(later.call_async(5))).is_err());
    assert_eq!(ran.load(Ordering::Relaxed), 1);
    assert_eq!(gate.submissions().len(), 4);
}

#[test]
fn leave_alone_can_be_asked_for_and_its_end_reported() {
    let service = Service::full(Says::Pending);
    service.decide("approved");
    let client = client(&service.server.url());
    let guard = Guard::new("i", "f", "t")
        .client(&client)
        .risk(RiskLevel::High);
    guard.authorize_blocking(&json!({})).unwrap().succeeded();
    pollster::block_on(guard.authorize("x")).unwrap().failed();
    client.close_blocking();
    assert_eq!(service.outcomes(2), ["succeeded", "failed"]);
}

#[test]
fn a_guard_carries_the_delegation_it_is_called_in() {
    let gate = TestGate::new().approve("i");
    let guard = Guard::new("i", "f", "t");
    gate.scope(|| Delegation::new("worker", "dgt_1").run_blocking(|| run(&guard, &())))
        .unwrap();
    assert_eq!(gate.submissions()[0].agent_id(), Some("worker"));
}

#[test]
fn a_refused_tool_does_not_run() {
    for says in [Says::Refused, Says::Pending] {
        let service = Service::full(says);
        service.decide("rejected");
        let client = client(&service.server.url());
        let guard = Guard::new("i", "f", "t").client(&client);
        let error = run(&guard, &json!({"order": 7})).unwrap_err();
        assert!(
            matches!(error, Error::Blocked(_) | Error::Rejected(_)),
            "{error}"
        );
        client.close_blocking();
    }
}
