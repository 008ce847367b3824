//! `#[toolset]`: a gate that cannot be forgotten.
//!
//! It sees tokens, not meanings: an attribute called `gate` may be anything. So it trusts only
//! the words `intercept` and `ungoverned`, makes both mean ours wherever they stand, and refuses
//! whatever could put a function into the set without being seen here.

mod gates;
mod module;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{ImplItem, Item, ItemImpl, Path, Visibility};

use self::gates::Gates;
use crate::attr::pairs::{self, Misfit, keys};
use crate::faults::Faults;

keys! {
    /// The keys of `#[toolset]`.
    enum ToolsetKey {
        Crate = "crate", "the path of the crate `sernixa`, like `my_sernixa`";
    }
}

/// The block with its gates made ours.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut faults = Faults::default();
    let mut krate: Option<Path> = None;
    let parser = |input: ParseStream| {
        pairs::read(input, &mut faults, |ToolsetKey::Crate, value| {
            let path = value
                .call(Path::parse_mod_style)
                .map_err(|_| Misfit::Kind)?;
            krate = Some(path);
            Ok(())
        });
        Ok(())
    };
    parser.parse2(args)?;
    let expanded = toolset(syn::parse2(item)?, krate, &mut faults)?;
    faults.unless_any(expanded)
}

fn toolset(item: Item, krate: Option<Path>, faults: &mut Faults) -> syn::Result<TokenStream> {
    let mut gates = Gates::new(krate, faults);
    match item {
        Item::Impl(mut block) => {
            implementation(&mut block, &mut gates);
            let uses = gates.into_uses();
            Ok(quote!(#block #uses))
        }
        Item::Mod(mut module) => {
            module::check(&mut module, &mut gates);
            if let (Some(uses), Some((_, items))) = (gates.into_uses(), &mut module.content) {
                items.push(Item::Verbatim(uses));
            }
            Ok(module.into_token_stream())
        }
        other => {
            let message = "`#[toolset]` goes on an `impl` block or on a module with its body";
            Err(syn::Error::new_spanned(head(&other), message))
        }
    }
}

fn implementation(block: &mut ItemImpl, gates: &mut Gates) {
    // Every method of a trait's `impl` can be called by whoever sees the trait.
    let all = block.trait_.is_some();
    for item in &mut block.items {
        match item {
            ImplItem::Fn(method) => {
                let public = all || !matches!(method.vis, Visibility::Inherited);
                gates.function(&mut method.attrs, &method.sig.ident, public);
            }
            ImplItem::Const(constant) => {
                let public = all || !matches!(constant.vis, Visibility::Inherited);
                gates.constant(
                    &constant.attrs,
                    public,
                    &constant.ident,
                    &constant.ty,
                    &constant.expr,
                );
            }
            ImplItem::Type(alias) => gates.no_gate(&alias.attrs),
            ImplItem::Macro(call) => gates.refuse(
                &call.mac.path,
                "a toolset cannot see into a macro, which may make functions without a gate: \
                 write them out, or move the call into an `impl` of its own",
            ),
            other => gates.refuse(
                other,
                "a toolset cannot read this item, so it cannot say that it has a gate: move it \
                 into an `impl` of its own",
            ),
        }
    }
}

/// The first token of an item after its attributes: enough to point at.
fn head(item: &Item) -> TokenStream {
    let mut tokens = item.to_token_stream().into_iter().peekable();
    loop {
        match tokens.next() {
            // `#[…]`
            Some(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == '#' => {
                tokens.next();
            }
            Some(token) => return token.into(),
            None => return TokenStream::new(),
        }
    }
}
