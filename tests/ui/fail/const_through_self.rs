//! `Self` is not known where a `const` is checked.

use sernixa::intercept;

pub struct Billing;

impl Billing {
    pub const INTENT: &str = "billing-adjustment";

    #[intercept(
        intent_id = Self::INTENT,
        risk_level = "high",
        operation_class = "financial",
        data_sensitivity = "internal",
        systems_touched = ["stripe"],
    )]
    pub fn adjust(&self) -> Result<(), sernixa::Error> {
        Ok(())
    }
}

fn main() {}
