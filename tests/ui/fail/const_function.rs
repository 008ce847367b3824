//! A `const fn` may run when nobody can be asked.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub const fn adjust(cents: i64) -> Result<i64, sernixa::Error> {
    Ok(cents)
}

fn main() {}
