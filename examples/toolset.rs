//! A gate that cannot be forgotten: under `#[sernixa::toolset]` every public method carries a gate or
//! says why it has none, or the build fails at its name. `sernixa::callsites()` lists what is governed.
//!
//! ```console
//! $ cargo run --example toolset
//! read-ticket   low      Desk.read_ticket
//! close-ticket  medium   Desk.close_ticket
//! 7: printer on fire
//! not closed: rejected: a reviewer said no: closing is for people…
//! ```

#![allow(
    unreachable_pub,
    reason = "a toolset is about what is `pub`, and a binary exports nothing"
)]

use sernixa::Client;
use sernixa::embedded::{Decision, Engine, Record};

struct Desk {
    open: bool,
}

#[sernixa::toolset]
impl Desk {
    #[sernixa::intercept(
        intent_id = "read-ticket",
        risk_level = "low",
        operation_class = "read",
        data_sensitivity = "internal",
        systems_touched = ["tickets"],
    )]
    pub fn read_ticket(&self, id: u32) -> Result<String, sernixa::Error> {
        Ok(format!("{id}: printer on fire"))
    }

    #[sernixa::intercept(
        intent_id = "close-ticket",
        risk_level = "medium",
        operation_class = "update",
        data_sensitivity = "internal",
        systems_touched = ["tickets"],
    )]
    pub fn close_ticket(&self, id: u32) -> Result<String, sernixa::Error> {
        Ok(format!("{id} closed"))
    }

    #[sernixa::ungoverned(reason = "looks at a flag of this process")]
    pub fn is_open(&self) -> bool {
        self.open
    }
}

fn main() -> Result<(), sernixa::Error> {
    sernixa::install(
        Client::builder()
            .engine(Engine::in_memory())
            .reviewer(|_: &Record| Decision::reject("closing is for people"))
            .build()?,
    )?;

    let mut sites: Vec<_> = sernixa::callsites().collect();
    sites.sort_by_key(|site| site.line());
    for site in sites {
        let (intent, risk) = (site.intent_id(), site.risk_level().as_str());
        println!("{intent:13} {risk:8} {}", site.function());
    }

    let desk = Desk { open: true };
    if desk.is_open() {
        println!("{}", desk.read_ticket(7)?);
        match desk.close_ticket(7) {
            Ok(done) => println!("{done}"),
            Err(refusal) => println!("not closed: {refusal}"),
        }
    }

    sernixa::close_blocking();
    Ok(())
}
