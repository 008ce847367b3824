//! A gate under another name is not recognised.

use sernixa::{toolset, ungoverned as free};

pub struct Billing;

#[toolset]
impl Billing {
    #[free(reason = "a look only")]
    pub fn look(&self) {}
}

fn main() {}
