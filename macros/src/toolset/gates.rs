//! The attributes of one toolset: which function has a gate, and whose gate it is.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, Expr, Meta, Path, Type};

use crate::expand::{mixed, mixed_at};
use crate::faults::Faults;
use crate::valid::mentions;

const INTERCEPT: &str = "intercept";
const UNGOVERNED: &str = "ungoverned";

/// Looks at attributes, rewrites gates, and remembers what was seen.
pub(super) struct Gates<'f> {
    krate: Option<Path>,
    faults: &'f mut Faults,
    /// The paths that were rewritten, by their text: their imports are still used.
    replaced: BTreeMap<String, Path>,
}

impl<'f> Gates<'f> {
    pub(super) fn new(krate: Option<Path>, faults: &'f mut Faults) -> Self {
        Self {
            krate,
            faults,
            replaced: BTreeMap::new(),
        }
    }

    /// A function: its gates become ours, and if it is public it must have one.
    pub(super) fn function(&mut self, attrs: &mut [Attribute], name: &Ident, public: bool) {
        let mut found = 0;
        for attr in attrs.iter_mut() {
            if self.no_conditional_gate(attr) {
                found += 1;
            }
            let Some(word) = gate_word(attr.path()) else {
                continue;
            };
            found += 1;
            if found == 2 {
                self.refuse(attr.path(), "this function has two gates: keep one of them");
            }
            self.make_ours(attr, word);
        }
        if public && found == 0 {
            self.faults.over(
                name,
                format!(
                    "`{name}` is a function of this toolset without a gate: put \
                     `#[sernixa::intercept(…)]` on it, or `#[sernixa::ungoverned(reason = \"…\")]` \
                     (under these names: a renamed import is not recognised)"
                ),
            );
        }
    }

    /// Something that is no function: a gate on it is a mistake, a conditional one, too.
    pub(super) fn no_gate(&mut self, attrs: &[Attribute]) {
        for attr in attrs {
            self.no_conditional_gate(attr);
            if gate_word(attr.path()).is_some() {
                self.refuse(attr.path(), "only a function can have a gate");
            }
        }
    }

    /// A `const` or a `static`. Its initialiser may not hide items; if it is `public`, it may not be
    /// something to call, which would run without a gate.
    pub(super) fn constant(
        &mut self,
        attrs: &[Attribute],
        public: bool,
        name: &Ident,
        ty: &Type,
        initialiser: &Expr,
    ) {
        self.no_gate(attrs);
        if let Some(hidden) = hidden_item(initialiser.to_token_stream()) {
            self.refuse(
                hidden,
                "a toolset does not look into items inside an initialiser, which may be functions \
                 without a gate: move them out",
            );
        }
        if public && is_callable(&ty.to_token_stream()) {
            self.faults.over(
                name,
                format!(
                    "`{name}` can be called, but a constant has no gate: offer a function with a \
                     gate in its place"
                ),
            );
        }
    }

    pub(super) fn refuse(&mut self, at: impl ToTokens, message: &str) {
        self.faults.over(at, message);
    }

    /// A gate that is there in one build and not in another: refused, and said to be there.
    fn no_conditional_gate(&mut self, attr: &Attribute) -> bool {
        let Meta::List(list) = &attr.meta else {
            return false;
        };
        let conditional = list.path.is_ident("cfg_attr")
            && [INTERCEPT, UNGOVERNED]
                .iter()
                .any(|word| mentions(list.tokens.clone(), word));
        if conditional {
            self.refuse(
                attr,
                "a gate cannot be conditional: a build without it would run ungoverned; write \
                 the gate outside `cfg_attr`",
            );
        }
        conditional
    }

    /// Gives the attribute our absolute path; it keeps its place, which is what `line!()` tells.
    fn make_ours(&mut self, attr: &mut Attribute, word: &'static str) {
        let place = mixed_at(syn::spanned::Spanned::span(attr.path()));
        let krate = self
            .krate
            .clone()
            .unwrap_or_else(|| syn::parse_quote_spanned!(place=> ::sernixa));
        let word = Ident::new(word, place);
        let ours: Path = syn::parse_quote_spanned!(place=> #krate::#word);
        let path = match &mut attr.meta {
            Meta::Path(path) => path,
            Meta::List(list) => &mut list.path,
            Meta::NameValue(pair) => &mut pair.path,
        };
        let theirs = std::mem::replace(path, ours);
        self.replaced
            .insert(theirs.to_token_stream().to_string(), theirs);
        if let (Some(krate), Meta::List(list)) = (&self.krate, &mut attr.meta)
            && word == INTERCEPT
            && !names_crate(list.tokens.clone())
        {
            let tokens = &list.tokens;
            list.tokens = quote_spanned!(place=> crate = #krate, #tokens);
        }
    }

    /// Uses of the paths that were written, so that their imports are not reported as unused, and
    /// a path that leads nowhere is still an error.
    pub(super) fn into_uses(self) -> Option<TokenStream> {
        if self.replaced.is_empty() {
            return None;
        }
        let paths = self.replaced.into_values();
        let mixed = mixed();
        Some(quote_spanned! {mixed=>
            const _: () = { #(use #paths as _;)* };
        })
    }
}

/// Which of our two words the path ends in.
fn gate_word(path: &Path) -> Option<&'static str> {
    let last = path.segments.last()?;
    [INTERCEPT, UNGOVERNED]
        .into_iter()
        .find(|word| last.ident == word)
}

/// The word of the first `impl` or `fn` item in an expression, at any depth. The type `fn()` has no
/// name after its `fn`, and `impl Trait` stands in no type that an expression may name.
fn hidden_item(tokens: TokenStream) -> Option<Ident> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                if let Some(hidden) = hidden_item(group.stream()) {
                    return Some(hidden);
                }
            }
            TokenTree::Ident(word)
                if word == "impl"
                    || (word == "fn" && matches!(tokens.peek(), Some(TokenTree::Ident(_)))) =>
            {
                return Some(word);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    None
}

/// Whether a type says of itself, or of anything in it, that it can be called.
fn is_callable(ty: &TokenStream) -> bool {
    [
        "fn",
        "Fn",
        "FnMut",
        "FnOnce",
        "AsyncFn",
        "AsyncFnMut",
        "AsyncFnOnce",
    ]
    .iter()
    .any(|word| mentions(ty.clone(), word))
}

/// Whether `crate = …` stands among the arguments.
fn names_crate(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_crate = matches!(&token, TokenTree::Ident(ident) if ident == "crate");
        if is_crate && matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '=') {
            return true;
        }
    }
    false
}
