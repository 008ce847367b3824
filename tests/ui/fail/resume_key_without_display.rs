//! A resume key has a text.

use sernixa::intercept;

pub struct Order;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    resume_key = order,
)]
pub fn adjust(order: &Order) -> Result<(), sernixa::Error> {
    let _ = order;
    Ok(())
}

fn main() {}
