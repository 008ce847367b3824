//! On a module, `toolset` is meant.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub mod billing {
    pub fn adjust() {}
}

fn main() {}
