//! A foreign function has no body to stand in front of.

use sernixa::intercept;

unsafe extern "C" {
    #[intercept(
        intent_id = "billing-adjustment",
        risk_level = "high",
        operation_class = "financial",
        data_sensitivity = "internal",
        systems_touched = ["stripe"],
    )]
    fn adjust(cents: i64) -> i64;
}

fn main() {}
