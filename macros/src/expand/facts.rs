//! The items at the start of the body: `const` checks, the name of the function, its call site.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use sernixa_protocol::RiskLevel;
use syn::Path;

use super::{Names, ends, mixed};
use crate::attr::{Systems, Text};
use crate::valid::{Chosen, Gate, Risk};

/// An item is checked and listed even in a generic function that is never instantiated, and in
/// one that is never called.
pub(super) fn items(gate: &Gate, names: &Names) -> TokenStream {
    let Names {
        private,
        here,
        site,
        ..
    } = names;
    let mixed = mixed();
    let checks = checks(gate, names);
    let facts = facts(gate, names);
    quote_spanned! {mixed=>
        #checks
        fn #here() -> &'static str {
            ::core::any::type_name_of_val(&#here)
        }
        #[cfg_attr(
            not(target_family = "wasm"),
            #private::linkme::distributed_slice(#private::SERNIXA_CALLSITES_V1),
            linkme(crate = #private::linkme)
        )]
        static #site: #private::Callsite = #private::Callsite::new(#facts, #here);
    }
}

fn facts(gate: &Gate, names: &Names) -> TokenStream {
    let private = &names.private;
    let mixed = mixed();
    let facts = &gate.facts;
    let intent_id = match &facts.intent_id {
        Text::Literal(literal) => literal.to_token_stream(),
        Text::Path(path) => path.to_token_stream(),
    };
    let risk_level = match &facts.risk_level {
        Risk::Level(level) => {
            let level = Ident::new(variant(*level), mixed);
            quote_spanned!(mixed=> #private::RiskLevel::#level)
        }
        Risk::Path(path) => path.to_token_stream(),
    };
    let operation_class = chosen(
        &facts.operation_class,
        "OperationClass",
        "must_known_operation_class",
        names,
    );
    let data_sensitivity = chosen(
        &facts.data_sensitivity,
        "DataSensitivity",
        "must_known_data_sensitivity",
        names,
    );
    let systems_touched = match &facts.systems_touched {
        Systems::List { items, .. } => quote_spanned!(mixed=> &[#(#items),*]),
        Systems::Path(path) => quote_spanned!(mixed=> &#path),
    };
    let action_id = if let Some(action_id) = &facts.action_id {
        quote_spanned!(mixed=> ::core::option::Option::Some(#action_id))
    } else {
        quote_spanned!(mixed=> ::core::option::Option::None)
    };
    let args_count = u32::try_from(gate.parameters.len()).unwrap_or(u32::MAX);
    quote_spanned! {mixed=>
        #private::Facts {
            intent_id: #intent_id,
            risk_level: #risk_level,
            operation_class: #operation_class,
            data_sensitivity: #data_sensitivity,
            systems_touched: #systems_touched,
            action_id: #action_id,
            args_count: #args_count,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
        }
    }
}

fn variant(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
        RiskLevel::Critical => "Critical",
    }
}

fn chosen(word: &Chosen, ty: &str, known: &str, names: &Names) -> TokenStream {
    match word {
        Chosen::Text(literal) => literal.to_token_stream(),
        Chosen::Custom(path) => path.to_token_stream(),
        // Its own check: the text of a custom word cannot be had in a `const`. Borrowed by a
        // `const` of its own, the value is never dropped, which cannot be done there either.
        Chosen::Known(path) => {
            let mixed = mixed();
            let private = &names.private;
            let ty = Ident::new(ty, mixed);
            let text = rule(names, known, path, &quote_spanned!(mixed=> __SERNIXA_WORD));
            quote_spanned! {mixed=> {
                const __SERNIXA_WORD: &#private::#ty = &#path;
                #text
            }}
        }
    }
}

/// `const _: () = rules::must_…(PATH);` for every text whose value the macro cannot see.
fn checks(gate: &Gate, names: &Names) -> TokenStream {
    let facts = &gate.facts;
    let mut checks = Vec::new();
    if let Text::Path(path) = &facts.intent_id {
        checks.push(rule(names, "must_intent_id", path, path));
    }
    if let Chosen::Custom(path) = &facts.operation_class {
        checks.push(rule(names, "must_operation_class", path, path));
    }
    if let Chosen::Custom(path) = &facts.data_sensitivity {
        checks.push(rule(names, "must_data_sensitivity", path, path));
    }
    if let Systems::Path(path) = &facts.systems_touched {
        checks.push(rule(names, "must_systems_touched", path, &quote!(&#path)));
    }
    let mixed = mixed();
    quote_spanned!(mixed=> #(const _: () = #checks;)*)
}

/// A call of a rule that spans the path: it is what the compiler underlines when the rule says no.
fn rule(names: &Names, name: &str, path: &Path, argument: &impl ToTokens) -> TokenStream {
    let (first, last) = ends(path);
    let name = Ident::new(name, first);
    let private = names.private_at(first);
    let mut argument = Group::new(Delimiter::Parenthesis, argument.to_token_stream());
    argument.set_span(last);
    quote_spanned!(first=> #private::rules::#name #argument)
}
