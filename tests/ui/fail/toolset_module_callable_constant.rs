//! A public constant that can be called has no gate.

use sernixa::toolset;

#[toolset]
pub mod tools {
    pub const ADJUST: fn() = adjust;
    pub static LOOK: &(dyn Fn() + Sync) = &adjust;
    pub(crate) static LATER: std::sync::LazyLock<Box<dyn FnOnce() + Send + Sync>> =
        std::sync::LazyLock::new(|| Box::new(adjust));
    const PRIVATE: fn() = adjust as fn();

    fn adjust() {}
}

fn main() {}
