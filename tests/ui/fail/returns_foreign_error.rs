//! The error type has to be made from a refusal.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64) -> Result<u8, std::num::ParseIntError> {
    let _ = cents;
    loop {}
}

fn main() {}
