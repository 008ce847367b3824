//! E-mail addresses, found from their `@` outwards so that no input is read more than twice.
//!
//! The rule is `\b[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Z]{2,}\b` with case ignored. A regular expression
//! that starts at every letter is quadratic in Python (PROTOCOL 27.8) and slow in Rust when `\b`
//! must know Unicode.

use std::ops::Range;

use super::unicode::{fold, is_word, is_word_byte};

/// Which characters belong to an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// What the reference takes: ASCII, and the four letters that fold to it.
    Reference,
    /// Letters and digits of every script, so that `josé@bücher.de` is found too.
    International,
}

/// The address around the `@` at `at`, which begins at `from` or later.
pub(super) fn around(
    text: &str,
    from: usize,
    at: usize,
    alphabet: Alphabet,
) -> Option<Range<usize>> {
    // Most `@` of hostile text have nothing around them.
    let neighbour = |at: usize| {
        text.as_bytes()
            .get(at)
            .is_some_and(|&b| !b.is_ascii() || is_local_byte(b))
    };
    if !neighbour(at + 1) || !at.checked_sub(1).is_some_and(neighbour) {
        return None;
    }
    let end = domain_end(text, at + 1, alphabet)?;
    let start = local_start(text, from, at, alphabet)?;
    Some(start..end)
}

/// The leftmost word boundary in the run of address characters before `at`.
fn local_start(text: &str, from: usize, at: usize, alphabet: Alphabet) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut low = at;
    while low > from
        && let Some(&byte) = bytes.get(low - 1)
    {
        let length = if byte.is_ascii() {
            usize::from(is_local_byte(byte))
        } else {
            let before = text.get(..low)?.chars().next_back()?;
            if belongs(before, alphabet) {
                before.len_utf8()
            } else {
                0
            }
        };
        if length == 0 {
            break;
        }
        low -= length;
    }
    let mut after_word = text.get(..low)?.chars().next_back().is_some_and(is_word);
    text.get(low..at)?.char_indices().find_map(|(offset, c)| {
        let boundary = is_word(c) != after_word;
        after_word = is_word(c);
        boundary.then_some(low + offset)
    })
}

/// The end of the longest `[A-Z0-9.-]+\.[A-Z]{2,}\b` at `start`.
fn domain_end(text: &str, start: usize, alphabet: Alphabet) -> Option<usize> {
    let mut best = None;
    // Where the letters after the last dot began and how many there are; `None` after a digit or
    // hyphen, and before the first dot.
    let mut letters: Option<usize> = None;
    let mut last_was_word = false;
    for (offset, c) in text.get(start..)?.char_indices() {
        let here = start + offset;
        let separator = matches!(c, '.' | '-');
        if !separator && !c.is_ascii_alphanumeric() && !belongs(c, alphabet) {
            // `_`, or a letter that is no address character, keeps the word going: no end here.
            return if !is_word(c) && letters.is_some_and(|count| count >= 2) {
                Some(here)
            } else {
                best
            };
        }
        if separator && letters.is_some_and(|count| count >= 2) {
            best = Some(here);
        }
        letters = match c {
            // A dot counts when at least one character stands between it and the `@`.
            '.' if offset > 0 => Some(0),
            '.' | '-' | '0'..='9' => None,
            _ => letters.map(|count| count + 1),
        };
        last_was_word = !separator;
    }
    // At the end of the text.
    if last_was_word && letters.is_some_and(|count| count >= 2) {
        Some(text.len())
    } else {
        best
    }
}

/// Whether an ASCII character belongs before the `@`.
const fn is_local_byte(byte: u8) -> bool {
    is_word_byte(byte) || matches!(byte, b'.' | b'%' | b'+' | b'-')
}

/// Whether a character outside ASCII belongs to an address.
fn belongs(c: char, alphabet: Alphabet) -> bool {
    match alphabet {
        _ if c.is_ascii() => false,
        Alphabet::Reference => fold(c).is_some(),
        Alphabet::International => is_word(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, alphabet: Alphabet) -> Option<&str> {
        text.match_indices('@')
            .find_map(|(at, _)| around(text, 0, at, alphabet))
            .map(|range| &text[range])
    }

    #[test]
    fn an_address_is_what_the_reference_calls_one() {
        for (text, address) in [
            ("to admin@example.com, please", Some("admin@example.com")),
            (
                "first.last+tag@sub.example.co.uk.",
                Some("first.last+tag@sub.example.co.uk"),
            ),
            ("a@b..co", Some("a@b..co")),
            ("--a@b.co", Some("a@b.co")),
            ("a@b.co.c", Some("a@b.co")),
            ("a@b.co_c", None),
            ("a@b.co.cd1", Some("a@b.co")),
            ("a@b.c", None),
            ("a@.co", None),
            ("%@b.co", None),
            ("x %a@b.co", Some("a@b.co")),
            ("x%@b.co", Some("x%@b.co")),
            ("josé@example.com", None),
            ("a@b.comé", None),
            ("a@b.com\u{301}", Some("a@b.com")),
            (
                "\u{212a}@b.\u{131}\u{130}",
                Some("\u{212a}@b.\u{131}\u{130}"),
            ),
        ] {
            assert_eq!(first(text, Alphabet::Reference), address, "{text}");
        }
    }

    #[test]
    fn addresses_of_other_scripts_are_found_by_default() {
        for text in ["josé@example.com", "user@bücher.de", "用户@例え.日本"] {
            assert_eq!(
                first(&format!("<{text}>"), Alphabet::International),
                Some(text)
            );
        }
    }
}
