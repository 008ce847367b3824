//! Two governed functions and nothing else: no service, no account, no configuration.
//!
//! A low-risk read runs at once. A high-risk change is shown on the terminal and runs only after
//! you answer `y`; `n`, or no answer at all, ends in an error and the change does not happen.
//!
//! ```console
//! $ cargo run --example quickstart
//! summary for cus_123
//! in_42 adjusted by 1250 cents
//! ```
//!
//! The question stands on stderr, between the two lines. After `n` the second line is
//! `not adjusted: rejected: a reviewer said no: rejected at the terminal (approval …)`.
//!
//! With `SERNIXA_BASE_URL` set, the same two calls ask that service, and it is decided there.

use sernixa::Client;
use sernixa::embedded::{Engine, TerminalReviewer};

#[sernixa::intercept(
    intent_id = "customer-notes",
    risk_level = "LOW",
    operation_class = "read",
    data_sensitivity = "internal",
    systems_touched = ["postgres"],
    metadata = { ticket: "DEMO-1" },
)]
fn summarize_customer(customer_id: &str) -> Result<String, sernixa::Error> {
    Ok(format!("summary for {customer_id}"))
}

#[sernixa::intercept(
    intent_id = "billing-adjustment",
    risk_level = "HIGH",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["stripe", "postgres"],
    summary = "adjust {invoice_id} by {cents} cents",
)]
fn adjust_invoice(invoice_id: &str, cents: i64) -> Result<String, sernixa::Error> {
    Ok(format!("{invoice_id} adjusted by {cents} cents"))
}

fn main() -> Result<(), sernixa::Error> {
    // Without a client of one's own, the first governed call makes one from the environment.
    if std::env::var_os("SERNIXA_BASE_URL").is_none() {
        sernixa::install(
            Client::builder()
                .engine(Engine::in_memory())
                // Named, so that it also reads from a pipe; by default a pipe is never taken for a
                // person.
                .reviewer(TerminalReviewer::new())
                .build()?,
        )?;
    }

    match summarize_customer("cus_123") {
        Ok(summary) => println!("{summary}"),
        Err(refusal) => println!("not summarized: {refusal}"),
    }
    match adjust_invoice("in_42", 1250) {
        Ok(done) => println!("{done}"),
        Err(refusal) => println!("not adjusted: {refusal}"),
    }

    sernixa::close_blocking();
    Ok(())
}
