//! The attributes of Sernixa.
mod ast;
mod attr;
mod expand;
mod faults;
mod intercept;
mod suggest;
mod toolset;
mod ungoverned;
mod valid;

use proc_macro::TokenStream;

/// Gate
#[proc_macro_attribute]
pub fn intercept(args: TokenStream, item: TokenStream) -> TokenStream {
    intercept::expand(args.into(), item.into()).into()
}

/// Toolset
#[proc_macro_attribute]
pub fn toolset(args: TokenStream, item: TokenStream) -> TokenStream {
    toolset::expand(args.into(), item.into()).into()
}

/// Ungoverned
#[proc_macro_attribute]
pub fn ungoverned(args: TokenStream, item: TokenStream) -> TokenStream {
    ungoverned::expand(args.into(), item.into()).into()
}
