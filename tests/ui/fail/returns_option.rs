//! An `Option` has no place for the reason.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64) -> Option<u8> {
    let _ = cents;
    loop {}
}

fn main() {}
