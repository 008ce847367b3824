//! Governed functions in your unit tests: `TestGate` answers in place of policy and people.
//!
//! It is scoped to a closure or a future, so tests run in parallel; what was not approved is refused;
//! what was asked can be read afterwards.
//!
//! ```console
//! $ cargo run --example in_your_tests
//! approved: in_42 paid
//! refused:  rejected: a reviewer said no: not today…
//! asked 2 times, for pay-invoice
//! held:     waited, then in_43 paid
//! ```

use sernixa::testing::{Recorded, TestGate};

#[sernixa::intercept(
    intent_id = "pay-invoice",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["bank"],
)]
fn pay(invoice: &str) -> Result<String, sernixa::Error> {
    Ok(format!("{invoice} paid"))
}

fn main() -> Result<(), sernixa::Error> {
    let gate = TestGate::new();

    // The three lines of a unit test: a gate, what it says, the call.
    gate.approve("pay-invoice");
    println!("approved: {}", gate.scope(|| pay("in_42"))?);

    gate.refuse("pay-invoice", "not today");
    if let Err(refusal) = gate.scope(|| pay("in_42")) {
        println!("refused:  {refusal}");
    }

    let asked = gate.submissions();
    let intents: Vec<_> = asked.iter().map(Recorded::intent_id).collect();
    println!(
        "asked {} times, for {}",
        intents.len(),
        intents.last().unwrap_or(&"nothing")
    );

    // A held call waits until it is released: what your code does meanwhile can be tested.
    let held = gate.hold("pay-invoice");
    let paid = std::thread::scope(|threads| {
        let call = threads.spawn(|| gate.scope(|| pay("in_43")));
        held.wait_for(1);
        held.approve();
        call.join()
    });
    match paid {
        Ok(result) => println!("held:     waited, then {}", result?),
        Err(_) => println!("held:     panicked"),
    }
    // Nothing to `close`: a gate has no service, so no outcome is on its way to one.
    Ok(())
}
