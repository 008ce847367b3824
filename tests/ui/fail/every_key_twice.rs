//! Every key may be given once.

use sernixa::intercept;

#[intercept(
    intent_id = "billing-adjustment",
    intent_id = "billing-adjustment",
    risk_level = "high",
    risk_level = "high",
    operation_class = "financial",
    operation_class = "financial",
    data_sensitivity = "internal",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
    systems_touched = ["stripe"],
    action_id = "adjust",
    action_id = "adjust",
    metadata = { cents: cents },
    metadata = { cents: cents },
    summary = "adjust {cents}",
    summary = "adjust {cents}",
    refused = refused,
    refused = refused,
    client = client(),
    client = client(),
    capture_arguments = true,
    capture_arguments = true,
    skip = [cents],
    skip = [cents],
    handles = [invoice_id],
    handles = [invoice_id],
    resume_key = invoice_id,
    resume_key = invoice_id,
    crate = sernixa,
    crate = sernixa,
)]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
