//! The same for `async fn`.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub async fn adjust(cents: i64) -> String {
    let _ = cents;
    String::new()
}

fn main() {}
