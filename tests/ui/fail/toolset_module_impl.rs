//! A toolset module does not look into `impl` blocks.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub struct Billing;

    impl Billing {
        pub fn adjust(&self) {}
    }
}

fn main() {}
