//! The parameters as digest and capture see them.

use syn::ext::IdentExt;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, FnArg, Ident, Pat, PatIdent, PatOr, Signature};

use crate::attr::Arguments;
use crate::faults::Faults;
use crate::suggest;

/// One parameter, `self` apart.
///
/// A pattern in the signature stays as it is, so that bindings keep their `mut`, their types and
/// their place in messages: the argument is then what its pattern binds, which is all that the
/// body can see of it. A pattern that binds nothing is bound whole under a name of ours.
pub(crate) struct Parameter {
    /// Its name for digest and capture: that of its one binding, else its position, which no
    /// binding can be called.
    pub(crate) name: String,
    /// What it binds, in order; empty for `_` and the like.
    pub(crate) bindings: Vec<Ident>,
    /// As it is written in the signature.
    pub(crate) pattern: Pat,
    /// Its position, from 0, without `self`.
    pub(crate) position: usize,
    pub(crate) looked: Looked,
}

/// How much of an argument is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Looked {
    /// Digested, and captured when capture is on.
    At,
    /// `skip`: neither, and the digest is partial.
    Past,
    /// `handles`: neither, and nothing is missing.
    Through,
}

/// All parameters, with `skip` and `handles` applied.
pub(super) fn of(sig: &Signature, arguments: &Arguments, faults: &mut Faults) -> Vec<Parameter> {
    let typed = sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let mut parameters: Vec<Parameter> = typed
        .enumerate()
        .map(|(position, typed)| parameter(position, &typed.pat))
        .collect();
    for (names, looked) in [
        (&arguments.skip, Looked::Past),
        (&arguments.handles, Looked::Through),
    ] {
        for name in names {
            if let Err(message) = mark(&mut parameters, name, looked) {
                faults.over(name, message);
            }
        }
    }
    parameters
}

fn parameter(position: usize, pattern: &Pat) -> Parameter {
    let mut bindings = Bindings::default();
    bindings.visit_pat_mut(&mut pattern.clone());
    let mut bindings = bindings.0;
    if let Pat::Ident(whole) = pattern {
        // `whole @ Sub { part }`: the parts are in the whole.
        bindings = vec![whole.ident.clone()];
    }
    let name = match bindings.as_slice() {
        [only] => only.unraw().to_string(),
        _ => position.to_string(),
    };
    Parameter {
        name,
        bindings,
        pattern: pattern.clone(),
        position,
        looked: Looked::At,
    }
}

fn mark(parameters: &mut [Parameter], name: &Ident, looked: Looked) -> Result<(), String> {
    let written = name.unraw().to_string();
    let known: Vec<String> = parameters
        .iter()
        .flat_map(|parameter| &parameter.bindings)
        .map(|binding| binding.unraw().to_string())
        .collect();
    let found = parameters
        .iter_mut()
        .find(|parameter| parameter.bindings.iter().any(|b| b.unraw() == written));
    let Some(parameter) = found else {
        let hint = suggest::hint(&written, known.iter().map(String::as_str));
        let names = if known.is_empty() {
            "it has none".to_owned()
        } else {
            format!("they are {}", known.join(", "))
        };
        return Err(format!(
            "the function has no argument `{written}`:{hint} {names}"
        ));
    };
    if parameter.bindings.len() > 1 {
        return Err(format!(
            "`{written}` is only a part of its argument: give the whole argument a name in the \
             signature, and take it apart in the body"
        ));
    }
    if parameter.looked != Looked::At {
        return Err(format!("`{written}` is listed twice: keep it in one place"));
    }
    parameter.looked = looked;
    Ok(())
}

/// Collects the names that a pattern binds.
#[derive(Default)]
struct Bindings(Vec<Ident>);

impl VisitMut for Bindings {
    fn visit_pat_ident_mut(&mut self, binding: &mut PatIdent) {
        self.0.push(binding.ident.clone());
        visit_mut::visit_pat_ident_mut(self, binding);
    }

    /// All alternatives bind the same names.
    fn visit_pat_or_mut(&mut self, or: &mut PatOr) {
        if let Some(first) = or.cases.first_mut() {
            self.visit_pat_mut(first);
        }
    }

    /// Expressions inside patterns bind nothing.
    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn names(tokens: proc_macro2::TokenStream) -> Vec<(String, usize)> {
        let sig: Signature = syn::parse2(tokens).unwrap();
        let mut faults = Faults::default();
        let parameters = of(&sig, &Arguments::default(), &mut faults);
        assert!(faults.unless_any(()).is_ok());
        parameters
            .into_iter()
            .map(|parameter| (parameter.name, parameter.bindings.len()))
            .collect()
    }

    #[test]
    fn an_argument_has_the_name_of_its_one_binding_else_its_position() {
        let found = names(quote! {
            fn f(&self, a: u8, mut b: u8, (c, d): (u8, u8), Json(e): Json<u8>, _: u8,
                 whole @ Point { x, y }: Point, (Ok(v) | Err(v)): Result<u8, u8>, r#type: u8)
        });
        let expected = [
            ("a", 1),
            ("b", 1),
            ("2", 2),
            ("e", 1),
            ("4", 0),
            ("whole", 1),
            ("v", 1),
            ("type", 1),
        ];
        let expected: Vec<_> = expected
            .map(|(name, count)| (name.to_owned(), count))
            .into();
        assert_eq!(found, expected);
    }
}
