//! A type does nothing.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub struct Billing;

fn main() {}
