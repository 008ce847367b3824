//! A constant of a toolset hides no items, and if it is public, cannot be called.

use sernixa::toolset;

pub struct Billing;

#[toolset]
impl Billing {
    const HIDDEN: u8 = {
        impl Billing {
            pub fn adjust(&self) {}
        }
        7
    };
    pub const ADJUST: fn(&Self) = Self::really_adjust;
    const PRIVATE: fn(&Self) = Self::really_adjust;

    fn really_adjust(&self) {}
}

pub trait Tool {
    const RUN: fn();
}

#[toolset]
impl Tool for Billing {
    const RUN: fn() = || {};
}

fn main() {}
