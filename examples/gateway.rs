//! One question before a whole agent run: the agent itself needs no change.
//!
//! The profile says which MCP servers the agent runs with. With `enforce_ebpf` a run needs a service
//! that is ready and whose Flight Recorder is enabled; an engine in this process has none, so that
//! such a run does not begin.
//!
//! ```console
//! $ cargo run --example gateway
//! asked:  gateway:research, profile research
//! run:    3 sources read on whales
//! asked:  gateway:payments, profile payments
//! no run: rejected: a reviewer said no: not at night…
//! no run: configuration: enforce_ebpf needs a Flight Recorder, and an engine in this process has none; …
//! ```

use serde_json::Value;
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::gateway::Gateway;
use sernixa::{Client, Error, RiskLevel};

/// An agent that knows nothing of all this.
fn agent(topic: &str) -> String {
    format!("3 sources read on {topic}")
}

fn show(run: Result<String, Error>) {
    match run {
        Ok(report) => println!("run:    {report}"),
        Err(refusal) => println!("no run: {refusal}"),
    }
}

/// Stands in for a person.
fn review(asked: &Record) -> Decision {
    let metadata: Value = serde_json::from_str(asked.metadata()).unwrap_or_default();
    let profile = metadata.get("mcp_profile").and_then(Value::as_str);
    let profile = profile.unwrap_or_default();
    println!("asked:  {}, profile {profile}", asked.action_id());
    match profile {
        "payments" => Decision::reject("not at night"),
        _ => Decision::approve(),
    }
}

fn main() -> Result<(), Error> {
    let client = Client::builder()
        .engine(Engine::in_memory())
        .reviewer(review)
        .build()?;

    let research = Gateway::new(&client).mcp_profile("research");
    show(research.run(|| Ok(agent("whales"))));

    let payments = Gateway::new(&client)
        .mcp_profile("payments")
        .intent_id("monthly-payments")
        .risk(RiskLevel::High)
        .systems(["bank"]);
    show(payments.run(|| Ok(agent("invoices"))));

    let watched = research.enforce_ebpf(true);
    show(watched.run(|| Ok(agent("whales"))));

    client.close_blocking();
    Ok(())
}
