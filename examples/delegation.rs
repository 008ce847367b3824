//! An orchestrator gives a worker part of what it may do itself, and nothing more.
//!
//! A person lets the orchestrator refund up to medium risk. The orchestrator lets the worker refund
//! too, but only for one account. Each call of either is signed and checked against the whole chain:
//! what lies outside of the worker's token is refused before anybody is asked.
//!
//! ```console
//! $ cargo run --example delegation
//! person → orchestrator: active, depth 1
//! orchestrator → worker: active, depth 2
//! worker asks: refund 1200 cents to acc_1
//! worker: refunded 1200
//! worker: delegation refused: … the delegation is narrowed to some values of the metadata's `account`, …
//! orchestrator asks: refund 300 cents to acc_2
//! orchestrator: refunded 300
//! nobody: configuration: this client asks only within a delegation scope, and there is none here; …
//! ```
//!
//! It decides in its own process. With `SERNIXA_BASE_URL` set it uses that service instead: then a
//! key with the roles `admin` and `agent`, bound to both agents, and the secret of
//! `SERNIXA_REQUEST_SIGNING_SECRET` are needed, and a person decides there.

use sernixa::delegation::{Delegation, Scope, Token, TokenRequest};
use sernixa::embedded::{Decision, Record};
use sernixa::{Client, DataSensitivity, Error, OperationClass, RiskLevel};

#[sernixa::intercept(
    intent_id = "refund",
    risk_level = "medium",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["stripe"],
    metadata = { account: account },
    summary = "refund {cents} cents to {account}",
)]
fn refund(account: &str, cents: u32) -> Result<u32, Error> {
    let _ = account;
    Ok(cents)
}

/// What a refund needs.
fn refunds() -> Scope {
    Scope::new()
        .max_risk_level(RiskLevel::Medium)
        .operation_class(&OperationClass::Financial)
        .data_sensitivity(&DataSensitivity::Financial)
}

fn delegate(client: &Client, from: &str, to: &str, request: TokenRequest) -> Result<Token, Error> {
    let token = client.create_delegation_token_blocking(request)?;
    let status = token.status().unwrap_or("unknown");
    println!("{from} → {to}: {status}, depth {}", token.answer()["depth"]);
    Ok(token)
}

fn acting(agent: &str, token: &Token) -> Delegation {
    let delegation = Delegation::new(agent, token.token_id());
    match token.chain_id() {
        Some(chain) => delegation.chain_id(chain),
        None => delegation,
    }
}

fn show(who: &str, refunded: Result<u32, Error>) {
    match refunded {
        Ok(cents) => println!("{who}: refunded {cents}"),
        Err(refusal) => println!("{who}: {refusal}"),
    }
}

/// Stands in for a person, who sees which agent asks.
fn review(asked: &Record) -> Decision {
    let agent = asked.agent_id().unwrap_or("nobody");
    println!("{agent} asks: {}", asked.summary().unwrap_or_default());
    Decision::approve()
}

fn client() -> Result<Client, Error> {
    // Without it a call outside of every delegation would be an ordinary one.
    let builder = Client::builder().require_delegation(true);
    if std::env::var_os("SERNIXA_BASE_URL").is_some() {
        return builder.build();
    }
    builder
        .base_url("embedded:")
        .request_signing_secret("only for this example: 16 bytes or more")
        .reviewer(review)
        .build()
}

fn main() -> Result<(), Error> {
    let client = client()?;
    sernixa::install(client.clone())?;

    let request = TokenRequest::new("person", "orchestrator", refunds());
    let root = delegate(&client, "person", "orchestrator", request)?;

    let narrower = refunds().resource("account", "acc_1");
    let request = TokenRequest::new("orchestrator", "worker", narrower);
    let request = request.parent_token_id(root.token_id());
    let child = delegate(&client, "orchestrator", "worker", request)?;

    let worker = acting("worker", &child);
    worker.run_blocking(|| {
        show("worker", refund("acc_1", 1_200));
        show("worker", refund("acc_2", 300));
    });
    let orchestrator = acting("orchestrator", &root);
    orchestrator.run_blocking(|| show("orchestrator", refund("acc_2", 300)));
    show("nobody", refund("acc_1", 1));

    sernixa::close_blocking();
    Ok(())
}
