//! The four ways in which a body is let run: where it stands, in a closure, in an `async` block,
//! or as the making of a future.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{Pat, ReceiverKind};

use super::prepare::prepare;
use super::{Names, ends, mixed, whole_argument};
use crate::ast::Function;
use crate::valid::{Gate, ReturnKind};

/// The statements after the items, ending in the value of the function.
pub(super) fn governed(gate: &Gate, names: &Names, function: &Function) -> TokenStream {
    let parts = Parts::new(gate, names, function);
    match gate.returns.kind {
        ReturnKind::Future => parts.deferred(),
        ReturnKind::Boxed => {
            let mixed = mixed();
            let private = &names.private;
            let deferred = parts.deferred();
            quote_spanned!(mixed=> #private::Box::pin(#deferred))
        }
        ReturnKind::Value if function.sig.asyncness.is_some() => parts.asynchronous(),
        ReturnKind::Value if gate.in_place => parts.in_place(),
        ReturnKind::Value => parts.synchronous(),
    }
}

struct Parts<'g> {
    gate: &'g Gate,
    names: &'g Names<'g>,
    /// `#[allow(…)]` for what our looking at the arguments would set off.
    allow: Option<TokenStream>,
    /// The call, without an answer.
    prepare: TokenStream,
    /// `let _ = (&last, …, &first, &self);`
    ///
    /// First thing in the closure or `async` block that the body moves into. It makes every
    /// argument move in whole, in this order; captured values are dropped in the order of
    /// their capture, so arguments are dropped as in a plain function: after the body's
    /// locals, the last one first.
    take_arguments: Option<TokenStream>,
    /// The body's braces, with patterns that bind nothing taken apart in front of it.
    body: TokenStream,
}

impl<'g> Parts<'g> {
    fn new(gate: &'g Gate, names: &'g Names<'g>, function: &Function) -> Self {
        let mixed = mixed();
        let allow = looks_at_underscore(gate).then(|| {
            quote_spanned! {mixed=>
                #[allow(clippy::used_underscore_binding, reason = "a gate looks at all arguments")]
            }
        });
        Self {
            gate,
            names,
            prepare: prepare(gate, names),
            take_arguments: take_arguments(gate, function, allow.as_ref()),
            allow,
            body: body(gate, function),
        }
    }

    /// A plain function. The closure goes to `once`, whose `FnOnce` bound lets it give back a
    /// borrow of what it took; called where it stands, it could not.
    fn synchronous(&self) -> TokenStream {
        let mixed = mixed();
        let Self {
            take_arguments,
            body,
            ..
        } = self;
        let private = self.private();
        let ask = self.ask();
        let whole = &self.gate.returns.whole;
        let report = self.report();
        quote_spanned! {mixed=>
            #ask
            let out = #private::once(move || -> #whole { #take_arguments #body });
            #report
            out
        }
    }

    /// `#[track_caller]`: inside a closure `Location::caller()` would be the closure's own place.
    /// The result cannot be seen, so the guard says `returned`.
    fn in_place(&self) -> TokenStream {
        let mixed = mixed();
        let body = &self.body;
        let ask = self.ask();
        quote_spanned! {mixed=>
            #ask
            let _guard = running.in_place();
            #body
        }
    }

    /// `async fn`. The return that is never taken tells the `async` block its type, so that
    /// coercions and mistakes in the body are seen where they stand.
    fn asynchronous(&self) -> TokenStream {
        let mixed = mixed();
        let Self {
            take_arguments,
            body,
            ..
        } = self;
        let private = self.private();
        let ask = self.ask_waiting();
        let whole = &self.gate.returns.whole;
        let report = self.report();
        quote_spanned! {mixed=>
            #ask
            let out = async move {
                #take_arguments
                if false {
                    return #private::unreached::<#whole>();
                }
                #body
            }
            .await;
            #report
            out
        }
    }

    /// A function that returns a future: nothing happens before the first poll, not even the
    /// asking, and the body that makes the future runs after the answer.
    fn deferred(&self) -> TokenStream {
        let mixed = mixed();
        let Self {
            take_arguments,
            body,
            ..
        } = self;
        let private = self.private();
        let ask = self.ask_waiting();
        let whole = &self.gate.returns.whole;
        let output = &self.gate.returns.output;
        let report = self.report();
        quote_spanned! {mixed=>
            async move {
                #take_arguments
                #ask
                let future = #private::once(move || -> #whole { #take_arguments #body });
                let out: #output = future.await;
                #report
                out
            }
        }
    }

    fn ask(&self) -> TokenStream {
        let mixed = mixed();
        let private = self.private();
        self.answered(&quote_spanned!(mixed=> #private::authorize_blocking(prepared)))
    }

    fn ask_waiting(&self) -> TokenStream {
        let mixed = mixed();
        let private = self.private();
        self.answered(&quote_spanned!(mixed=> #private::authorize(prepared).await))
    }

    fn answered(&self, asking: &TokenStream) -> TokenStream {
        let mixed = mixed();
        let Self { allow, prepare, .. } = self;
        let refusal = self.refusal();
        quote_spanned! {mixed=>
            #allow
            let prepared = #prepare;
            let running = match #asking {
                ::core::result::Result::Ok(running) => running,
                ::core::result::Result::Err(error) => return #refusal,
            };
        }
    }

    /// What a refusal turns into.
    fn refusal(&self) -> TokenStream {
        if let Some(refused) = &self.gate.refused {
            let (_, last) = ends(refused);
            return quote_spanned!(last=> #refused(error));
        }
        // A call that spans the return type: that is where the compiler then says what is wrong.
        let output = &self.gate.returns.output;
        let (first, last) = ends(&self.gate.returns.written);
        let private = self.names.private_at(first);
        let refuse = quote_spanned!(first=> #private::refuse);
        quote_spanned!(last=> #refuse::<#output>(error))
    }

    /// How the body ended. What `refused` returns may be a `Result` or not, and its error may have a
    /// text or not: three borrows, and the one that says most is found first.
    fn report(&self) -> TokenStream {
        let mixed = mixed();
        let private = self.private();
        quote_spanned! {mixed=>
            {
                use #private::report::{ViaAny as _, ViaResult as _, ViaText as _};
                (&&&#private::report::Report(&out)).sernixa_report(running);
            }
        }
    }

    fn private(&self) -> &TokenStream {
        &self.names.private
    }
}

/// The user's body, with its own braces: they tell the compiler by which edition's rules its
/// temporaries are dropped.
fn body(gate: &Gate, function: &Function) -> TokenStream {
    let mixed = mixed();
    // An empty statement in front: without it a body of one expression would be reported as
    // standing in unnecessary braces, because it now stands at the end of a block of ours.
    let mut tokens = quote_spanned!(mixed=> ;);
    tokens.extend(function.body.stream());
    let mut body = Group::new(Delimiter::Brace, tokens);
    body.set_span(function.body.span());
    let unbound = gate.parameters.iter().filter(|parameter| {
        parameter.bindings.is_empty() && !matches!(parameter.pattern, Pat::Wild(_))
    });
    let patterns: Vec<_> = unbound
        .map(|parameter| {
            let (pattern, name) = (&parameter.pattern, whole_argument(parameter.position));
            quote_spanned!(mixed=> let #pattern = #name;)
        })
        .collect();
    if patterns.is_empty() {
        return body.into_token_stream();
    }
    quote_spanned!(mixed=> { #(#patterns)* #body })
}

fn take_arguments(
    gate: &Gate,
    function: &Function,
    allow: Option<&TokenStream>,
) -> Option<TokenStream> {
    let mixed = mixed();
    let mut names: Vec<TokenStream> = Vec::new();
    let receiver = function.sig.receiver();
    if let Some(receiver) = receiver.filter(|r| !matches!(r.kind, ReceiverKind::Reference(..))) {
        // `self` has hygiene, too.
        names.push(receiver.self_token.to_token_stream());
    }
    for parameter in &gate.parameters {
        if parameter.bindings.is_empty() {
            names.push(whole_argument(parameter.position).into_token_stream());
        }
        names.extend(parameter.bindings.iter().map(ToTokens::to_token_stream));
    }
    names.reverse();
    (!names.is_empty()).then(|| quote_spanned!(mixed=> #allow let _ = (#(&#names,)*);))
}

/// Arguments called `_name` are said to be unused.
fn looks_at_underscore(gate: &Gate) -> bool {
    let mut bindings = gate
        .parameters
        .iter()
        .flat_map(|parameter| &parameter.bindings);
    bindings.any(|binding| binding.unraw().to_string().starts_with('_'))
}
