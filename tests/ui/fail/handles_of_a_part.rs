//! A part of an argument cannot be left out alone.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    handles = [pool],
)]
pub fn adjust((pool, cents): (u8, i64)) -> Result<i64, sernixa::Error> {
    Ok(cents + i64::from(pool))
}

fn main() {}
