//! A module as a toolset: what may stand in it, item by item.

use quote::ToTokens;
use syn::{Item, ItemMod, UseTree, Visibility};

use super::gates::Gates;

pub(super) fn check(module: &mut ItemMod, gates: &mut Gates) {
    let Some((_, items)) = &mut module.content else {
        gates.refuse(
            &module.ident,
            "a toolset has to see the module's functions: write its body here, in braces",
        );
        return;
    };
    for item in items {
        self::item(item, gates);
    }
}

fn item(item: &mut Item, gates: &mut Gates) {
    match item {
        Item::Fn(function) => {
            let public = is_public(&function.vis);
            gates.function(&mut function.attrs, &function.sig.ident, public);
        }
        Item::Const(item) => gates.constant(
            &item.attrs,
            is_public(&item.vis),
            &item.ident,
            &item.ty,
            &item.expr,
        ),
        Item::Static(item) => gates.constant(
            &item.attrs,
            is_public(&item.vis),
            &item.ident,
            &item.ty,
            &item.expr,
        ),
        // They hold no code that a caller of the module could run by name.
        Item::Enum(item) => gates.no_gate(&item.attrs),
        Item::Struct(item) => gates.no_gate(&item.attrs),
        Item::Type(item) => gates.no_gate(&item.attrs),
        Item::Union(item) => gates.no_gate(&item.attrs),
        Item::Use(item) => {
            if is_public(&item.vis) {
                gates.refuse(
                    item.use_token,
                    "a toolset cannot pass on functions that it does not see: write `use` without \
                     `pub`, and govern the function where it is defined",
                );
            }
            no_renamed_gate(&item.tree, gates);
        }
        Item::ExternCrate(item) if !is_public(&item.vis) => gates.no_gate(&item.attrs),
        Item::ExternCrate(item) => gates.refuse(
            item.extern_token,
            "a toolset cannot pass on a crate whose functions it does not see: write it without \
             `pub`",
        ),
        Item::Mod(item) => gates.refuse(
            item.mod_token,
            "a toolset does not look into nested modules: make this one a toolset of its own, \
             beside it",
        ),
        Item::Impl(item) => gates.refuse(
            item.impl_token,
            "a toolset module does not look into `impl` blocks: move this one out and put \
             `#[toolset]` on it",
        ),
        Item::Trait(item) => gates.refuse(
            item.trait_token,
            "a toolset module does not look into traits: move this one out, and put `#[toolset]` \
             on its `impl`s",
        ),
        Item::ForeignMod(item) => gates.refuse(
            item.abi.extern_token,
            "a foreign function cannot have a gate: move this block out, and govern the functions \
             that call into it",
        ),
        Item::Macro(item) => gates.refuse(
            &item.mac.path,
            "a toolset cannot see into a macro, which may make functions without a gate: write \
             them out, or move the macro out of the module",
        ),
        other => gates.refuse(
            other.to_token_stream(),
            "a toolset cannot read this item, so it cannot say that it has a gate: move it out of \
             the module",
        ),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// `use sernixa::intercept as gate;`: a gate under this name would not be recognised.
fn no_renamed_gate(tree: &UseTree, gates: &mut Gates) {
    match tree {
        UseTree::Path(path) => no_renamed_gate(&path.tree, gates),
        UseTree::Group(group) => {
            for tree in &group.items {
                no_renamed_gate(tree, gates);
            }
        }
        UseTree::Rename(rename)
            if ["intercept", "ungoverned", "toolset"]
                .iter()
                .any(|word| rename.ident == word) =>
        {
            gates.refuse(
                rename,
                "a toolset recognises gates by their own names: import this one without `as`",
            );
        }
        UseTree::Rename(_) | UseTree::Name(_) | UseTree::Glob(_) => {}
    }
}
