//! `#[intercept(…)]` from tokens to tokens: parse, judge, expand.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};

use crate::ast::Function;
use crate::attr::Arguments;
use crate::faults::Faults;
use crate::{expand, valid};

/// The governed function.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: Function = syn::parse2(item)?;
    let mut faults = Faults::default();
    let parser = |input: ParseStream| Ok(Arguments::parse(input, &mut faults));
    let arguments = parser.parse2(args)?;
    let gate = valid::judge(arguments, &function, &mut faults);
    // A gate is missing only where a fault was found; never guess that it was not needed.
    let unread = || syn::Error::new(function.sig.ident.span(), "this gate could not be read");
    let gate = faults.unless_any(gate)?.ok_or_else(unread)?;
    Ok(expand::expand(&gate, function))
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenTree;
    use quote::quote;

    use super::*;

    fn complete() -> TokenStream {
        quote! {
            intent_id = "billing-adjustment",
            risk_level = "HIGH",
            operation_class = custom(words::CLASS),
            data_sensitivity = words::SENSITIVITY,
            systems_touched = ["stripe", "postgres"],
            action_id = "billing.adjust",
            metadata = { invoice: invoice_id, "cost-centre": self.centre(), big: cents > 10 },
            summary = "adjust {invoice_id} by {cents} cents",
            client = &self.client,
            capture_arguments = true,
            skip = [token],
            handles = [pool],
            resume_key = format!("{invoice_id}"),
            crate = ::my::sernixa,
        }
    }

    fn functions() -> [TokenStream; 6] {
        let arguments = quote!(&self, invoice_id: &str, cents: i64, token: &str, pool: &Pool);
        [
            quote!(pub fn adjust(#arguments) -> Result<(), Error> { work() }),
            quote!(#[track_caller] fn adjust(#arguments) -> Result<(), Error> { work() }),
            quote!(pub(crate) async fn adjust(#arguments) -> Result<(), Error> { work().await }),
            quote!(fn adjust(#arguments) -> impl Future<Output = Result<(), Error>> { work() }),
            quote!(fn adjust(#arguments) -> BoxFuture<'_, Result<(), Error>> { work() }),
            quote!(unsafe fn adjust<T>(#arguments) -> Result<T, Error> where T: Copy { work() }),
        ]
    }

    /// Whether the body of a function can only be reached through an answer: it stands behind one.
    fn is_governed(expanded: &TokenStream) -> bool {
        let text = expanded.to_string();
        let asking = text.find("match").filter(|_| text.contains("authorize"));
        let (asking, body) = (asking.unwrap_or(usize::MAX), text.find("work ()"));
        body.is_some_and(|body| asking < body)
    }

    #[test]
    fn a_complete_attribute_governs_every_kind_of_function() {
        for function in functions() {
            let expanded = expand(complete(), function.clone());
            let expanded = expanded.unwrap_or_else(|fault| panic!("{fault}: {function}"));
            assert!(is_governed(&expanded), "{expanded}");
            syn::parse2::<syn::File>(expanded).unwrap();
        }
    }

    #[test]
    fn whatever_is_missing_doubled_or_moved_the_function_is_governed_or_refused() {
        let tokens: Vec<TokenTree> = complete().into_iter().collect();
        let mut variants: Vec<Vec<TokenTree>> = Vec::new();
        for at in 0..tokens.len() {
            variants.push(tokens[..at].to_vec());
            variants.push([&tokens[..at], &tokens[at + 1..]].concat());
            variants.push([&tokens[..=at], &tokens[at..]].concat());
            let mut swapped = tokens.clone();
            swapped.swap(at, (at + 1) % tokens.len());
            variants.push(swapped);
        }
        let mut refused = 0;
        for function in functions() {
            for variant in &variants {
                let arguments: TokenStream = variant.iter().cloned().collect();
                match expand(arguments.clone(), function.clone()) {
                    Ok(expanded) => assert!(is_governed(&expanded), "{arguments}"),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > variants.len(), "most of these are mistakes");
    }

    #[test]
    fn a_function_that_is_cut_off_is_refused() {
        for function in functions() {
            let tokens: Vec<TokenTree> = function.into_iter().collect();
            for at in 0..tokens.len() {
                let cut: TokenStream = tokens[..at].iter().cloned().collect();
                assert!(expand(complete(), cut.clone()).is_err(), "{cut}");
            }
        }
    }
}
