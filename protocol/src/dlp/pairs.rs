//! `password=…`, `"secret": "…"`, `Authorization: Basic …`: a name that announces a secret, a
//! separator, and the secret.

use std::ops::Range;

use super::names::{Announces, announces};
use super::shape::looks_random;

/// Names are no longer than this, and blanks around a separator no wider.
const NAME: usize = 64;
const BLANKS: usize = 16;

/// Words that stand where a secret would and are none.
const PLACEHOLDERS: &[&str] = &[
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "required",
    "optional",
    "string",
    "str",
    "bytes",
    "redacted",
    "hidden",
    "masked",
    "missing",
    "empty",
    "changed",
    "expired",
    "invalid",
];

/// Authentication schemes: the credentials come after them.
const SCHEMES: &[&str] = &["basic", "bearer", "token", "digest", "apikey", "negotiate"];

/// The value of the pair whose separator, `:` or `=`, stands at `at`.
pub(super) fn value(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // Most separators follow neither a name nor what may stand between.
    let before = *bytes.get(at.checked_sub(1)?)?;
    if !is_name_byte(before) && !matches!(before, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\') {
        return None;
    }
    let name = name_before(bytes, at)?;
    let sure = announces(name)?;
    let separator = *bytes.get(at)?;
    // `secret://vault/path` is an address. All that is no pair must be known before its value is
    // read: the value may run over the pairs after it.
    if bytes.get(at + 1..at + 3) == Some(b"//".as_slice()) {
        return None;
    }
    // `==`, `:=` and `=>` separate, too.
    let after = match bytes.get(at + 1) {
        Some(b'=' | b'>') => at + 2,
        _ => at + 1,
    };
    let mut range = value_after(bytes, after)?;
    let mut convinces = separator == b'=';
    if is_authorization(name) && is_one_of(bytes.get(range.clone())?, SCHEMES) {
        range = value_after(bytes, range.end)?;
        // Base64 may be letters only, but hardly in the case of a word.
        convinces |= bytes
            .get(range.start + 1..range.end)?
            .iter()
            .any(|b| !b.is_ascii_lowercase());
    }
    let found = bytes.get(range.clone())?;
    if !(convinces || is_convincing(bytes, range.clone(), sure)) {
        return None;
    }
    let nothing = !found
        .iter()
        .any(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    (!nothing && !is_one_of(found, PLACEHOLDERS)).then_some(range)
}

fn is_authorization(name: &[u8]) -> bool {
    const WORD: &[u8] = b"authorization";
    let start = name.len().saturating_sub(WORD.len());
    name.get(start..)
        .is_some_and(|end| end.eq_ignore_ascii_case(WORD))
}

/// The name before the separator at `at`, past blanks and a closing quote.
fn name_before(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let before = bytes.get(at.saturating_sub(NAME + BLANKS)..at)?;
    let blanks = before
        .iter()
        .rev()
        .take(BLANKS)
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    let mut before = before.get(..before.len() - blanks)?;
    // `"password": …`, and the same inside a JSON string.
    for closing in [b"\"".as_slice(), b"'", b"`", b"\\"] {
        before = before.strip_suffix(closing).unwrap_or(before);
    }
    let length = before
        .iter()
        .rev()
        .take(NAME)
        .take_while(|&&b| is_name_byte(b))
        .count();
    before
        .get(before.len() - length..)
        .filter(|name| !name.is_empty())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The value from `at` on: in quotes up to the closing one, else up to a blank or a delimiter.
fn value_after(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?;
    let blanks = rest
        .iter()
        .take(BLANKS)
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    let escape = usize::from(rest.get(blanks) == Some(&b'\\'));
    let quote = rest
        .get(blanks + escape)
        .copied()
        .filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    let start = blanks + if quote.is_some() { escape + 1 } else { 0 };
    let value = rest.get(start..)?;
    if is_masked(value) {
        return None;
    }
    let length = if let Some(quote) = quote {
        let ends = |&b: &u8| b == quote || b == b'\n' || (escape == 1 && b == b'\\');
        value.iter().position(ends).unwrap_or(value.len())
    } else {
        let end = value
            .iter()
            .position(|&b| is_delimiter(b))
            .unwrap_or(value.len());
        // A sentence or a bracket ends after the value, not in it.
        let tail = value
            .get(..end)?
            .iter()
            .rev()
            .take_while(|b| b".)]}!?:".contains(b));
        end - tail.count()
    };
    (length > 0).then_some(at + start..at + start + length)
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b',' | b';' | b'&' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'\\'
        )
}

/// Whether what follows a `:` is a secret and not the rest of a sentence.
fn is_convincing(bytes: &[u8], range: Range<usize>, sure: Announces) -> bool {
    let value = bytes.get(range.clone()).unwrap_or_default();
    let is_word = value.len() < NAME && value.iter().all(u8::is_ascii_alphabetic);
    match sure {
        // "token: String", "authorization: granted".
        Announces::Perhaps => !is_word || looks_random(value),
        // "password: please reset it": a word, and more words after it.
        Announces::Secret => {
            let quoted = range
                .start
                .checked_sub(1)
                .and_then(|at| bytes.get(at))
                .is_some_and(|b| b"\"'`".contains(b));
            quoted || !is_word || looks_random(value) || !words_follow(bytes, range.end)
        }
    }
}

/// Whether a blank and a plain word follow, which is not the name of a next pair. What was masked
/// counts as a word, so that masking makes no pair out of a sentence.
fn words_follow(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((b' ', rest)) = rest.split_first() else {
        return false;
    };
    let word = rest
        .iter()
        .take(NAME)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let goes_on = matches!(rest.get(word), Some(b':' | b'=' | b'_' | b'0'..=b'9'));
    is_masked(rest) || (word > 0 && !goes_on)
}

/// Whether a whole mask stands here: what only begins like one may be a secret.
pub(super) fn is_masked(text: &[u8]) -> bool {
    if let Some(rest) = text.strip_prefix(b"[redacted") {
        // `[redacted]`, `[redacted-email]`, …; what the mask left over may follow.
        let kind = rest
            .iter()
            .position(|b| !b.is_ascii_lowercase() && *b != b'-');
        return kind.and_then(|end| rest.get(end)) == Some(&b']');
    }
    let Some(rest) = text.strip_prefix(b"****") else {
        return false;
    };
    match rest.strip_prefix(b"-****-****-") {
        // The card's last four digits follow, in any script.
        Some(rest) => !rest.first().is_some_and(u8::is_ascii_alphabetic),
        None => !rest.first().is_some_and(u8::is_ascii_alphanumeric),
    }
}

fn is_one_of(value: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        text.match_indices([':', '='])
            .find_map(|(at, _)| value(text, at))
            .map(|range| &text[range])
    }

    #[test]
    fn what_is_named_a_secret_is_found() {
        for (text, secret) in [
            ("password=hunter2", "hunter2"),
            ("password = 'two words', user=x", "two words"),
            ("password: swordfish", "swordfish"),
            ("password: swordfish, host: x", "swordfish"),
            ("password: swordfish host: x", "swordfish"),
            ("the secret: s3cr3t.", "s3cr3t"),
            (r#"{"client_secret": "abc"}"#, "abc"),
            (r#"{\"api_key\":\"abc\"}"#, "abc"),
            ("https://x/?access_token=abc&y=1", "abc"),
            ("AWS_SECRET_ACCESS_KEY=abc/def+ghi", "abc/def+ghi"),
            ("PGPASSWORD:=x", "x"),
            ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            ("token: 8f14e45f", "8f14e45f"),
            ("(password=abc)", "abc"),
            ("password=пароль", "пароль"),
            ("password=****hunter2", "****hunter2"),
            ("password=[redacted-hunter2", "[redacted-hunter2"),
        ] {
            assert_eq!(found(text), Some(secret), "{text}");
        }
    }

    #[test]
    fn sentences_types_and_placeholders_are_not() {
        for text in [
            "password: please reset it for the customer",
            "the secret: always listen first",
            "token: String",
            "authorization: granted",
            "password=null",
            "password: required",
            "password=",
            "password: ",
            "password=[redacted-secret]",
            "password=****",
            "password=****-****-****-4242",
            "password=[redacted-email], host=x",
            "password={}",
            "secret://vault/path",
            "authorization: bearer tokens are accepted",
            "idempotency_key=abc123",
            "note: hunter2",
            "=",
            ":::",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
