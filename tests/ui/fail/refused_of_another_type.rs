//! `refused` returns what the function returns.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    refused = nothing,
)]
pub fn adjust(cents: i64) -> Option<i64> {
    Some(cents)
}

fn nothing(error: sernixa::Error) -> Result<i64, sernixa::Error> {
    Err(error)
}

fn main() {}
