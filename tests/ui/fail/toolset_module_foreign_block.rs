//! A foreign function has no gate.

use sernixa::toolset;

#[toolset]
pub mod tools {
    unsafe extern "C" {
        pub fn adjust(cents: i64) -> i64;
    }
}

fn main() {}
