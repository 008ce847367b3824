//! A `const OperationClass` is a known one; your own is a text in `custom(…)`.

use sernixa::intercept;

const CLASS: sernixa::OperationClass = sernixa::OperationClass::custom("wire_transfer");

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = CLASS,
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
