//! What a function returns: a value, or a future whose making is its whole body.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
};

use crate::faults::Faults;

/// The return type, with every `impl Trait` as `_`: it cannot be named inside the body.
pub(crate) struct Returns {
    /// What stands for the type in messages: its own tokens, or the function's name.
    pub(crate) written: TokenStream,
    /// What a call of the function gives.
    pub(crate) whole: Type,
    /// What a caller ends up with: the output of the future, where there is one.
    pub(crate) output: Type,
    pub(crate) kind: Kind,
}

/// How a call becomes its output.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// At once, or by `async fn`.
    Value,
    /// `-> impl Future<Output = R>`: the body runs when the future is first polled.
    Future,
    /// `-> Pin<Box<dyn Future<Output = R>>>`, `BoxFuture`, `LocalBoxFuture`: the same, boxed.
    Boxed,
}

/// Reads the return type. What can be no `Result` and has no `refused` is a fault here already;
/// everything else the compiler finds out.
pub(super) fn of(sig: &Signature, refused: bool, faults: &mut Faults) -> Returns {
    let fix = "return `Result<T, E>` with `E: From<sernixa::Error>`, or say with `refused = path` \
               what a refusal turns into";
    let mut whole = match &sig.output {
        ReturnType::Default => {
            if !refused {
                let message = format!(
                    "a governed function must be able to return a refusal, but this one returns nothing: {fix}"
                );
                faults.over(&sig.ident, message);
            }
            syn::parse_quote!(())
        }
        ReturnType::Type(_, ty) => Type::clone(ty),
    };
    let outside = ungrouped(&whole);
    if !refused {
        let returns_nothing = matches!(outside, Type::Tuple(tuple) if tuple.elems.is_empty())
            && matches!(sig.output, ReturnType::Type(..));
        if matches!(outside, Type::Never(_)) || returns_nothing {
            let message = format!("a governed function must be able to return a refusal: {fix}");
            faults.over(&whole, message);
        }
    }
    // `async fn` gives the output itself; a future inside it is the caller's to await.
    let future = if sig.asyncness.is_some() {
        None
    } else {
        future_of(ungrouped(&whole))
    };
    let (kind, mut output) = match future {
        Some((kind, output)) => (kind, output.clone()),
        None => (Kind::Value, whole.clone()),
    };
    let written = match &sig.output {
        ReturnType::Default => sig.ident.to_token_stream(),
        ReturnType::Type(..) => output.to_token_stream(),
    };
    EraseImplTrait.visit_type_mut(&mut whole);
    EraseImplTrait.visit_type_mut(&mut output);
    Returns {
        written,
        whole,
        output,
        kind,
    }
}

/// The output of a type that is recognisably a future. An alias is not: it ends in the error that
/// the function must return `Result`.
fn future_of(ty: &Type) -> Option<(Kind, &Type)> {
    match ty {
        Type::ImplTrait(opaque) => Some((Kind::Future, output_bound(&opaque.bounds)?)),
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last()?;
            if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                return Some((Kind::Boxed, types(last).next()?));
            }
            if last.ident != "Pin" {
                return None;
            }
            let Type::Path(boxed) = ungrouped(types(last).next()?) else {
                return None;
            };
            let boxed = boxed.path.segments.last()?;
            if boxed.ident != "Box" {
                return None;
            }
            let Type::TraitObject(object) = ungrouped(types(boxed).next()?) else {
                return None;
            };
            Some((Kind::Boxed, output_bound(&object.bounds)?))
        }
        _ => None,
    }
}

/// `R` of the bound `Future<Output = R>`.
fn output_bound<'t>(bounds: impl IntoIterator<Item = &'t TypeParamBound>) -> Option<&'t Type> {
    bounds.into_iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        if last.ident != "Future" {
            return None;
        }
        generics(last).find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
            _ => None,
        })
    })
}

fn types(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    generics(segment).filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn generics(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    arguments.into_iter().flatten()
}

/// The type inside parentheses and the invisible groups that `macro_rules!` makes.
fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}

struct EraseImplTrait;

impl VisitMut for EraseImplTrait {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(opaque) = ty {
            let span = opaque.impl_token.span;
            *ty = syn::parse_quote_spanned!(span=> _);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn returns(tokens: TokenStream) -> (Kind, String, String) {
        let sig = syn::parse2(tokens).unwrap();
        let mut faults = Faults::default();
        let returns = of(&sig, false, &mut faults);
        assert!(faults.unless_any(()).is_ok());
        let text = |ty: &Type| ty.to_token_stream().to_string().replace(' ', "");
        (returns.kind, text(&returns.whole), text(&returns.output))
    }

    #[test]
    fn futures_are_recognised_by_their_written_form() {
        let forms = [
            (
                quote!(fn f() -> impl Future<Output = R<u8>> + Send + '_),
                Kind::Future,
            ),
            (
                quote!(fn f() -> impl Send + core::future::Future<Output = R<u8>>),
                Kind::Future,
            ),
            (
                quote!(fn f() -> Pin<Box<dyn Future<Output = R<u8>> + Send + 'a>>),
                Kind::Boxed,
            ),
            (
                quote!(fn f() -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = R<u8>>>>),
                Kind::Boxed,
            ),
            (quote!(fn f() -> BoxFuture<'a, R<u8>>), Kind::Boxed),
            (
                quote!(fn f() -> futures::future::LocalBoxFuture<'static, R<u8>>),
                Kind::Boxed,
            ),
            (quote!(async fn f() -> R<u8>), Kind::Value),
            (quote!(fn f() -> R<u8>), Kind::Value),
        ];
        for (signature, expected) in forms {
            let (kind, _, output) = returns(signature.clone());
            assert!(kind == expected, "{signature}");
            assert_eq!(output, "R<u8>", "{signature}");
        }
    }

    #[test]
    fn what_only_resembles_a_future_is_a_value() {
        for signature in [
            quote!(fn f() -> Box<dyn Future<Output = R<u8>>>),
            quote!(fn f() -> R<impl Future<Output = u8>>),
            quote!(fn f() -> MyFuture<R<u8>>),
            quote!(fn f() -> impl IntoFuture<Output = R<u8>>),
        ] {
            assert!(returns(signature.clone()).0 == Kind::Value, "{signature}");
        }
    }

    #[test]
    fn impl_trait_is_erased_at_any_depth() {
        let (_, whole, _) = returns(quote!(fn f() -> Result<(impl Iterator<Item = u8>, u8), E>));
        assert_eq!(whole, "Result<(_,u8),E>");
        let (_, whole, output) = returns(quote!(fn f() -> impl Future<Output = R<impl Sized>>));
        assert_eq!((whole.as_str(), output.as_str()), ("_", "R<_>"));
    }

    #[test]
    fn nothing_and_never_can_carry_no_refusal() {
        for signature in [quote!(fn f()), quote!(fn f() -> ()), quote!(fn f() -> !)] {
            let sig = syn::parse2(signature).unwrap();
            let mut faults = Faults::default();
            of(&sig, false, &mut faults);
            assert!(faults.unless_any(()).is_err());
            let mut faults = Faults::default();
            of(&sig, true, &mut faults);
            assert!(faults.unless_any(()).is_ok());
        }
    }
}
