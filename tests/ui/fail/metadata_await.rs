//! Metadata is read before the gate asks: it cannot wait.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    metadata = { balance: balance().await },
)]
pub async fn adjust(cents: i64) -> Result<i64, sernixa::Error> {
    Ok(cents)
}

async fn balance() -> i64 {
    0
}

fn main() {}
