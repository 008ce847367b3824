//! Every method of a trait's `impl` has a gate.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl std::fmt::Display for Billing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("billing")
    }
}

fn main() {}
