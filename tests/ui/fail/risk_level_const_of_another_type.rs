//! A `const` risk level is a `RiskLevel`, not a text.

use sernixa::intercept;

const RISK: &str = "high";

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = RISK,
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
