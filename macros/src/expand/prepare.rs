//! Building the call: everything that is read of the arguments before anybody is asked.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, LitStr, UnOp};

use super::{Names, mixed, mixed_at, whole_argument};
use crate::valid::{Gate, Looked, Parameter};

/// An expression of type `Prepared`. It borrows the arguments and ends before anything waits, so
/// that what is kept across the wait is ours alone.
pub(super) fn prepare(gate: &Gate, names: &Names) -> TokenStream {
    let mixed = mixed();
    let Names { private, site, .. } = names;
    let tuples = gate.parameters.iter().filter_map(tuple);
    let arguments = arguments(gate, private);
    let client = gate.client.iter();
    let capture = gate.capture_arguments.iter();
    let metadata = metadata(gate, names);
    let summary = gate
        .summary
        .iter()
        .map(|summary| sentence(summary, private));
    let resume_key = gate.resume_key.iter().map(|key| text(key, names));
    quote_spanned! {mixed=> {
        #(#tuples)*
        #private::Call::new(&#site)
            // A closure's type name is that of the function around it, with its generics.
            .instance(::core::any::type_name_of_val(&|| {}))
            #(.client(#client))*
            #(.capture(#capture))*
            .arguments(#arguments)
            #metadata
            #(.summary(#summary))*
            #(#resume_key)*
            .prepare()
    }}
}

fn metadata(gate: &Gate, names: &Names) -> Option<TokenStream> {
    if gate.metadata.is_empty() {
        return None;
    }
    let members = gate.metadata.iter().map(|member| {
        let key = &member.key;
        let value = reads(&member.value, names);
        let at = mixed_at(member.value.span());
        let private = names.private_at(at);
        quote_spanned!(at=> (#key, &#value as &dyn #private::Value))
    });
    let mixed = mixed();
    Some(quote_spanned!(mixed=> .metadata(&[#(#members),*])))
}

/// The expression inside an `Fn` closure: it cannot move, change or leave anything. What stands
/// for a place (an argument, a field) is borrowed, because a value could not be moved out of it.
fn reads(expression: &Expr, names: &Names) -> TokenStream {
    let at = mixed_at(expression.span());
    let private = names.private_at(at);
    if is_place(expression) {
        quote_spanned!(at=> #private::reads(|| &#expression))
    } else {
        quote_spanned!(at=> #private::reads(|| #expression))
    }
}

/// The resume key as text, made inside the closure: it may borrow what it makes on the way.
fn text(key: &Expr, names: &Names) -> TokenStream {
    let at = mixed_at(key.span());
    let private = names.private_at(at);
    quote_spanned!(at=> .resume_key(&#private::reads(|| #private::format!("{}", #key))))
}

fn is_place(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => is_place(&index.expr),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)),
        Expr::Paren(paren) => is_place(&paren.expr),
        Expr::Group(group) => is_place(&group.expr),
        _ => false,
    }
}

/// The summary as a function: nothing is formatted before it is wanted.
fn sentence(summary: &LitStr, private: &TokenStream) -> TokenStream {
    let mixed = mixed();
    if summary.value().contains(['{', '}']) {
        quote_spanned!(mixed=> &|| #private::format!(#summary))
    } else {
        quote_spanned!(mixed=> &|| #private::String::from(#summary))
    }
}

fn arguments(gate: &Gate, private: &TokenStream) -> TokenStream {
    let mixed = mixed();
    let arguments = gate.parameters.iter().map(|parameter| {
        let name = &parameter.name;
        match parameter.looked {
            Looked::Past => quote_spanned!(mixed=> #private::Argument::skipped(#name)),
            Looked::Through => quote_spanned!(mixed=> #private::Argument::handle(#name)),
            Looked::At => {
                let seen = seen(parameter);
                // Three borrows: `Serialize` is found first, then `Debug`, then the type's name.
                quote_spanned! {mixed=>
                    #private::Argument::new(
                        #name,
                        (&&&#private::capture::Capture(&#seen)).sernixa_captured(),
                    )
                }
            }
        }
    });
    let any_seen = gate
        .parameters
        .iter()
        .any(|parameter| parameter.looked == Looked::At);
    if any_seen {
        // In a block of their own: the traits are no business of the expressions in `metadata`.
        quote_spanned! {mixed=> &{
            use #private::capture::{ViaDebug as _, ViaName as _, ViaSerialize as _};
            [#(#arguments),*]
        }}
    } else {
        quote_spanned!(mixed=> &[#(#arguments),*])
    }
}

/// What is looked at: the one binding, the tuple of several, or the whole under our own name.
fn seen(parameter: &Parameter) -> TokenStream {
    match parameter.bindings.as_slice() {
        [] => whole_argument(parameter.position).into_token_stream(),
        [only] => only.to_token_stream(),
        _ => tuple_name(parameter).into_token_stream(),
    }
}

/// The bindings of a pattern as one value. It has to live as long as the call that borrows it.
fn tuple(parameter: &Parameter) -> Option<TokenStream> {
    if parameter.looked != Looked::At || parameter.bindings.len() < 2 {
        return None;
    }
    let mixed = mixed();
    let name = tuple_name(parameter);
    let bindings = nested(&parameter.bindings);
    Some(quote_spanned!(mixed=> let #name = #bindings;))
}

/// Tuples of more than twelve implement nothing; tuples of tuples do.
fn nested(bindings: &[Ident]) -> TokenStream {
    const WIDEST: usize = 12;
    let mixed = mixed();
    if bindings.len() <= WIDEST {
        return quote_spanned!(mixed=> (#(&#bindings,)*));
    }
    let parts = bindings.chunks(bindings.len().div_ceil(WIDEST)).map(nested);
    quote_spanned!(mixed=> (#(#parts,)*))
}

fn tuple_name(parameter: &Parameter) -> Ident {
    Ident::new(&format!("bindings_{}", parameter.position), mixed())
}
