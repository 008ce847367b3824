//! A mistyped key: the nearest one is suggested.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    risk_levle = "high",
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
