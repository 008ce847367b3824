//! Literals that are unmistakably a secret: they would leave with every submission.

use std::borrow::Cow;

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;
use sernixa_protocol::secrets;
use syn::{Lit, LitStr};

use crate::attr::{Arguments, Systems, Text, Word};
use crate::faults::Faults;

/// Looks at every literal that is sent: metadata (inside calls and macros, too), the summary and
/// the facts themselves. A `const` is not looked at: its text is not here.
pub(super) fn check(arguments: &Arguments, faults: &mut Faults) {
    for member in &arguments.metadata {
        text("metadata", &member.key, faults);
        tokens("metadata", member.value.to_token_stream(), faults);
    }
    for (key, literal) in facts(arguments) {
        text(key, literal, faults);
    }
}

fn facts(arguments: &Arguments) -> impl Iterator<Item = (&'static str, &LitStr)> {
    let class = arguments.operation_class.as_ref().and_then(of_word);
    let sensitivity = arguments.data_sensitivity.as_ref().and_then(of_word);
    let systems: &[LitStr] = match &arguments.systems_touched {
        Some(Systems::List { items, .. }) => items,
        Some(Systems::Path(_)) | None => &[],
    };
    let single = [
        ("intent_id", arguments.intent_id.as_ref().and_then(of_text)),
        ("operation_class", class),
        ("data_sensitivity", sensitivity),
        ("action_id", arguments.action_id.as_ref()),
        ("summary", arguments.summary.as_ref()),
    ];
    let systems = systems.iter().map(|item| ("systems_touched", item));
    single
        .into_iter()
        .filter_map(|(key, literal)| Some((key, literal?)))
        .chain(systems)
}

fn of_text(text: &Text) -> Option<&LitStr> {
    match text {
        Text::Literal(literal) => Some(literal),
        Text::Path(_) => None,
    }
}

fn of_word(word: &Word) -> Option<&LitStr> {
    match word {
        Word::Known(literal) | Word::Custom(Text::Literal(literal)) => Some(literal),
        Word::Path(_) | Word::Custom(Text::Path(_)) => None,
    }
}

fn text(key: &str, literal: &LitStr, faults: &mut Faults) {
    judge(key, &literal.value(), literal, faults);
}

fn tokens(key: &str, stream: TokenStream, faults: &mut Faults) {
    for token in stream {
        match token {
            TokenTree::Group(group) => tokens(key, group.stream(), faults),
            TokenTree::Literal(literal) => {
                if let Some(text) = content(&literal) {
                    judge(key, &text, literal, faults);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// What a literal holds, as text.
fn content(literal: &Literal) -> Option<Cow<'static, str>> {
    match Lit::new(literal.clone()) {
        Lit::Str(text) => Some(text.value().into()),
        Lit::ByteStr(bytes) => Some(String::from_utf8_lossy(&bytes.value()).into_owned().into()),
        Lit::CStr(text) => Some(text.value().to_string_lossy().into_owned().into()),
        // A card number may be written as a number.
        Lit::Int(number) => Some(number.base10_digits().to_owned().into()),
        _ => None,
    }
}

fn judge(key: &str, text: &str, at: impl ToTokens, faults: &mut Faults) {
    if let Some(kind) = secrets::find(text) {
        let what = kind.describe();
        let message = format!(
            "this literal in `{key}` looks like {what}, and it would be sent: leave it out, or \
             pass a name for it; a harmless example may stand in a `const`, which is not checked"
        );
        faults.over(at, message);
    }
}
