//! Governed functions in a crate that denies every lint it can: the gate sets off none.
//!
//! `cargo clippy -p sernixa-ui-tests` is the test; what is compiled here need not run.

#![deny(
    warnings,
    unused,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    explicit_outlives_requirements,
    impl_trait_redundant_captures,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::str_to_string,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::let_underscore_untyped,
    clippy::let_underscore_must_use,
    clippy::exit,
    clippy::dbg_macro,
    clippy::min_ident_chars,
    clippy::semicolon_inside_block,
    clippy::unused_result_ok,
    clippy::unseparated_literal_suffix
)]
#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use sernixa::{Client, Error, RiskLevel, intercept, toolset, ungoverned};

const RISK: RiskLevel = RiskLevel::Low;
const SYSTEMS: [&str; 1] = ["test"];

/// Arguments that the body does not use: the gate does.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn unused_arguments(_text: &str, _number: u8) -> Result<(), Error> {
    Ok(())
}

/// Arguments that only the attribute uses.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { sum: first + second, "text": text }, summary = "{first} and {second}", resume_key = text)]
pub fn used_by_the_attribute(first: u8, second: u8, text: &str) -> Result<(), Error> {
    Ok(())
}

/// Every key at once.
///
/// # Errors
/// A refusal.
#[intercept(
    intent_id = "lints",
    risk_level = RISK,
    operation_class = custom("look"),
    data_sensitivity = "PII",
    systems_touched = SYSTEMS,
    action_id = "lints.every-key",
    metadata = { first: first, length: text.len() },
    summary = "a line without names",
    client = client,
    capture_arguments = false,
    skip = [secret],
    handles = [client],
    resume_key = format!("{first}-{text}"),
    crate = sernixa,
)]
pub async fn every_key(
    first: u8,
    text: String,
    secret: &str,
    client: &Client,
) -> Result<usize, Error> {
    Ok(text.len() + secret.len() + usize::from(first) + usize::from(client.clone().inner()))
}

trait Inner {
    fn inner(self) -> u8;
}

impl Inner for Client {
    fn inner(self) -> u8 {
        drop(self);
        0
    }
}

/// A body of one expression, in one line.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[rustfmt::skip]
pub fn one_line(number: u8) -> Result<u8, Error> { Ok(number) }

/// The same, `async`.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[rustfmt::skip]
pub async fn one_line_async(number: u8) -> Result<u8, Error> { Ok(number) }

/// The same without arguments.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[rustfmt::skip]
pub fn one_line_alone() -> Result<u8, Error> { Ok(7) }

/// Patterns, and arguments that are changed.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn patterns(
    (first, mut second): (u8, u8),
    mut items: Vec<u8>,
    _: u8,
) -> Result<Vec<u8>, Error> {
    second += first;
    items.push(second);
    Ok(items)
}

/// Generic, with lifetimes and `impl Trait`.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn generic<'text, Item: Debug>(
    items: &[Item],
    text: &'text str,
    more: impl IntoIterator<Item = u8>,
) -> Result<(&'text str, usize), Error> {
    Ok((text, items.len() + more.into_iter().count()))
}

/// Never comes back unless it is refused.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn looping(number: &mut u8) -> Result<u8, Error> {
    loop {
        *number = number.wrapping_add(1);
    }
}

/// The caller's place.
///
/// # Errors
/// A refusal.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[track_caller]
pub fn place(_offset: u32) -> Result<u32, Error> {
    Ok(std::panic::Location::caller().line())
}

/// An opaque future.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[rustfmt::skip]
pub fn opaque(number: u8) -> impl Future<Output = Result<u8, Error>> { std::future::ready(Ok(number)) }

/// A boxed future.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
pub fn boxed(text: &str) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + '_>> {
    Box::pin(async move { Ok(text.len()) })
}

fn nothing(refusal: Error) -> Option<u8> {
    drop(refusal);
    None
}

/// No `Result`.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = nothing)]
#[must_use]
pub fn option(number: u8) -> Option<u8> {
    number.checked_add(1)
}

/// No `Result`, `async`.
#[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = nothing)]
pub async fn option_later(number: u8) -> Option<u8> {
    number.checked_add(1)
}

/// Methods.
#[derive(Clone, Debug, Default)]
pub struct Billing {
    cents: u32,
    notes: Vec<String>,
}

#[toolset]
impl Billing {
    /// Gives a borrow back.
    ///
    /// # Errors
    /// A refusal.
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn adjust(&mut self, by: u32) -> Result<&mut u32, Error> {
        self.cents += by;
        Ok(&mut self.cents)
    }

    /// Consumes itself.
    ///
    /// # Errors
    /// A refusal.
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub async fn close(mut self) -> Result<u32, Error> {
        self.notes.clear();
        Ok(self.cents)
    }

    /// Shared.
    ///
    /// # Errors
    /// A refusal.
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { cents: self.cents })]
    pub async fn shared(self: &Arc<Self>) -> Result<u32, Error> {
        Ok(self.cents)
    }

    /// Reads a number.
    #[ungoverned(reason = "reads a number")]
    #[must_use]
    pub const fn cents(&self) -> u32 {
        self.cents
    }
}

/// A trait with a default.
pub trait Tool {
    /// Calls it.
    ///
    /// # Errors
    /// A refusal.
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self, _number: u8) -> Result<(), Error> {
        Ok(())
    }
}

#[toolset]
impl Tool for Billing {
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn call(&self, number: u8) -> Result<(), Error> {
        println!("{} {number}", self.cents);
        Ok(())
    }
}

/// A trait for objects.
#[async_trait::async_trait]
pub trait DynTool {
    /// Calls it.
    ///
    /// # Errors
    /// A refusal.
    async fn dyn_call(&self, number: u8) -> Result<u8, Error>;
}

#[async_trait::async_trait]
impl DynTool for Billing {
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn dyn_call(&self, number: u8) -> Result<u8, Error> {
        Ok(number)
    }
}

/// A module of tools, with imports that only its gates use.
#[toolset]
pub mod tools {
    use sernixa::{Error, intercept, ungoverned};

    /// Pays.
    ///
    /// # Errors
    /// A refusal.
    #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    pub fn pay(cents: u32) -> Result<u32, Error> {
        Ok(cents)
    }

    /// The most.
    #[ungoverned(reason = "a constant")]
    #[must_use]
    pub const fn limit() -> u32 {
        100
    }
}

macro_rules! governed {
    ($(#[$meta:meta])* $name:ident, $number:ident, $body:block) => {
        $(#[$meta])*
        #[intercept(intent_id = "lints", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], summary = "a macro's")]
        pub fn $name($number: u8) -> Result<u8, Error> $body
    };
}

governed! {
    /// Made by a macro.
    ///
    /// # Errors
    /// A refusal.
    made, number, { Ok(number) }
}
