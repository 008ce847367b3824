//! On an `impl`, `toolset` is meant.

use sernixa::intercept;

pub struct Billing;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
impl Billing {
    pub fn adjust(&self) {}
}

fn main() {}
