//! A value has to have a JSON form.

use sernixa::intercept;

pub struct Ledger;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    metadata = { ledger: ledger },
)]
pub fn adjust(ledger: &Ledger) -> Result<(), sernixa::Error> {
    let _ = ledger;
    Ok(())
}

fn main() {}
