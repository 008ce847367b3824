//! `#[intercept(…)]` from tokens to tokens: parse, judge, expand.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};

use crate::ast::Function;
use crate::attr::Arguments;
use crate::faults::Faults;
use crate::{expand, valid};

/// The governed function; or the user's own item with the errors in front of it. The item keeps
/// the rest of the file meaningful in an editor, and the errors keep the build from ending.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    match try_expand(args, item.clone()) {
        Ok(governed) => governed,
        Err(fault) => {
            let errors = fault.to_compile_error();
            quote!(#errors #item)
        }
    }
}

fn try_expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: Function = syn::parse2(item)?;
    let mut faults = Faults::default();
    let parser = |input: ParseStream| Ok(Arguments::parse(input, &mut faults));
    let arguments = parser.parse2(args)?;
    let gate = valid::judge(arguments, &function, &mut faults);
    match (faults.into_error(), gate) {
        (None, Some(gate)) => Ok(expand::expand(&gate, function)),
        (Some(fault), _) => Err(fault),
        // A gate is missing only where a fault was found; never guess that it was not needed.
        (None, None) => Err(syn::Error::new(
            function.sig.ident.span(),
            "this gate could not be read; please report it",
        )),
    }
}
