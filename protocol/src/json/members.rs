//! Duplicate members: compared after unescaping, and never by hash alone, so that no choice of
//! keys can make it slow.

use std::borrow::Cow;

use super::error::{JsonError, JsonErrorKind};
use super::{Shape, Token, unescape};

/// Up to this many members, comparing those that look alike is quicker than sorting.
const FEW: usize = 32;

/// Checks the members of the object whose first key is `tokens[first]` and whose last value is
/// the last token. Returns whether they stand in canonical order.
pub(super) fn check_members(text: &str, tokens: &[Token], first: usize) -> Result<bool, JsonError> {
    let mut last: Option<&[u8]> = None;
    let ascending = keys(tokens, first).all(|key| {
        let bytes = slice(text, key);
        let above = key.shape == Shape::Plain && last.is_none_or(|last| last < bytes);
        last = Some(bytes);
        above
    });
    // None of them can then be there twice.
    if ascending {
        return Ok(true);
    }
    let mut few = [Token::NOTHING; FEW];
    // One bit for each look that was seen; keys that look unlike are not compared.
    let mut seen = 0_u64;
    for (count, key) in keys(tokens, first).enumerate() {
        if count == FEW || key.shape != Shape::Plain {
            return check_sorted(text, tokens, first).map(|()| false);
        }
        let bytes = slice(text, key);
        let look = 1 << look(bytes);
        let before = few.get(..count).unwrap_or_default();
        if seen & look != 0 && before.iter().any(|other| slice(text, *other) == bytes) {
            return Err(duplicate(key));
        }
        seen |= look;
        if let Some(slot) = few.get_mut(count) {
            *slot = key;
        }
    }
    Ok(false)
}

/// What a key looks like from afar, in six bits: its length and two of its characters.
fn look(key: &[u8]) -> u32 {
    let byte = |byte: Option<&u8>| byte.copied().map_or(0, u32::from);
    let length = u32::try_from(key.len()).unwrap_or(0);
    (length ^ byte(key.first()) ^ (byte(key.last()) << 2)) & 63
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
    let raw = text.get(inner(key)).unwrap_or_default();
    match key.shape {
        Shape::Escaped => Cow::Owned(unescape(raw)),
        _ => Cow::Borrowed(raw),
    }
}

fn slice(text: &str, key: Token) -> &[u8] {
    text.as_bytes().get(inner(key)).unwrap_or_default()
}

/// Where the key stands between its quotes.
fn inner(key: Token) -> std::ops::Range<usize> {
    key.start as usize + 1..key.end as usize - 1
}

fn duplicate(key: Token) -> JsonError {
    JsonError::new(JsonErrorKind::DuplicateMember, key.start as usize)
}
