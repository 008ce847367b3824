//! A public function of a toolset module has a gate.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub fn adjust() {}

    fn helper() {}
}

fn main() {}
