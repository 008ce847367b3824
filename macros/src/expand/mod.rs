//! Writes the governed function.
//!
//! Everything of ours has mixed-site hygiene: local names are invisible to the user's tokens and
//! the user's to ours, also when the attribute comes out of a `macro_rules!`. Paths are absolute.
//! The body sits in a block of its own, so that its items shadow nothing here.

mod body;
mod facts;
mod prepare;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, Path, Signature};

use crate::ast::Function;
use crate::valid::{Gate, Parameter};

/// The function with its gate.
pub(crate) fn expand(gate: &Gate, function: Function) -> TokenStream {
    let names = Names::new(&gate.krate);
    let items = facts::items(gate, &names);
    let body = body::governed(gate, &names, &function);
    let Function {
        attrs,
        vis,
        defaultness,
        mut sig,
        body: _,
    } = function;
    bind_whole(&mut sig, &gate.parameters);
    let mixed = mixed();
    let block = quote_spanned! {mixed=> {
        #items
        #body
    }};
    quote! { #(#attrs)* #vis #defaultness #sig #block }
}

/// The hygiene of everything we write.
pub(crate) fn mixed() -> Span {
    Span::mixed_site()
}

/// The same hygiene at a place in the user's code, for messages that belong there.
pub(crate) fn mixed_at(place: Span) -> Span {
    mixed().located_at(place)
}

/// Names that several parts of an expansion use.
struct Names<'g> {
    krate: &'g Path,
    /// `::sernixa::__private`.
    private: TokenStream,
    /// The function that knows its own type name. An item: visible to the body, hence the prefix.
    here: Ident,
    /// The call site. An item, too.
    site: Ident,
}

impl<'g> Names<'g> {
    fn new(krate: &'g Path) -> Self {
        let mixed = mixed();
        Self {
            krate,
            private: quote_spanned!(mixed=> #krate::__private),
            here: Ident::new("__sernixa_here", mixed),
            site: Ident::new("__SERNIXA_CALLSITE", mixed),
        }
    }

    /// The same path for a message that belongs at `place`; each token keeps its own hygiene.
    fn private_at(&self, place: Span) -> TokenStream {
        let krate = self.krate;
        let path = quote_spanned!(place=> #krate::__private);
        // The interpolated path keeps the hygiene that its tokens came with.
        let tokens = path.into_iter().map(|mut token| {
            token.set_span(token.span().located_at(place));
            token
        });
        tokens.collect()
    }
}

/// Where tokens of the user's begin and end, with our hygiene. What is written between the two
/// is underlined as if it stood there.
fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens
        .to_token_stream()
        .into_iter()
        .map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (mixed_at(first), mixed_at(last))
}

/// The name of ours for an argument whose pattern binds nothing.
fn whole_argument(position: usize) -> Ident {
    Ident::new(&format!("argument_{position}"), mixed())
}

/// Gives every argument whose pattern binds nothing a name in the signature.
fn bind_whole(sig: &mut Signature, parameters: &[Parameter]) {
    let typed = sig.inputs.iter_mut().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    for (typed, parameter) in typed.zip(parameters) {
        if parameter.bindings.is_empty() {
            let name = whole_argument(parameter.position);
            *typed.pat = syn::parse_quote!(#name);
        }
    }
}
