//! Whoever needs no gate says why.

use sernixa::ungoverned;

#[ungoverned]
pub fn look() {}

fn main() {}
