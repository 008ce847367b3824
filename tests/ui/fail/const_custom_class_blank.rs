//! A `const` in `custom(…)` that is blank.

use sernixa::intercept;

const CLASS: &str = "";

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = custom(CLASS),
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
