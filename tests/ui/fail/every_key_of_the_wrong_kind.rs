//! Each key says what it takes.

use sernixa::intercept;

#[intercept(
    intent_id = 5,
    risk_level = 4,
    operation_class = financial(),
    data_sensitivity = ["PII"],
    systems_touched = "stripe",
    action_id = ACTION,
    metadata = [cents],
    summary = format!("x"),
    refused = |_| None,
    client = ,
    capture_arguments = "yes",
    skip = cents,
    handles = "pool",
    resume_key = ,
    crate = "sernixa",
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
