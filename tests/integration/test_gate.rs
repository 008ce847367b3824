//! `TestGate`: what a user's unit test relies on.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use sernixa::testing::TestGate;
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};

#[sernixa::intercept(
    intent_id = "gate-pay",
    risk_level = "HIGH",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["bank"],
    metadata = { invoice: invoice, cents: cents },
    summary = "pay {cents} cents for {invoice}",
)]
fn pay(invoice: &str, cents: i64) -> Result<String, Error> {
    Ok(format!("{invoice}: {cents}"))
}

#[sernixa::intercept(
    intent_id = "gate-pay-later",
    risk_level = "critical",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["bank"],
)]
async fn pay_later(cents: i64) -> Result<i64, Error> {
    Ok(cents)
}

#[test]
fn an_approved_intent_runs_and_its_submission_is_recorded() {
    let gate = TestGate::new().approve("gate-pay");
    assert_eq!(gate.scope(|| pay("in_1", 5)).unwrap(), "in_1: 5");
    let [submitted] = gate.submissions().try_into().unwrap();
    assert_eq!(submitted.intent_id(), "gate-pay");
    assert_eq!(submitted.action_id(), "pay");
    assert_eq!(submitted.risk_level(), RiskLevel::High);
    assert_eq!(submitted.summary(), Some("pay 5 cents for in_1"));
    assert_eq!(submitted.metadata()["invoice"], "in_1");
    assert_eq!(submitted.metadata()["cents"], 5);
    assert_eq!(submitted.metadata()["policy_surface"], "rust_sdk");
    assert_eq!(submitted.body_hash().len(), 64);
    let body: serde_json::Value = serde_json::from_str(submitted.body()).unwrap();
    assert_eq!(body["intent_id"], "gate-pay");
}

#[test]
fn a_refused_intent_does_not_run_and_says_why() {
    let gate = TestGate::new().refuse("gate-pay", "not on a Friday");
    let error = gate.scope(|| pay("in_1", 5)).unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert_eq!(error.reason(), Some("not on a Friday"));
    assert_eq!(gate.submissions().len(), 1);
}

#[test]
fn an_intent_the_gate_was_not_told_of_is_blocked_and_the_message_says_what_to_call() {
    let gate = TestGate::new().approve("something-else");
    let error = gate.scope(|| pay("in_1", 5)).unwrap_err();
    assert!(matches!(error, Error::Blocked(_)), "{error}");
    assert!(
        error.to_string().contains(r#"gate.approve("gate-pay")"#),
        "{error}"
    );
}

#[test]
fn a_later_word_on_an_intent_replaces_the_earlier() {
    let gate = TestGate::new().refuse("gate-pay", "not yet");
    assert!(gate.scope(|| pay("in_1", 5)).is_err());
    gate.approve("gate-pay");
    assert!(gate.scope(|| pay("in_1", 5)).is_ok());
}

#[test]
fn a_held_call_waits_and_runs_when_it_is_released() {
    let gate = TestGate::new();
    let held = gate.hold("gate-pay");
    let call = std::thread::spawn(gate.carry_fn(|| pay("in_1", 5)));
    held.wait_for(1);
    assert!(!call.is_finished());
    held.release();
    assert_eq!(call.join().unwrap().unwrap(), "in_1: 5");
    assert!(
        gate.scope(|| pay("in_2", 6)).is_ok(),
        "later calls run, too"
    );
}

#[test]
fn held_calls_are_refused_together() {
    let gate = TestGate::new();
    let held = gate.hold("gate-pay");
    let calls: Vec<_> = (0..4)
        .map(|n| std::thread::spawn(gate.carry_fn(move || pay("in", n))))
        .collect();
    held.wait_for(4);
    held.refuse("too many at once");
    for call in calls {
        let error = call.join().unwrap().unwrap_err();
        assert_eq!(error.reason(), Some("too many at once"));
    }
}

#[test]
fn a_hold_that_is_dropped_undecided_refuses() {
    let gate = TestGate::new();
    let held = gate.hold("gate-pay");
    let call = std::thread::spawn(gate.carry_fn(|| pay("in_1", 5)));
    held.wait_for(1);
    drop(held);
    let error = call.join().unwrap().unwrap_err();
    assert!(
        error.reason().unwrap().contains("without a decision"),
        "{error}"
    );
}

#[tokio::test]
async fn an_async_call_is_held_and_released_on_one_thread() {
    let gate = TestGate::new();
    let held = gate.hold("gate-pay-later");
    let call = tokio::spawn(gate.carry(pay_later(7)));
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    held.approve();
    assert_eq!(call.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn a_future_is_gated_while_it_is_polled_and_a_plain_spawn_is_not() {
    let gate = TestGate::new().approve("gate-pay-later");
    assert_eq!(gate.run(pay_later(1)).await.unwrap(), 1);
    let outside = gate
        .run(async { tokio::spawn(async { testing_scope_is_set() }).await })
        .await;
    assert!(!outside.unwrap());
    let carried = gate.carry(async { testing_scope_is_set() });
    assert!(tokio::spawn(carried).await.unwrap());
}

/// Whether a call here would be asked of a gate: only a gate approves this one.
fn testing_scope_is_set() -> bool {
    let client = Client::builder()
        .environment(|_| None)
        .base_url("http://127.0.0.1:9")
        .max_retries(0)
        .build()
        .unwrap();
    let asked = client.run(&action("gate-pay-later"), || Ok::<_, Error>(()));
    asked.is_ok()
}

fn action(intent_id: &'static str) -> Action {
    Action::new(intent_id)
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .sensitivity(DataSensitivity::Financial)
        .systems(["bank"])
        .arguments(vec![("cents".into(), json!(5))])
}

#[test]
fn two_gates_in_two_threads_do_not_see_each_other() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    let tests: Vec<_> = (0..8)
        .map(|n| {
            std::thread::spawn(move || {
                let gate = TestGate::new();
                if n % 2 == 0 {
                    gate.approve("gate-pay");
                } else {
                    gate.refuse("gate-pay", "odd");
                }
                for _ in 0..50 {
                    if gate.scope(|| pay("in", n)).is_ok() {
                        RAN.fetch_add(1, Ordering::Relaxed);
                    }
                }
                assert_eq!(gate.submissions().len(), 50);
            })
        })
        .collect();
    for test in tests {
        test.join().unwrap();
    }
    assert_eq!(RAN.load(Ordering::Relaxed), 200);
}

#[test]
fn the_innermost_gate_decides() {
    let outer = TestGate::new().approve("gate-pay");
    let inner = TestGate::new().refuse("gate-pay", "inner");
    outer.scope(|| {
        assert!(inner.scope(|| pay("in", 1)).is_err());
        assert!(pay("in", 1).is_ok());
    });
    assert_eq!(
        (outer.submissions().len(), inner.submissions().len()),
        (1, 1)
    );
}

#[test]
fn a_gate_comes_before_a_client_of_ones_own() {
    let client = Client::builder()
        .environment(|_| None)
        .base_url("http://127.0.0.1:9")
        .build()
        .unwrap();
    let gate = TestGate::new().approve("by-hand");
    let ran = gate.scope(|| client.run(&action("by-hand"), || Ok::<_, Error>(3)));
    assert_eq!(ran.unwrap(), 3);
}

#[test]
fn digests_in_a_gate_are_the_same_in_every_run() {
    let digest = |cents| {
        let gate = TestGate::new().approve("gate-pay");
        gate.scope(|| pay("in_1", cents)).unwrap();
        gate.submissions()[0].metadata()["arguments_digest"].clone()
    };
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

#[test]
fn a_gate_can_be_told_to_capture_arguments() {
    let gate = TestGate::configured(|| Client::builder().capture_arguments(true));
    gate.approve("gate-pay");
    gate.scope(|| pay("in_1", 5)).unwrap();
    assert_eq!(gate.submissions()[0].metadata()["args"], json!(["in_1", 5]));
}

#[test]
fn a_gate_with_unusable_settings_says_so_and_runs_nothing() {
    let gate = TestGate::configured(|| Client::builder().max_retries(99));
    gate.approve("gate-pay");
    let error = gate.scope(|| pay("in_1", 5)).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_is_held_does_not_wait_any_more() {
    let gate = TestGate::new();
    let held = gate.hold("gate-pay-later");
    let call = tokio::spawn(gate.carry(pay_later(7)));
    while held.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    while held.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(gate.submissions().len(), 1);
}
