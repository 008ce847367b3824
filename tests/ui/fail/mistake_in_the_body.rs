//! A mistake in the body is reported where it stands, and nowhere else.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub async fn adjust(cents: i64) -> Result<i64, sernixa::Error> {
    if cents < 0 {
        return Ok("negative");
    }
    Ok(cents)
}

fn main() {}
