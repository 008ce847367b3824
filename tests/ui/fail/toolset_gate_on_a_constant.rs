//! A constant has no gate.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    #[sernixa::ungoverned(reason = "a number")]
    pub const LIMIT: u8 = 7;
}

fn main() {}
