//! `#[ungoverned(reason = "…")]`: a function of a toolset that needs no gate, and why.

use proc_macro2::TokenStream;
use sernixa_protocol::rules;
use syn::LitStr;
use syn::parse::{ParseStream, Parser};

use crate::ast;
use crate::attr::pairs::{self, Misfit, keys};
use crate::faults::Faults;

keys! {
    /// The keys of `#[ungoverned]`.
    enum UngovernedKey {
        Reason = "reason", "a string literal that tells the next reader why, like `\"reads a constant\"`";
    }
}

/// The item as it is.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut faults = Faults::default();
    let parser = |input: ParseStream| {
        parse(input, &mut faults);
        Ok(())
    };
    parser.parse2(args)?;
    let attributes = |input: ParseStream| ast::attributes_of_function(input, "ungoverned");
    for attr in attributes.parse2(item.clone())? {
        let last = attr.path().segments.last();
        if last.is_some_and(|last| last.ident == "intercept") {
            faults.over(
                attr.path(),
                "this function says that it is not governed and has a gate: keep one of the two",
            );
        }
    }
    faults.unless_any(item)
}

fn parse(input: ParseStream, faults: &mut Faults) {
    let mut reason: Option<LitStr> = None;
    let found = pairs::read(input, faults, |UngovernedKey::Reason, value| {
        if !value.peek(LitStr) {
            return Err(Misfit::Kind);
        }
        reason = Some(value.parse()?);
        Ok(())
    });
    found.require(&[UngovernedKey::Reason], faults);
    if let Some(reason) = reason.filter(|reason| rules::is_blank(&reason.value())) {
        faults.over(
            reason,
            "`reason` is blank: say why this function needs no gate",
        );
    }
}
