//! A gate keeps its name.

use sernixa::toolset;

#[toolset]
pub mod tools {
    use sernixa::{intercept as gate, ungoverned};

    #[ungoverned(reason = "a look only")]
    pub fn look() {}
}

fn main() {}
