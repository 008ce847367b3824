//! Any framework's tools, governed without that framework: a LangChain-, a CrewAI- and an
//! AutoGen-shaped tool, each an object with the method its framework calls.
//!
//! The guard takes the arguments and hands them to the tool, so that what was approved is what the
//! tool gets. Action ids and metadata are those of the Python SDK's adapters.
//!
//! ```console
//! $ cargo run --example guard
//! langchain: 3 hits for whales
//! asked:     crewai.refund-order, high
//! crewai:    order 7: 40 EUR refunded
//! asked:     crewai.refund-order, high
//! crewai:    rejected: a reviewer said no: one is enough…
//! asked:     autogen.ship, medium
//! autogen:   shipped to cus_ada
//! ```

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::{Value, json};
use sernixa::boundary::Guard;
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Client, Error, OperationClass, RiskLevel};

/// `BaseTool` of LangChain: `invoke` takes one input.
struct Search {
    hits: usize,
}

impl Search {
    fn invoke(&self, input: &str) -> String {
        format!("{} hits for {input}", self.hits)
    }
}

/// `BaseTool` of CrewAI: `_run` takes named arguments.
struct Refund {
    currency: &'static str,
}

#[derive(Serialize)]
struct RefundArguments {
    order: u32,
    amount: u32,
}

impl Refund {
    fn run(&self, RefundArguments { order, amount }: &RefundArguments) -> String {
        format!("order {order}: {amount} {} refunded", self.currency)
    }
}

/// `FunctionTool` of AutoGen: `run_json` takes a JSON object, and is async.
struct Ship;

impl Ship {
    async fn run_json(&self, arguments: Value) -> Result<String, Error> {
        tokio::task::yield_now().await;
        let customer = arguments.get("customer").and_then(Value::as_str);
        Ok(format!("shipped to {}", customer.unwrap_or("nobody")))
    }
}

fn show(framework: &str, called: Result<String, Error>) {
    match called {
        Ok(result) => println!("{:10} {result}", format!("{framework}:")),
        Err(refusal) => println!("{:10} {refusal}", format!("{framework}:")),
    }
}

/// Stands in for a person, who lets one refund pass.
fn review(asked: &Record) -> Decision {
    static REFUNDED: AtomicBool = AtomicBool::new(false);

    let risk = asked.risk_level().as_str();
    println!("asked:     {}, {risk}", asked.action_id());
    if asked.action_id().starts_with("crewai") && REFUNDED.swap(true, Ordering::Relaxed) {
        return Decision::reject("one is enough");
    }
    Decision::approve()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    sernixa::install(
        Client::builder()
            .engine(Engine::in_memory())
            .reviewer(review)
            .build()?,
    )?;

    let search = Search { hits: 3 };
    let search = Guard::new("look-things-up", "langchain", "search")
        .class(OperationClass::Read)
        .wrap(|input: &str| Ok(search.invoke(input)));
    show("langchain", search.call("whales"));

    let refund = Refund { currency: "EUR" };
    let guard = Guard::new("refund-order", "crewai", "refund order")
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .systems(["shop"]);
    for amount in [40, 400] {
        let arguments = RefundArguments { order: 7, amount };
        let refunded = guard.run(arguments, |arguments| Ok(refund.run(&arguments)));
        show("crewai", refunded);
    }

    let ship = Guard::new("ship-order", "autogen", "ship").risk(RiskLevel::Medium);
    let customer = json!({"customer": "cus_ada"});
    let shipped = ship
        .run_async(customer, |arguments| Ship.run_json(arguments))
        .await;
    show("autogen", shipped);

    sernixa::close().await;
    Ok(())
}
