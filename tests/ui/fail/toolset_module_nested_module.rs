//! A toolset does not look into nested modules.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub mod inner {
        pub fn adjust() {}
    }
}

fn main() {}
