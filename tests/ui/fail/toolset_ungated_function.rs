//! A public function of a toolset has a gate.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    pub fn adjust(&self) {}

    fn helper(&self) {}
}

fn main() {}
