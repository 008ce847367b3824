//! Payment card numbers, in one pass over the digits.
//!
//! The reference's rule is `\b(?:\d[ -]*?){13,19}\b`, then the Luhn check. Digits stand in groups
//! parted by spaces and hyphens; a *chain* is a longest sequence of such groups. The expression
//! comes down to: from the start of a group, the first group at whose end 13 digits or more have
//! been seen; it is a candidate when they are at most 19 and a word ends there; what a candidate
//! covers is not looked at again, whatever the check digit says. So digits in front hide a card
//! (PROTOCOL 27.8), which [`Rule::Thorough`] mends.

use std::ops::Range;

use super::unicode::{digit, is_word};

/// How chains are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// What the reference finds.
    Reference,
    /// That, and each sequence of whole groups that a card network gives out: its first digits,
    /// its length, and a right check digit.
    Thorough,
    /// Of these the latter only: what stands right after a mask has lost the digits in front that
    /// made it no candidate.
    AfterMask,
}

/// One digit of a chain.
#[derive(Clone, Copy, Default)]
struct Digit {
    start: usize,
    end: usize,
    value: u8,
    begins_group: bool,
    /// Sums over the digits before this one, with those at odd places doubled as Luhn does, and
    /// with those at even places doubled: the check of any window is one subtraction.
    odd_doubled: u32,
    even_doubled: u32,
}

/// The digits last seen. A window is 19 at most, and starts at most 12 before its last group.
const KEPT: usize = 32;
const LEAST: usize = 13;
const MOST: usize = 19;

/// A chain of digits from `start` on, where its first digit stands.
pub(super) struct Chain {
    pub(super) end: usize,
    pub(super) digits: usize,
}

impl Chain {
    /// Reads the chain that begins at `start`.
    pub(super) fn at(text: &str, start: usize) -> Self {
        let mut chain = Self {
            end: start,
            digits: 0,
        };
        let mut at = start;
        while let Some((_, length)) = digit_at(text, at) {
            at += length;
            chain.end = at;
            chain.digits += 1;
            at = skip_separators(text, at);
        }
        chain
    }

    /// Whether it is long enough to hold a card.
    pub(super) fn may_hold_card(&self) -> bool {
        self.digits >= LEAST
    }
}

/// The cards in the chain at `range`, in order, without overlap.
pub(super) fn find(
    text: &str,
    range: Range<usize>,
    rule: Rule,
    mut found: impl FnMut(Range<usize>),
) {
    let mut kept = [Digit::default(); KEPT];
    let get =
        |kept: &[Digit; KEPT], index: usize| kept.get(index % KEPT).copied().unwrap_or_default();
    let word_before = text
        .get(..range.start)
        .and_then(|before| before.chars().next_back());
    let word_after = text.get(range.end..).and_then(|after| after.chars().next());
    let word_before = word_before.is_some_and(|c| is_boundary_word(c, rule));
    let word_after = word_after.is_some_and(|c| is_boundary_word(c, rule));

    let (mut count, mut odd, mut even) = (0_usize, 0_u32, 0_u32);
    // Where the reference's candidate begins, and where any card may begin.
    let (mut start, mut free) = (0_usize, 0_usize);
    let mut at = range.start;
    let mut begins_group = true;
    while at < range.end
        && let Some((value, length)) = digit_at(text, at)
    {
        if let Some(slot) = kept.get_mut(count % KEPT) {
            *slot = Digit {
                start: at,
                end: at + length,
                value,
                begins_group,
                odd_doubled: odd,
                even_doubled: even,
            };
        }
        let (plain, doubled) = (
            u32::from(value),
            u32::from(if value > 4 { value * 2 - 9 } else { value * 2 }),
        );
        let is_odd = count % 2 == 1;
        odd += if is_odd { doubled } else { plain };
        even += if is_odd { plain } else { doubled };
        count += 1;
        at += length;
        begins_group = digit_at(text, at).is_none();
        if !begins_group {
            continue;
        }
        // A group ends here; the digit before `count` is its last.
        let last = get(&kept, count - 1);
        let ends_word = at < range.end || !word_after;
        at = skip_separators(text, at);
        let begins = |kept: &[Digit; KEPT], index: usize| {
            get(kept, index).begins_group && !(index == 0 && word_before)
        };
        let passes = |kept: &[Digit; KEPT], index: usize| {
            let first = get(kept, index);
            let sum = if is_odd {
                even - first.even_doubled
            } else {
                odd - first.odd_doubled
            };
            sum.is_multiple_of(10)
        };
        let mut card = None;
        // The reference's candidate that ends here.
        while count - start >= LEAST {
            if count - start > KEPT {
                // The last group alone is too long, so none that ends with it is short enough.
                start = count;
            } else if begins(&kept, start) && count - start <= MOST && ends_word {
                card = (rule != Rule::AfterMask && passes(&kept, start)).then_some(start);
                start = count;
            } else {
                start += 1;
            }
        }
        if rule != Rule::Reference && card.is_none() && ends_word {
            card = (LEAST..=MOST)
                .rev()
                .filter_map(|length| count.checked_sub(length))
                .find(|&index| {
                    index >= free
                        && begins(&kept, index)
                        && passes(&kept, index)
                        && is_issued(|offset| get(&kept, index + offset).value, count - index)
                });
        }
        if let Some(first) = card {
            found(get(&kept, first).start..last.end);
            start = count;
            free = count;
        }
    }
}

/// Whether a letter next to the digits makes them part of a word. In scripts that write without
/// spaces a card number touches the words around it.
fn is_boundary_word(c: char, rule: Rule) -> bool {
    match rule {
        Rule::Reference => is_word(c),
        Rule::Thorough | Rule::AfterMask => c.is_ascii() && is_word(c),
    }
}

/// Whether a card network gives out numbers that begin so and have this many digits.
fn is_issued(digit: impl Fn(usize) -> u8, length: usize) -> bool {
    match (digit(0), digit(1), length) {
        // Visa.
        (4, _, 13 | 16 | 19)
        // Mastercard.
        | (5, 1..=5, 16) | (2, 2..=7, 16)
        // American Express.
        | (3, 4 | 7, 15)
        // Diners Club.
        | (3, 0 | 6 | 8 | 9, 14)
        // JCB; Discover, UnionPay, Maestro.
        | (3, 5, 16..=19) | (6, _, 16..=19) => true,
        _ => false,
    }
}

#[inline]
fn digit_at(text: &str, at: usize) -> Option<(u8, usize)> {
    let byte = *text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return byte.is_ascii_digit().then(|| (byte - b'0', 1));
    }
    let c = text.get(at..)?.chars().next()?;
    Some((digit(c)?, c.len_utf8()))
}

#[inline]
fn skip_separators(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|&&byte| byte == b' ' || byte == b'-')
        .count()
}

/// How the mask of a card begins.
const MASK: &str = "****-****-****-";

/// The mask of a card: its last four digits stay.
pub(super) fn mask(card: &str) -> String {
    let mut last: Vec<char> = card
        .chars()
        .rev()
        .filter(|&c| digit(c).is_some())
        .take(4)
        .collect();
    last.reverse();
    last.into_iter().fold(MASK.to_owned(), |mut mask, c| {
        mask.push(c);
        mask
    })
}

/// Whether a text is what [`mask`] makes of a card, and nothing more.
pub(super) fn is_mask(text: &str) -> bool {
    text.strip_prefix(MASK)
        .is_some_and(|last| last.chars().count() == 4 && last.chars().all(|c| digit(c).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards(text: &str, rule: Rule) -> Vec<&str> {
        let start = text.find(|c| digit(c).is_some()).unwrap();
        let mut cards = Vec::new();
        find(text, start..Chain::at(text, start).end, rule, |range| {
            cards.push(&text[range]);
        });
        cards
    }

    #[test]
    fn digits_in_front_hide_a_card_from_the_reference_only() {
        for text in [
            "12 4242 4242 4242 4242",
            "1 4242424242424242",
            "123 4242424242424242",
            "1234 4242 4242 4242 4242",
        ] {
            assert!(cards(text, Rule::Reference).is_empty(), "{text}");
            let found = cards(text, Rule::Thorough);
            assert_eq!(found.len(), 1, "{text}");
            assert!(
                found[0].ends_with("42") && found[0].len() >= 16,
                "{found:?}"
            );
        }
    }

    #[test]
    fn both_rules_agree_where_nothing_is_in_front() {
        for (text, expected) in [
            ("4242424242424242", 1),
            ("4242 4242 4242 4242 4242424242424242", 2),
            ("4242424242424241", 0),
            ("4242424242424242x", 0),
            ("00000000000000", 1),
            ("x1 4242-4242-4242-4242", 1),
            ("42424242424242424242", 0),
            ("4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", 0),
        ] {
            assert_eq!(cards(text, Rule::Reference).len(), expected, "{text}");
        }
    }

    #[test]
    fn a_group_of_any_length_leaves_the_window_whole() {
        let text = format!("{} 4242424242424242", "7".repeat(100));
        assert_eq!(cards(&text, Rule::Reference), ["4242424242424242"]);
        let text = format!("1 {} 4242424242424242", "7".repeat(33));
        assert_eq!(cards(&text, Rule::Reference), ["4242424242424242"]);
    }
}
