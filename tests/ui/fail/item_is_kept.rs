//! With a mistake in the attribute the function is still there for the rest of the file.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    risk_level = "hi",
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

pub fn twice() -> Result<(), sernixa::Error> {
    adjust("in_1", 1)?;
    adjust("in_1", 1)
}

fn main() {}
