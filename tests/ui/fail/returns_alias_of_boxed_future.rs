//! An alias of a boxed future cannot be recognised.

use sernixa::intercept;

use std::{future::Future, pin::Pin};

type Later<T> = Pin<Box<dyn Future<Output = T>>>;

#[intercept(
    intent_id = "billing-adjustment",
    risk_level = "high",
    operation_class = "financial",
    data_sensitivity = "internal",
    systems_touched = ["stripe"],
)]
pub fn adjust(cents: i64) -> Later<Result<u8, sernixa::Error>> {
    let _ = cents;
    Box::pin(async { Ok(7) })
}

fn main() {}
