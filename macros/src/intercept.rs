//! `#[intercept(…)]` from tokens to tokens: parse, judge, expand.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};

use crate::ast::Function;
use crate::attr::Arguments;
use crate::faults::Faults;
use crate::{expand, valid};

/// The governed function.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: Function = syn::parse2(item)?;
    let mut faults = Faults::default();
    let parser = |input: ParseStream| Ok(Arguments::parse(input, &mut faults));
    let arguments = parser.parse2(args)?;
    let gate = valid::judge(arguments, &function, &mut faults);
    // A gate is missing only where a fault was found; never guess that it was not needed.
    let unread = || syn::Error::new(function.sig.ident.span(), "this gate could not be read");
    let gate = faults.unless_any(gate)?.ok_or_else(unread)?;
    Ok(expand::expand(&gate, function))
}
