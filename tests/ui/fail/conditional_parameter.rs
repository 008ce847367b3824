//! Arguments are what is approved: they cannot come and go.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64, #[cfg(unix)] dry: bool) -> Result<i64, sernixa::Error> {
    let _ = dry;
    Ok(cents)
}

fn main() {}
