//! A gate is there in every build, in a module, too.

use sernixa::toolset;

#[toolset]
pub mod tools {
    #[cfg_attr(all(), sernixa::ungoverned(reason = "a look only"))]
    pub fn look() {}
}

fn main() {}
