//! A generator yields many times.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub gen fn adjust() -> u8 {
    yield 1;
}

fn main() {}
