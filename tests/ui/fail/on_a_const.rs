//! A constant is no function.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub const LIMIT: u8 = 7;

fn main() {}
