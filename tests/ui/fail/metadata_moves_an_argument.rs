//! Metadata borrows the arguments: it cannot move one.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    metadata = { note: note.into_boxed_str() },
)]
pub fn adjust(note: String) -> Result<usize, sernixa::Error> {
    Ok(note.len())
}

fn main() {}
