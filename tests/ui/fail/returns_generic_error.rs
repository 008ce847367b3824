//! So has a generic one.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust<E>(cents: i64) -> Result<u8, E> {
    let _ = cents;
    loop {}
}

fn main() {}
