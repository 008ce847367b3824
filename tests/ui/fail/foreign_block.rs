//! A block of foreign functions is no function.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
unsafe extern "C" {
    fn adjust(cents: i64) -> i64;
}

fn main() {}
