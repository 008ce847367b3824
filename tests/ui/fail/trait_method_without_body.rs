//! A method without a body has none to stand in front of.

use sernixa::intercept;

pub trait Billing {
    #[intercept(
        intent_id = "billing-adjustment",
        risk_level = "high",
        operation_class = "financial",
        data_sensitivity = "internal",
        systems_touched = ["stripe"],
    )]
    fn adjust(&self) -> Result<(), sernixa::Error>;
}

fn main() {}
