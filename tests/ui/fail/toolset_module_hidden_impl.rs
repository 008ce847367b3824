//! A toolset module does not look into items inside an initialiser.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub struct Billing;

    const _: () = {
        impl Billing {
            pub fn adjust(&self) {}
        }
    };

    static LIMIT: u8 = {
        const fn limit() -> u8 {
            7
        }
        limit()
    };
}

fn main() {}
