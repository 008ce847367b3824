//! The only key is `reason`.

use sernixa::ungoverned;

#[ungoverned(because = "a look only")]
pub fn look() {}

fn main() {}
