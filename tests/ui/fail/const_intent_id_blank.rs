//! A `const` keeps the same rules: `const` evaluation says so.

use sernixa::intercept;

mod names {
    pub const INTENT: &str = " ";
}

#[intercept(
    intent_id = names::INTENT,
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
