//! A toolset module cannot see into a macro.

use sernixa::toolset;

#[toolset]
pub mod tools {
    std::thread_local! {
        pub static LIMIT: u8 = 7;
    }
}

fn main() {}
