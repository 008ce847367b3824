//! What people approved three times without a rejection runs the fourth time without a person.
//!
//! Remembered is exactly this call: another argument asks again, a rejection forgets, and high or
//! critical risk is never remembered.
//!
//! ```console
//! $ cargo run --example approval_memory
//! restart web-1: asked, done
//! restart web-1: asked, done
//! restart web-1: asked, done
//! restart web-1: done
//! restart web-2: asked, done
//! wipe web-1: asked, done
//! wipe web-1: asked, done
//! wipe web-1: asked, done
//! wipe web-1: asked, done
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};

use sernixa::Client;
use sernixa::embedded::{Decision, Engine, Record};

#[sernixa::intercept(
    intent_id = "restart-host",
    risk_level = "medium",
    operation_class = "execute",
    data_sensitivity = "internal",
    systems_touched = ["cluster"],
)]
fn restart(host: &str) -> Result<(), sernixa::Error> {
    let _ = host;
    Ok(())
}

#[sernixa::intercept(
    intent_id = "wipe-host",
    risk_level = "critical",
    operation_class = "delete",
    data_sensitivity = "restricted",
    systems_touched = ["cluster"],
)]
fn wipe(host: &str) -> Result<(), sernixa::Error> {
    let _ = host;
    Ok(())
}

/// How often the reviewer was asked.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Stands in for a person.
fn review(_: &Record) -> Decision {
    ASKED.fetch_add(1, Ordering::Relaxed);
    Decision::approve()
}

fn show(what: &str, host: &str, call: fn(&str) -> Result<(), sernixa::Error>) {
    let before = ASKED.load(Ordering::Relaxed);
    let result = call(host);
    let asked = if ASKED.load(Ordering::Relaxed) > before {
        "asked, "
    } else {
        ""
    };
    match result {
        Ok(()) => println!("{what} {host}: {asked}done"),
        Err(refusal) => println!("{what} {host}: {asked}{refusal}"),
    }
}

fn main() -> Result<(), sernixa::Error> {
    sernixa::install(
        Client::builder()
            .engine(Engine::in_memory())
            .reviewer(review)
            .build()?,
    )?;

    for _ in 0..4 {
        show("restart", "web-1", restart);
    }
    show("restart", "web-2", restart);
    for _ in 0..4 {
        show("wipe", "web-1", wipe);
    }

    sernixa::close_blocking();
    Ok(())
}
