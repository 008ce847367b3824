//! Nor into traits, whose methods may have bodies.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub trait Billing {
        fn adjust(&self) {}
    }
}

fn main() {}
