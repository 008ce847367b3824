//! What is hidden behind `impl` has to be a `Result`.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64) -> impl std::fmt::Display {
    let _ = cents;
    7
}

fn main() {}
