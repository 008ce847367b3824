//! A toolset cannot see into a macro.

use sernixa::toolset;

macro_rules! more {
    () => {
        pub fn adjust(&self) {}
    };
}

pub struct Billing;

#[toolset]
impl Billing {
    more!();
}

fn main() {}
