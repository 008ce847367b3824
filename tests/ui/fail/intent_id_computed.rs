//! A value that is computed is neither a literal nor the path of a `const`.

use sernixa::intercept;

#[intercept(
    intent_id = concat!("billing", "-adjustment"),
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
