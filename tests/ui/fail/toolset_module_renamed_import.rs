//! A gate keeps its name.

use sernixa::toolset;

#[toolset]
pub mod tools {
    use sernixa::ungoverned as free;

    #[free(reason = "a look only")]
    fn look() {}
}

fn main() {}
