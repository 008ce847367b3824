//! A gate is there in every build.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    #[cfg_attr(not(debug_assertions), sernixa::ungoverned(reason = "a look only"))]
    fn adjust(&self) {}
}

fn main() {}
