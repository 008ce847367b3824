//! The kinds of value that a key may have. Each function reads one from the front of its input.

use syn::parse::{ParseBuffer, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitStr, Path, Token, token};

use super::pairs::Misfit;

type Parsed<T> = Result<T, Misfit>;

/// Text that is known when the crate is compiled.
#[derive(Clone)]
pub(crate) enum Text {
    /// Judged by the macro.
    Literal(LitStr),
    /// Judged by `const` evaluation.
    Path(Path),
}

/// A word of an open list.
pub(crate) enum Word {
    /// `"…"`: must be a known word.
    Known(LitStr),
    /// `PATH`: a `const` of the word's own type.
    Path(Path),
    /// `custom("…")`, `custom(PATH)`: a word of the user's own.
    Custom(Text),
}

/// The value of `systems_touched`.
#[derive(Clone)]
pub(crate) enum Systems {
    List {
        bracket: token::Bracket,
        items: Vec<LitStr>,
    },
    Path(Path),
}

/// One member of `metadata`.
pub(crate) struct Member {
    /// The name as a literal, with the span of what was written.
    pub(crate) key: LitStr,
    pub(crate) value: Expr,
}

pub(super) fn literal(input: ParseStream) -> Parsed<LitStr> {
    if input.peek(LitStr) {
        Ok(input.parse()?)
    } else {
        Err(Misfit::Kind)
    }
}

pub(super) fn boolean(input: ParseStream) -> Parsed<LitBool> {
    if input.peek(LitBool) {
        Ok(input.parse()?)
    } else {
        Err(Misfit::Kind)
    }
}

pub(super) fn path(input: ParseStream) -> Parsed<Path> {
    input.parse().map_err(|_| Misfit::Kind)
}

pub(super) fn module(input: ParseStream) -> Parsed<Path> {
    input.call(Path::parse_mod_style).map_err(|_| Misfit::Kind)
}

/// Whatever the compiler takes for an expression; its own words when it is none.
pub(super) fn expression(input: ParseStream) -> Parsed<Expr> {
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Misfit::Kind);
    }
    Ok(input.parse()?)
}

pub(super) fn text(input: ParseStream) -> Parsed<Text> {
    if input.peek(LitStr) {
        Ok(Text::Literal(input.parse()?))
    } else {
        Ok(Text::Path(constant(input)?))
    }
}

/// The path of a `const`: it is named inside an item of its own, where neither `Self` nor the
/// function's generics are known.
fn constant(input: ParseStream) -> Parsed<Path> {
    let path = path(input)?;
    if path
        .segments
        .first()
        .is_some_and(|first| first.ident == "Self")
    {
        let message = "a governance value cannot be named through `Self`: name a free `const`, or \
                       write the type out";
        return Err(Misfit::Fault(syn::Error::new_spanned(path, message)));
    }
    Ok(path)
}

pub(super) fn word(input: ParseStream) -> Parsed<Word> {
    if input.peek(LitStr) {
        return Ok(Word::Known(input.parse()?));
    }
    if input.peek(Ident) && input.peek2(token::Paren) {
        let name: Ident = input.parse()?;
        if name != "custom" {
            return Err(Misfit::Kind);
        }
        let content = parenthesised(input)?;
        let custom = text(&content)?;
        return if content.is_empty() {
            Ok(Word::Custom(custom))
        } else {
            Err(Misfit::Kind)
        };
    }
    Ok(Word::Path(constant(input)?))
}

pub(super) fn systems(input: ParseStream) -> Parsed<Systems> {
    if !input.peek(token::Bracket) {
        return Ok(Systems::Path(constant(input)?));
    }
    let (bracket, content) = bracketed(input)?;
    let items =
        Punctuated::<LitStr, Token![,]>::parse_terminated(&content).map_err(|_| Misfit::Kind)?;
    Ok(Systems::List {
        bracket,
        items: items.into_iter().collect(),
    })
}

pub(super) fn names(input: ParseStream) -> Parsed<Vec<Ident>> {
    if !input.peek(token::Bracket) {
        return Err(Misfit::Kind);
    }
    let (_, content) = bracketed(input)?;
    if let Ok(this) = content.parse::<Token![self]>() {
        let message = "`self` is never looked at: leave it out";
        return Err(Misfit::Fault(syn::Error::new_spanned(this, message)));
    }
    let names =
        Punctuated::<Ident, Token![,]>::parse_terminated(&content).map_err(|_| Misfit::Kind)?;
    Ok(names.into_iter().collect())
}

/// `{ key: expression, "other-key": expression }`.
pub(super) fn members(input: ParseStream) -> Parsed<Vec<Member>> {
    if !input.peek(token::Brace) {
        return Err(Misfit::Kind);
    }
    let content = braced(input)?;
    let members = Punctuated::<Member, Token![,]>::parse_terminated(&content)?;
    Ok(members.into_iter().collect())
}

impl syn::parse::Parse for Member {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        use syn::ext::IdentExt;
        const SHAPE: &str =
            "a member of `metadata` is written `key: expression` or `\"other-key\": expression`";
        let key = if input.peek(LitStr) {
            input.parse()?
        } else {
            let name = input
                .call(Ident::parse_any)
                .map_err(|fault| syn::Error::new(fault.span(), SHAPE))?;
            LitStr::new(&name.unraw().to_string(), name.span())
        };
        if input.parse::<Token![:]>().is_err() {
            return Err(syn::Error::new(key.span(), SHAPE));
        }
        Ok(Self {
            key,
            value: input.parse()?,
        })
    }
}

// `syn`'s macros return `syn::Error` from the function that they stand in.

fn parenthesised<'i>(input: &ParseBuffer<'i>) -> syn::Result<ParseBuffer<'i>> {
    let content;
    syn::parenthesized!(content in input);
    Ok(content)
}

fn bracketed<'i>(input: &ParseBuffer<'i>) -> syn::Result<(token::Bracket, ParseBuffer<'i>)> {
    let content;
    let bracket = syn::bracketed!(content in input);
    Ok((bracket, content))
}

fn braced<'i>(input: &ParseBuffer<'i>) -> syn::Result<ParseBuffer<'i>> {
    let content;
    syn::braced!(content in input);
    Ok(content)
}
