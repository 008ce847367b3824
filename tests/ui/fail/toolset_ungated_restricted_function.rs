//! `pub(crate)` is public enough.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    pub(crate) fn adjust(&self) {}
}

fn main() {}
