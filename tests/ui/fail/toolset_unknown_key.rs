//! The only key of `toolset` is `crate`.

use sernixa::toolset;

pub struct Billing;

#[toolset(krate = sernixa)]
impl Billing {}

fn main() {}
