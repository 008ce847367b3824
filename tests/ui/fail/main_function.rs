//! `main` is the program, not an action.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
fn main() -> Result<(), sernixa::Error> {
    Ok(())
}

