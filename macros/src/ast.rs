//! The function under the attribute. Its body stays a row of tokens: whatever the compiler
//! accepts there is accepted here, and nothing in it changes.

use proc_macro2::{Delimiter, Group, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseBuffer, ParseStream, discouraged::Speculative};
use syn::{AttrStyle, Attribute, Ident, LitStr, Signature, Token, Visibility, token};

/// A function with a body: free, in an `impl`, or the default of a trait's method.
pub(crate) struct Function {
    /// Other attributes, in order; inner ones have become outer ones.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The body with its braces.
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        only_functions(input, "intercept")?;
        if is_generator(input)? {
            return Err(input.error(
                "a generator cannot be governed: it yields many times and would ask once; put \
                 `#[intercept]` on the function that does the work of one step",
            ));
        }
        let defaultness = input.parse()?;
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(syn::Error::new(sig.ident.span(), bodiless(&sig)));
        }
        let (braces, content) = braced(input)?;
        let inner = content.call(Attribute::parse_inner)?;
        // They are allowed at the start of a function's body only, and the body moves.
        attrs.extend(inner.into_iter().map(|attr| Attribute {
            style: AttrStyle::Outer,
            ..attr
        }));
        let mut body = Group::new(Delimiter::Brace, content.parse()?);
        body.set_span(braces.span.join());
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        })
    }
}

/// `syn`'s macro sees through the invisible group that `$body:block` comes in.
fn braced<'i>(input: &ParseBuffer<'i>) -> syn::Result<(token::Brace, ParseBuffer<'i>)> {
    let content;
    let braces = syn::braced!(content in input);
    Ok((braces, content))
}

fn bodiless(sig: &Signature) -> &'static str {
    if sig.receiver().is_some() {
        "a method without a body cannot be governed: put `#[intercept]` on the methods of the \
         trait's `impl`s, or on a default body"
    } else {
        "a function without a body cannot be governed: call the foreign function from a Rust \
         function and put `#[intercept]` on that; for a trait, on the methods of its `impl`s"
    }
}

/// The attributes of a function, with or without a body; an error for every other item.
pub(crate) fn attributes_of_function(
    input: ParseStream,
    attribute: &str,
) -> syn::Result<Vec<Attribute>> {
    let attrs = input.call(Attribute::parse_outer)?;
    let _vis: Visibility = input.parse()?;
    only_functions(input, attribute)?;
    let _rest: TokenStream = input.parse()?;
    Ok(attrs)
}

/// Says what stands there when it is no function. Looks ahead only.
fn only_functions(input: ParseStream, attribute: &str) -> syn::Result<()> {
    let ahead = input.fork();
    skip_qualifiers(&ahead)?;
    if ahead.peek(Token![fn]) || is_generator(input)? {
        return Ok(());
    }
    let what = match keyword(&ahead).as_deref() {
        Some("impl") => "an `impl` block: put it on its methods, and `#[toolset]` on the block",
        Some("mod") => "a module: put it on its functions, and `#[toolset]` on the module",
        Some("trait") => "a trait: put it on the methods of its `impl`s",
        Some("struct" | "enum" | "union") => "a type: put it on the functions that act",
        Some("crate") => "an `extern crate`",
        Some("static") => "a `static`",
        Some("type") => "a type alias",
        Some("use") => "an import",
        // `const NAME: …`, `extern "C" { … }`: what was skipped was the keyword itself.
        _ => match keyword(&input.fork()).as_deref() {
            Some("const") => "a constant",
            Some("extern" | "unsafe") => {
                "foreign functions: call them from a Rust function and put it on that"
            }
            _ => "this item",
        },
    };
    Err(input.error(format!(
        "`#[{attribute}]` goes on a function, not on {what}"
    )))
}

/// `gen fn`, `async gen fn`. Looks ahead only.
fn is_generator(input: ParseStream) -> syn::Result<bool> {
    let ahead = input.fork();
    skip_qualifiers(&ahead)?;
    Ok(keyword(&ahead).is_some_and(|word| word == "gen") && ahead.peek(Token![fn]))
}

/// Steps over what may stand before `fn` (and before other items).
fn skip_qualifiers(input: ParseStream) -> syn::Result<()> {
    loop {
        let ahead = input.fork();
        match keyword(&ahead).as_deref() {
            Some("default" | "const" | "async" | "unsafe" | "safe") => {}
            Some("extern") => {
                if ahead.peek(LitStr) {
                    ahead.parse::<LitStr>()?;
                }
            }
            _ => return Ok(()),
        }
        input.advance_to(&ahead);
    }
}

/// The next word, stepped over.
fn keyword(input: ParseStream) -> Option<String> {
    let word = input.call(Ident::parse_any).ok()?;
    Some(word.to_string())
}
