//! An attribute out of a `macro_rules!` says the same.

use sernixa::intercept;

macro_rules! governed {
    ($name:ident, $intent:literal) => {
        #[intercept(
            intent_id = $intent,
            risk_level = "high",
            operation_class = "financial",
            data_sensitivity = "internal",
            systems_touched = ["stripe"],
        )]
        pub fn $name() -> Result<(), sernixa::Error> {
            Ok(())
        }
    };
}

governed!(adjust, "");

fn main() {}
