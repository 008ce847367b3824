//! Metadata borrows the arguments: it cannot change one.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    metadata = { last: items.pop() },
)]
pub fn adjust(mut items: Vec<u8>) -> Result<usize, sernixa::Error> {
    items.push(1);
    Ok(items.len())
}

fn main() {}
