//! A toolset cannot pass on what it does not see.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub use std::process::abort;
}

fn main() {}
