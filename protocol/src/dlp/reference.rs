//! The four detectors of the reference, byte for byte (PROTOCOL 21).
//!
//! They run in its order, and when masking each one reads what the one before it left. Each is a
//! linear scanner from the character that its matches cannot do without; the expressions stand
//! above them. Where Python's character classes differ from ASCII, [`unicode`](super::unicode)
//! says how.

use std::borrow::Cow;
use std::ops::Range;

use super::cards::{self, Chain};
use super::detectors::replace;
use super::email::{self, Alphabet};
use super::unicode::{fold, is_space, is_word};
use super::{MASKED_EMAIL, MASKED_SECRET};

pub(super) const CARD: &str = "credit_card_like";
pub(super) const EMAIL: &str = "email";
pub(super) const BEARER: &str = "bearer_token";
pub(super) const API_KEY: &str = "api_key";

/// One of the four.
struct Step {
    kind: &'static str,
    /// What a text must hold for it to find anything.
    needs: u8,
    find: fn(&str) -> Vec<Range<usize>>,
    mask: fn(&str) -> Cow<'static, str>,
}

const DIGITS: u8 = 1;
const AT: u8 = 2;
const CAPITAL_B: u8 = 4;
const UNDERSCORE: u8 = 8;

/// In the order in which they run.
const STEPS: [Step; 4] = [
    Step {
        kind: CARD,
        needs: DIGITS,
        find: find_cards,
        mask: |card| Cow::Owned(cards::mask(card)),
    },
    Step {
        kind: EMAIL,
        needs: AT,
        find: find_emails,
        mask: |_| Cow::Borrowed(MASKED_EMAIL),
    },
    Step {
        kind: BEARER,
        needs: CAPITAL_B,
        find: find_bearers,
        mask: |_| Cow::Borrowed(MASKED_SECRET),
    },
    Step {
        kind: API_KEY,
        needs: UNDERSCORE,
        find: find_api_keys,
        mask: |_| Cow::Borrowed(MASKED_SECRET),
    },
];

/// Reports the kinds found in `text`: one for each card, one for all matches of each other
/// detector. Returns the masked text if there is anything to mask.
///
/// Each detector reads what the one before it left if `chained`, as the reference does when it
/// masks; else the original.
pub(super) fn scan(
    text: &str,
    chained: bool,
    report: &mut dyn FnMut(&'static str),
) -> Option<String> {
    // No mask adds what a later detector needs, so what the text lacks it lacks to the end.
    let has = contents(text);
    let mut masked: Option<String> = None;
    for step in STEPS.iter().filter(|step| has & step.needs != 0) {
        let left = masked.as_deref().unwrap_or(text);
        let ranges = (step.find)(left);
        let findings = if step.kind == CARD {
            ranges.len()
        } else {
            ranges.len().min(1)
        };
        (0..findings).for_each(|_| report(step.kind));
        if chained && findings > 0 {
            masked = Some(replace(left, ranges, step.mask));
        }
    }
    masked
}

/// Which of the [`Step::needs`] a text holds.
fn contents(text: &str) -> u8 {
    let (mut digits, mut others) = (0_usize, 0_u8);
    for &byte in text.as_bytes() {
        // Any byte of a character outside ASCII may be one of a digit's.
        digits += usize::from(byte.is_ascii_digit() || byte >= 0x80);
        others |= match byte {
            b'@' => AT,
            b'B' => CAPITAL_B,
            b'_' => UNDERSCORE,
            _ => 0,
        };
    }
    others | if digits >= 13 { DIGITS } else { 0 }
}

/// `\b(?:\d[ -]*?){13,19}\b` and the Luhn check.
fn find_cards(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let may_be_digit = byte.is_ascii_digit() || (byte >= 0x80 && text.is_char_boundary(at));
        if may_be_digit {
            let chain = Chain::at(text, at);
            if chain.may_hold_card() {
                cards::find(text, at..chain.end, cards::Rule::Reference, |range| {
                    ranges.push(range);
                });
            }
            at = chain.end.max(at + 1);
        } else {
            at += 1;
        }
    }
    ranges
}

/// `\b[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Z]{2,}\b`, case ignored.
fn find_emails(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices('@') {
        if let Some(range) = email::around(text, from, at, Alphabet::Reference) {
            from = range.end;
            ranges.push(range);
        }
    }
    ranges
}

/// `\bBearer\s+[A-Za-z0-9._~+/=-]{16,}\b`.
fn find_bearers(text: &str) -> Vec<Range<usize>> {
    const WORD: &str = "Bearer";
    let mut ranges = Vec::new();
    let mut from = 0;
    for (start, _) in text.match_indices(WORD) {
        if start < from || word_ends(text, start) {
            continue;
        }
        let rest = text.get(start + WORD.len()..).unwrap_or_default();
        let token = rest.trim_start_matches(is_space);
        if token.len() == rest.len() {
            continue;
        }
        let token = text.len() - token.len();
        let end = token + run(text, token, is_bearer_byte);
        if let Some(end) = last_boundary(text, token + 16, end) {
            ranges.push(start..end);
            from = end;
        }
    }
    ranges
}

fn is_bearer_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
}

/// `\b(?:sk|api|secret|token|key)_[A-Za-z0-9][A-Za-z0-9._-]{14,}\b`, case ignored.
fn find_api_keys(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut from = 0;
    for (underscore, _) in text.match_indices('_') {
        if underscore < from {
            continue;
        }
        let Some(start) = api_prefix(text, from, underscore) else {
            continue;
        };
        let mut least = None;
        let mut end = underscore + 1;
        for (place, c) in text.get(end..).unwrap_or_default().chars().enumerate() {
            let letter_or_digit = c.is_ascii_digit() || fold(c).is_some();
            if !letter_or_digit && (place == 0 || !matches!(c, '.' | '_' | '-')) {
                break;
            }
            end += c.len_utf8();
            if place == 14 {
                least = Some(end);
            }
        }
        if let Some(end) = least.and_then(|least| last_boundary(text, least, end)) {
            ranges.push(start..end);
            from = end;
        }
    }
    ranges
}

/// Where the word before an underscore begins, if it is one of the five and nothing is before it.
fn api_prefix(text: &str, from: usize, underscore: usize) -> Option<usize> {
    let mut word = [0_u8; 6];
    let mut start = underscore;
    let mut free = word.len();
    for c in text.get(from..underscore)?.chars().rev() {
        if !is_word(c) {
            break;
        }
        free = free.checked_sub(1)?;
        *word.get_mut(free)? = fold(c)?;
        start -= c.len_utf8();
    }
    let known = matches!(
        word.get(free..)?,
        b"sk" | b"api" | b"secret" | b"token" | b"key"
    );
    // What stands before `from` was matched already, but still makes or breaks a word.
    (known && !word_ends(text, start)).then_some(start)
}

/// Whether the character before `at` is a word character.
fn word_ends(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_some_and(is_word)
}

/// The length of the run of bytes at `start` that `belongs` accepts.
fn run(text: &str, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    rest.iter()
        .position(|&byte| !belongs(byte))
        .unwrap_or(rest.len())
}

/// The last word boundary in `least..=end`, where greedy matching and `\b` end.
fn last_boundary(text: &str, least: usize, end: usize) -> Option<usize> {
    let mut after = text.get(end..)?.chars().next().is_some_and(is_word);
    let mut at = end;
    while at >= least {
        let before = text.get(..at)?.chars().next_back()?;
        if is_word(before) != after {
            return Some(at);
        }
        after = is_word(before);
        at -= before.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        scan(text, true, &mut |_| ()).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn the_results_measured_on_the_reference_hold() {
        for (text, expected) in [
            ("Bearer abcdefghijklmnop==", "[redacted-secret]=="),
            ("bearer abcdefghijklmnop", "bearer abcdefghijklmnop"),
            (
                "Bearer a@bbbbbbbbbbbbbbbbbbb.com",
                "Bearer [redacted-email]",
            ),
            (
                "4242424242424242@example.com",
                "****-****-****-[redacted-email]",
            ),
            ("0000000000000", "****-****-****-0000"),
            ("4242 4242 4242 4242 123", "****-****-****-4242 123"),
            ("12 4242 4242 4242 4242", "12 4242 4242 4242 4242"),
            ("CVV 123 4242424242424242", "CVV 123 4242424242424242"),
            ("sk_abcdefghijklmno", "[redacted-secret]"),
            ("sk_abcdefghijklmn", "sk_abcdefghijklmn"),
            ("my_sk_abcdefghijklmno", "my_sk_abcdefghijklmno"),
            ("ap\u{131}_abcdefghijklmno", "[redacted-secret]"),
            (
                "sk-abcdefghijklmnopqrst ghp_abcdefghijklmnopqrst",
                "sk-abcdefghijklmnopqrst ghp_abcdefghijklmnopqrst",
            ),
            ("Bearer\u{1c}abcdefghijklmnop", "[redacted-secret]"),
            ("", ""),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
        let arabic: String = "4242424242424242"
            .chars()
            .map(|c| char::from_u32(c as u32 + 0x630).unwrap())
            .collect();
        assert_eq!(
            masked(&arabic),
            "****-****-****-\u{664}\u{662}\u{664}\u{662}"
        );
    }

    #[test]
    fn each_card_is_one_finding_and_other_kinds_are_one_per_text() {
        let mut kinds = Vec::new();
        scan(
            "a@b.cc 4242424242424242, 4242424242424242 d@e.ff",
            false,
            &mut |kind| kinds.push(kind),
        );
        assert_eq!(kinds, [CARD, CARD, EMAIL]);
    }
}
