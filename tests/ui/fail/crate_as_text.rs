//! `crate` is a path.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    crate = "sernixa",
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
