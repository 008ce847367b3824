//! An agent that works for several customers at once; each of its tools is governed.
//!
//! The reads run at once. Each mail waits for a reviewer, here a closure that stands in for a
//! person; a waiting call holds no thread and no slot, so the others go on.
//!
//! ```console
//! $ cargo run --example async_agent
//! mail to cus_ada: sent, 17 characters
//! mail to cus_bob: sent, 17 characters
//! mail to everyone: not sent: rejected: a reviewer said no: one customer at a time…
//! ```

use sernixa::Client;
use sernixa::embedded::{Decision, Engine, Record};

#[sernixa::intercept(
    intent_id = "agent-read",
    risk_level = "low",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["vectordb"],
)]
async fn draft(customer: &str) -> Result<String, sernixa::Error> {
    tokio::task::yield_now().await;
    Ok(format!("Dear {customer}, hi!"))
}

#[sernixa::intercept(
    intent_id = "customer-mail",
    risk_level = "medium",
    operation_class = "communication",
    data_sensitivity = "confidential",
    systems_touched = ["smtp"],
    summary = "mail to {customer}",
    skip = [text],
)]
async fn send(customer: &str, text: String) -> Result<usize, sernixa::Error> {
    tokio::task::yield_now().await;
    Ok(text.chars().count())
}

async fn work(customer: &'static str) -> String {
    let sent = async { send(customer, draft(customer).await?).await };
    match sent.await {
        Ok(length) => format!("mail to {customer}: sent, {length} characters"),
        Err(refusal) => format!("mail to {customer}: not sent: {refusal}"),
    }
}

/// Stands in for a person.
fn review(asked: &Record) -> Decision {
    if asked.summary() == Some("mail to everyone") {
        Decision::reject("one customer at a time")
    } else {
        Decision::approve()
    }
}

#[tokio::main]
async fn main() -> Result<(), sernixa::Error> {
    sernixa::install(
        Client::builder()
            .engine(Engine::in_memory())
            .reviewer(review)
            .build()?,
    )?;

    let workers = ["cus_ada", "cus_bob", "everyone"].map(|customer| tokio::spawn(work(customer)));
    for worker in workers {
        println!("{}", worker.await.unwrap_or_else(|panic| panic.to_string()));
    }

    sernixa::close().await;
    Ok(())
}
