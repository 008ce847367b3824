//! Sernixa in front of the tools of Rust agent frameworks: each adapter implements the framework's
//! own trait, asks before each call, and lets the tool run or not.
//!
//! | feature | wraps | a refusal is |
//! |---|---|---|
//! | `rig` | a `Tool` of rig-core 0.44: [`rig::Governed`] | `ToolExecutionError::refused`, which the model reads |
//! | `langchain-rust` | a `Tool` of langchain-rust 7: [`langchain::Governed`] | the tool's `Box<dyn Error>`, holding a [`sernixa::Error`] |
//! | `tower` | a `Service`: [`tower::GovernLayer`] | the service's error or answer |
//!
//! The gate is a [`sernixa::boundary::Guard`]: action id `<framework>.<tool>`, low risk and class
//! `tool_call` until set otherwise, argument values only where capture is on.

#[cfg(any(feature = "rig", feature = "langchain-rust", feature = "tower"))]
mod ended;
#[cfg(feature = "langchain-rust")]
pub mod langchain;
#[cfg(feature = "rig")]
pub mod rig;
#[cfg(feature = "tower")]
pub mod tower;
