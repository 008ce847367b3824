//! A function is no set.

use sernixa::toolset;

#[toolset]
pub fn adjust() {}

fn main() {}
