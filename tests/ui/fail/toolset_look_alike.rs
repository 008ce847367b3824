//! A look-alike of a gate becomes the real one, which here misses its reason.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    #[must_use]
    #[crate::look_alike::ungoverned]
    pub fn look(&self) -> u8 {
        7
    }
}

pub mod look_alike {
    pub use sernixa::toolset as ungoverned;
}

fn main() {}
