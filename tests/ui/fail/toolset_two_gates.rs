//! One gate is enough.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    #[sernixa::ungoverned(reason = "a look only")]
    #[sernixa::ungoverned(reason = "a look only")]
    pub fn look(&self) {}
}

fn main() {}
