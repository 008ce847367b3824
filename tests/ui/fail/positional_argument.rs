//! Keys have names.

use sernixa::intercept;

#[intercept("billing-adjustment")]
pub fn adjust(invoice_id: &str, cents: i64) -> Result<(), sernixa::Error> {
    println!("{invoice_id} {cents}");
    Ok(())
}

fn main() {}
