//! Only a function can do without a gate.

use sernixa::ungoverned;

#[ungoverned(reason = "a look only")]
pub struct Billing;

fn main() {}
