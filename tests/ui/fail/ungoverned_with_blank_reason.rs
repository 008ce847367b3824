//! A blank is no reason.

use sernixa::ungoverned;

#[ungoverned(reason = " ")]
pub fn look() {}

fn main() {}
