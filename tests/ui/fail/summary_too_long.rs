//! A summary is cut at 500 characters, so a longer one cannot be read.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    summary = "adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust adjust ",
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
