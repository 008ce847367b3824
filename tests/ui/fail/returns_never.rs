//! Nor can a function that never returns.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64) -> ! {
    let _ = cents;
    loop {}
}

fn main() {}
