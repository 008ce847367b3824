//! Duplicate members: compared after unescaping, without hashing, so that no choice of keys can
//! make it slow.

use std::borrow::Cow;

use super::error::{JsonError, JsonErrorKind};
use super::{Shape, Token, unescape};

/// Up to this many members, comparing each pair is quicker than sorting.
const FEW: usize = 16;

/// Checks the members of the object whose first key is `tokens[first]` and whose last value is
/// the last token.
pub(super) fn check_members(text: &str, tokens: &[Token], first: usize) -> Result<(), JsonError> {
    let mut few = [Token {
        start: 0,
        end: 0,
        next: 0,
        shape: Shape::Null,
    }; FEW];
    let mut count = 0;
    for key in keys(tokens, first) {
        if key.shape != Shape::Plain {
            return check_sorted(text, tokens, first);
        }
        let Some(slot) = few.get_mut(count) else {
            return check_sorted(text, tokens, first);
        };
        *slot = key;
        count += 1;
    }
    let mut rest = few.get(..count).unwrap_or_default();
    while let Some((key, others)) = rest.split_last() {
        let length = key.end - key.start;
        let same = |other: &Token| {
            other.end - other.start == length && slice(text, *other) == slice(text, *key)
        };
        if others.iter().any(same) {
            return Err(duplicate(*key));
        }
        rest = others;
    }
    Ok(())
}

/// As [`check_members`] for many members, or some with escapes.
fn check_sorted(text: &str, tokens: &[Token], first: usize) -> Result<(), JsonError> {
    let mut names: Vec<(Cow<'_, str>, Token)> = keys(tokens, first)
        .map(|key| (name(text, key), key))
        .collect();
    names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let twins = names.windows(2).find_map(|pair| match pair {
        [a, b] if a.0 == b.0 => Some(if a.1.start > b.1.start { a.1 } else { b.1 }),
        _ => None,
    });
    twins.map_or(Ok(()), |key| Err(duplicate(key)))
}

/// The keys from `tokens[first]` on: each is followed by its value, which knows where it ends.
fn keys(tokens: &[Token], first: usize) -> impl Iterator<Item = Token> {
    let mut at = first;
    std::iter::from_fn(move || {
        let key = *tokens.get(at)?;
        at = tokens.get(at + 1)?.next as usize;
        Some(key)
    })
}

fn name(text: &str, key: Token) -> Cow<'_, str> {
    let raw = text
        .get(key.start as usize + 1..key.end as usize - 1)
        .unwrap_or_default();
    match key.shape {
        Shape::Escaped => Cow::Owned(unescape(raw)),
        _ => Cow::Borrowed(raw),
    }
}

fn slice(text: &str, key: Token) -> &[u8] {
    text.as_bytes()
        .get(key.start as usize..key.end as usize)
        .unwrap_or_default()
}

fn duplicate(key: Token) -> JsonError {
    JsonError::new(JsonErrorKind::DuplicateMember, key.start as usize)
}
