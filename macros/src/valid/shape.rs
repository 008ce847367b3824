//! Functions that no gate can be put in front of, refused in words of our own.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg};

use crate::ast::Function;
use crate::faults::Faults;

pub(super) fn check(function: &Function, faults: &mut Faults) {
    let sig = &function.sig;
    if let Some(constness) = sig.constness {
        faults.over(
            constness,
            "a `const fn` cannot be governed: it may run at compile time, when nobody can be \
             asked; remove `const`, or govern the function that calls it",
        );
    }
    if let Some(variadic) = &sig.variadic {
        faults.over(
            variadic,
            "a variadic function cannot be governed: its arguments cannot be looked at; govern \
             the function that calls it",
        );
    }
    if sig.ident.unraw() == "main" && sig.inputs.is_empty() {
        faults.over(
            &sig.ident,
            "`main` cannot be governed: it is the program, not an action of it; move the action \
             into a function of its own and govern that",
        );
    }
    for input in &sig.inputs {
        let attrs = match input {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        };
        for attr in attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                faults.over(
                    attr,
                    "a parameter of a governed function cannot be conditional: its arguments are \
                     what is approved; write two functions, each under its own `cfg`",
                );
            }
        }
    }
    for attr in &function.attrs {
        let Some(last) = attr.path().segments.last() else {
            continue;
        };
        if attr.path().is_ident("intercept") || is_ours(attr, "intercept") {
            faults.over(
                attr.path(),
                "this function has two gates, so every call would ask twice: keep one of them",
            );
        } else if last.ident == "ungoverned" {
            faults.over(
                attr.path(),
                "this function is governed and says that it is not: keep one of the two",
            );
        }
    }
}

/// `sernixa::NAME`.
fn is_ours(attr: &Attribute, name: &str) -> bool {
    let segments = &attr.path().segments;
    let mut names = segments.iter().map(|segment| &segment.ident);
    segments.len() == 2
        && names.next().is_some_and(|first| first == "sernixa")
        && names.next().is_some_and(|second| second == name)
}

/// `#[track_caller]`, or a `cfg_attr` that may turn into it.
pub(super) fn is_track_caller(function: &Function) -> bool {
    function.attrs.iter().any(|attr| {
        attr.path().is_ident("track_caller")
            || attr.path().is_ident("cfg_attr")
                && attr
                    .meta
                    .require_list()
                    .is_ok_and(|list| mentions(list.tokens.clone(), "track_caller"))
    })
}

/// Whether `word` stands anywhere in `tokens`.
pub(crate) fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
