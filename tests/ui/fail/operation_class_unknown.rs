//! An unknown class: the nearest one is suggested, and the way to one of your own.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "finance",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
