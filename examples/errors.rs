//! Every refusal is an ordinary error with a kind, a reason and an answer to "what now?".
//!
//! An action is asked five times: of a reviewer who says no, of one who never answers, at an address
//! where nothing listens, with a field that breaks a rule, and over a connection that is not safe.
//! In none of them does the body begin.
//!
//! ```console
//! $ cargo run --example errors
//! said no  do not retry  rejected: a reviewer said no: too expensive…
//! too late do not retry  timed out: nobody decided within 0.2 s (SERNIXA_POLL_TIMEOUT_SECONDS); ask again…
//! trouble  try again     service: the service cannot be reached; check SERNIXA_BASE_URL and the network
//! mend it  do not retry  validation: intent_id: this value is blank: …
//! mend it  do not retry  configuration: ClientBuilder::base_url is plain http to another machine; use https://, …
//! ```

use std::time::Duration;

use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Action, Client, ClientBuilder, DataSensitivity, Error, OperationClass, RiskLevel};

fn action(intent_id: &str) -> Action {
    Action::new(intent_id)
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .sensitivity(DataSensitivity::Internal)
        .systems(["shop"])
}

fn ask(client: ClientBuilder, action: &Action) -> Result<(), Error> {
    let client = client.build()?;
    let result = client.run(action, || {
        println!("this line is never printed");
        Ok(())
    });
    client.close_blocking();
    result
}

fn main() {
    let embedded = || Client::builder().engine(Engine::in_memory());

    let too_expensive = embedded().reviewer(|_: &Record| Decision::reject("too expensive"));
    show(ask(too_expensive, &action("order-laptop")));

    let silent = embedded().reviewer(|_: &Record| Decision::leave());
    show(ask(
        silent.poll_timeout(Duration::from_millis(200)),
        &action("order-laptop"),
    ));

    let nowhere = Client::builder()
        .base_url("http://127.0.0.1:9")
        .max_retries(0);
    show(ask(nowhere, &action("order-laptop")));

    show(ask(embedded(), &action("  ")));

    show(ask(
        Client::builder().base_url("http://approvals.example.com"),
        &action("order-laptop"),
    ));
}

/// What a program might do with a refusal.
fn show(result: Result<(), Error>) {
    let Err(error) = result else { return };
    let kind = match &error {
        Error::Rejected(_) | Error::Blocked(_) => "said no",
        Error::Timeout(_) | Error::Expired(_) => "too late",
        Error::Configuration(_) | Error::Validation(_) => "mend it",
        _ => "trouble",
    };
    let next = if error.is_retryable() {
        "try again"
    } else {
        "do not retry"
    };
    println!("{kind:8} {next:13} {error}");
}
