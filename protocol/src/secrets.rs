//! Byte scanners for text that is unmistakably a secret (DESIGN 3): the macro refuses such
//! literals, the client refuses them in governance fields, DLP masks them.
//!
//! They know the forms whose prefix or checksum leaves no doubt, and nothing vaguer: a false
//! alarm here stops a build. Every scanner is linear in the text.

use std::ops::Range;

/// What kind of secret a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretKind {
    /// A PEM block with a private key.
    PrivateKey,
    /// A signed JSON Web Token.
    Jwt,
    /// An AWS access key id.
    AwsKey,
    /// A GitHub token, classic or fine-grained.
    GitHubToken,
    /// A live Stripe key.
    StripeKey,
    /// A Slack token.
    SlackToken,
    /// A payment card number whose check digit is right.
    Card,
}

impl SecretKind {
    /// What it is, for a message: `a private key`, `a JWT`.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key",
            Self::Jwt => "a JWT",
            Self::AwsKey => "an AWS access key",
            Self::GitHubToken => "a GitHub token",
            Self::StripeKey => "a live Stripe key",
            Self::SlackToken => "a Slack token",
            Self::Card => "a payment card number",
        }
    }
}

/// A secret and where it stands, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub kind: SecretKind,
    /// Where it stands; both ends are character boundaries.
    pub range: Range<usize>,
}

/// The kind of the first secret in `text`, if it holds one.
pub fn find(text: &str) -> Option<SecretKind> {
    scan(text).next().map(|secret| secret.kind)
}

/// All secrets in `text`, in order, without overlap.
pub fn scan(text: &str) -> Scan<'_> {
    Scan {
        bytes: text.as_bytes(),
        at: 0,
        jwt_barren_until: 0,
    }
}

/// The iterator of [`scan`].
#[derive(Clone, Debug)]
pub struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// No JWT starts before this: the run of token characters up to here has no second part.
    /// Without it, `eyJ-eyJ-eyJ-…` would be read to its end once per `eyJ`.
    jwt_barren_until: usize,
}

impl Iterator for Scan<'_> {
    type Item = Secret;

    fn next(&mut self) -> Option<Secret> {
        let bytes = self.bytes;
        let mut start = self.at;
        if self.in_word(start) {
            start = word_end(bytes, start);
        }
        while let Some(&byte) = bytes.get(start) {
            // A form begins at `-` or with a word; most words begin none, and are passed over.
            let class = class(byte);
            if class & BEGINS != 0
                && let Some((kind, end)) = self.secret_at(start, byte)
            {
                self.at = end;
                return Some(Secret {
                    kind,
                    range: start..end,
                });
            }
            start += 1;
            if class & WORD != 0 {
                start = word_end(bytes, start);
            }
        }
        self.at = bytes.len();
        None
    }
}

/// Where the word ends that goes on at `from`.
fn word_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let length = rest.iter().position(|&byte| class(byte) & WORD == 0);
    from + length.unwrap_or(rest.len())
}

/// A byte with which one of the forms begins.
const BEGINS: u8 = 1;
/// A byte of a word.
const WORD: u8 = 2;

/// What a byte can be, as bits of [`BEGINS`] and [`WORD`].
fn class(byte: u8) -> u8 {
    const CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut rest: &mut [u8] = &mut classes;
        let mut byte = 0;
        while let [class, tail @ ..] = rest {
            let begins = matches!(
                byte,
                b'-' | b'e' | b'A' | b'g' | b's' | b'r' | b'x' | b'3'..=b'6'
            );
            *class = if begins { BEGINS } else { 0 } | if is_word(byte) { WORD } else { 0 };
            byte = byte.wrapping_add(1);
            rest = tail;
        }
        classes
    };
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

impl Scan<'_> {
    /// The secret that begins at `start`, where `first` stands, and its end.
    pub(crate) fn secret_at(&mut self, start: usize, first: u8) -> Option<(SecretKind, usize)> {
        // The first byte rules out all but one form, so most bytes cost one comparison.
        match first {
            b'-' => private_key(self.bytes, start).map(|end| (SecretKind::PrivateKey, end)),
            _ if !first.is_ascii_alphanumeric() || self.in_word(start) => None,
            b'e' => self.jwt(start).map(|end| (SecretKind::Jwt, end)),
            b'A' => aws_key(self.bytes, start).map(|end| (SecretKind::AwsKey, end)),
            b'g' => github_token(self.bytes, start).map(|end| (SecretKind::GitHubToken, end)),
            b's' | b'r' => stripe_key(self.bytes, start).map(|end| (SecretKind::StripeKey, end)),
            b'x' => slack_token(self.bytes, start).map(|end| (SecretKind::SlackToken, end)),
            b'3'..=b'6' => card(self.bytes, start).map(|end| (SecretKind::Card, end)),
            _ => None,
        }
    }

    /// Whether the byte before `at` belongs to the same word, so that no secret begins here.
    fn in_word(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|before| self.bytes.get(before))
            .is_some_and(|&b| is_word(b))
    }

    /// `eyJ….….…`: header, payload and signature in base64url.
    fn jwt(&mut self, start: usize) -> Option<usize> {
        if start < self.jwt_barren_until || !starts_with(self.bytes, start, b"eyJ") {
            return None;
        }
        let header = run(self.bytes, start, is_base64url);
        let end = (header - start >= 10)
            .then(|| dotted_run(self.bytes, header, 10))
            .flatten()
            .and_then(|payload| dotted_run(self.bytes, payload, 10));
        if end.is_none() {
            // A later start in the same run has a shorter header and the same rest.
            self.jwt_barren_until = header;
        }
        end
    }
}

/// `-----BEGIN … PRIVATE KEY-----` up to its END line, or to the end of a text that was cut.
fn private_key(bytes: &[u8], start: usize) -> Option<usize> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const LABEL_END: &[u8] = b"PRIVATE KEY-----";
    if !starts_with(bytes, start, BEGIN) {
        return None;
    }
    // Labels are short ("ENCRYPTED", "OPENSSH"); the bound keeps the scan linear.
    let window = bytes.get(start + BEGIN.len()..)?;
    let window = window.get(..48).unwrap_or(window);
    let label = position(window, LABEL_END)?;
    // Labels are upper-case (RFC 7468); a sentence about one is no key.
    let is_label = |&byte: &u8| byte.is_ascii_uppercase() || byte == b' ';
    window.get(..label)?.iter().all(is_label).then_some(())?;
    let body = start + BEGIN.len() + label + LABEL_END.len();
    let rest = bytes.get(body..)?;
    Some(position(rest, LABEL_END).map_or(bytes.len(), |at| body + at + LABEL_END.len()))
}

/// `AKIA…` or `ASIA…`: 16 upper-case letters and digits after the prefix, and no more.
fn aws_key(bytes: &[u8], start: usize) -> Option<usize> {
    if !starts_with(bytes, start, b"AKIA") && !starts_with(bytes, start, b"ASIA") {
        return None;
    }
    let end = run(bytes, start + 4, |b| {
        b.is_ascii_uppercase() || b.is_ascii_digit()
    });
    let ends_there = !bytes.get(end).is_some_and(|&b| is_word(b));
    (end - start == 20 && ends_there).then_some(end)
}

/// `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_` and 36 characters, or `github_pat_` and 22 or more.
fn github_token(bytes: &[u8], start: usize) -> Option<usize> {
    if let Some([b'g', b'h', b'p' | b'o' | b'u' | b's' | b'r', b'_']) = bytes.get(start..start + 4)
    {
        let end = run(bytes, start + 4, |b| b.is_ascii_alphanumeric());
        return (end - start >= 4 + 36).then_some(end);
    }
    if starts_with(bytes, start, b"github_pat_") {
        let end = run(bytes, start + 11, is_word);
        return (end - start >= 11 + 22).then_some(end);
    }
    None
}

/// `sk_live_` or `rk_live_` and at least 16 letters and digits.
fn stripe_key(bytes: &[u8], start: usize) -> Option<usize> {
    if !starts_with(bytes, start + 1, b"k_live_") {
        return None;
    }
    let end = run(bytes, start + 8, |b| b.is_ascii_alphanumeric());
    (end - start >= 8 + 16).then_some(end)
}

/// `xoxb-`, `xoxp-`, `xoxa-`, `xoxr-`, `xoxs-`, `xoxe-` and at least 10 characters.
fn slack_token(bytes: &[u8], start: usize) -> Option<usize> {
    let prefix = bytes.get(start..start + 5)?;
    let [
        b'x',
        b'o',
        b'x',
        b'b' | b'p' | b'a' | b'r' | b's' | b'e',
        b'-',
    ] = prefix
    else {
        return None;
    };
    let end = run(bytes, start + 5, |b| b.is_ascii_alphanumeric() || b == b'-');
    (end - start >= 5 + 10).then_some(end)
}

/// A card number: 13 to 19 digits, in one piece or in groups of three to six parted by one
/// space or hyphen, of a card network's range (3 to 6), not all the same, with a right check digit.
fn card(bytes: &[u8], start: usize) -> Option<usize> {
    let mut digits = [0_u8; 19];
    let mut count = 0;
    let mut at = start;
    let mut found = None;
    loop {
        let group_end = run(bytes, at, |b| b.is_ascii_digit());
        let group = bytes.get(at..group_end)?;
        let whole = count == 0 && group.len() >= 13;
        if !whole && !(3..=6).contains(&group.len()) {
            break;
        }
        let Some(slots) = digits.get_mut(count..count + group.len()) else {
            break;
        };
        slots.copy_from_slice(group);
        count += group.len();
        // A letter or underscore after the digits makes them part of a word.
        if bytes.get(group_end).is_some_and(|&b| is_word(b)) {
            break;
        }
        if digits.get(..count).is_some_and(is_card) {
            found = Some(group_end);
        }
        let joined = matches!(bytes.get(group_end), Some(b' ' | b'-'))
            && bytes.get(group_end + 1).is_some_and(u8::is_ascii_digit);
        if whole || !joined {
            break;
        }
        at = group_end + 1;
    }
    found
}

fn is_card(digits: &[u8]) -> bool {
    let varied = digits
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a != b));
    (13..=19).contains(&digits.len())
        && varied
        && luhn(digits.iter().rev().map(|digit| digit - b'0'))
}

/// Whether decimal digits, last one first, have a right check digit (ISO/IEC 7812-1, annex B).
/// No digits at all do.
pub fn luhn(reversed: impl Iterator<Item = u8>) -> bool {
    let sum: u32 = reversed
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit);
            match (place % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => digit * 2,
                _ => digit * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn starts_with(bytes: &[u8], at: usize, prefix: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(prefix))
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// The end of the run of bytes from `start` on that `belongs` accepts.
fn run(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|&b| !belongs(b)).unwrap_or(rest.len())
}

/// The end of a dot and at least `least` base64url characters at `at`.
fn dotted_run(bytes: &[u8], at: usize, least: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'.') {
        return None;
    }
    let end = run(bytes, at + 1, is_base64url);
    (end - at > least).then_some(end)
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Put together at run time, so that no scanner of repositories takes the test for a leak.
    fn samples() -> Vec<(SecretKind, String)> {
        let alnum = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let pem = format!(
            "-----BEGIN {}PRIVATE KEY-----\nMIIE\n-----END {}PRIVATE KEY-----",
            "RSA ", "RSA "
        );
        vec![
            (SecretKind::PrivateKey, pem),
            (SecretKind::Jwt, format!("eyJ{alnum}.eyJ{alnum}.{alnum}")),
            (SecretKind::AwsKey, format!("AKIA{}", "IOSFODNN7EXAMPLE")),
            (SecretKind::GitHubToken, format!("ghp_{alnum}")),
            (SecretKind::GitHubToken, format!("ghs_{alnum}")),
            (SecretKind::GitHubToken, format!("github_pat_{alnum}_x")),
            (SecretKind::StripeKey, format!("sk_live_{alnum}")),
            (SecretKind::StripeKey, format!("rk_live_{alnum}")),
            (SecretKind::SlackToken, format!("xoxb-123456789012-{alnum}")),
            (SecretKind::Card, "4242424242424242".into()),
            (SecretKind::Card, "4242 4242 4242 4242".into()),
            (SecretKind::Card, "3782-822463-10005".into()),
        ]
    }

    #[test]
    fn each_form_is_found_with_its_exact_range_wherever_it_stands() {
        for (kind, secret) in samples() {
            for (before, after) in [("", ""), ("pay with ", " today"), ("é:", "\né"), ("(", ")")]
            {
                let text = format!("{before}{secret}{after}");
                let range = before.len()..before.len() + secret.len();
                assert_eq!(
                    scan(&text).collect::<Vec<_>>(),
                    [Secret { kind, range }],
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_form_that_is_cut_or_inside_a_word_is_no_secret() {
        for (_, secret) in samples() {
            assert_eq!(
                find(&format!("x{secret}").replace("-----", "----")),
                None,
                "{secret}"
            );
        }
        for harmless in [
            "",
            "order 12345",
            "4242 4242 4242 4241",
            "4242424242424242x",
            "0000000000000000",
            "1778000000000",
            "AKIA1234",
            "AKIAIOSFODNN7EXAMPLEX",
            "ghp_short",
            "sk_test_a1B2c3D4e5F6g7H8i9J0",
            "token_refresh_worker_loop",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJIUzI1NiJ9.short.x",
            "-----BEGIN PUBLIC KEY-----",
            "+1 415 555 0100",
            "ghp",
            "xox",
            "-----BEGIN ",
        ] {
            assert_eq!(find(harmless), None, "{harmless}");
        }
    }

    #[test]
    fn a_private_key_without_its_end_is_secret_to_the_end_of_the_text() {
        let text = format!("key: -----BEGIN {}-----\nMIIE", "PRIVATE KEY");
        assert_eq!(
            scan(&text).next().map(|secret| secret.range),
            Some(5..text.len())
        );
    }

    #[test]
    fn two_secrets_are_two() {
        let text = format!("AKIA{0} AKIA{0}", "IOSFODNN7EXAMPLE");
        assert_eq!(
            scan(&text).map(|s| s.range).collect::<Vec<_>>(),
            [0..20, 21..41]
        );
    }

    #[test]
    fn hostile_repetition_takes_linear_time() {
        // Quadratic, each of these would be 10^12 steps and never end.
        for unit in [
            "eyJ-",
            "eyJaaaaaaaaaa.",
            "-----BEGIN ",
            "4 ",
            "4242 ",
            "xoxb-",
            "ghp_",
            "AKIA",
            "42",
        ] {
            let text = unit.repeat(1_000_000 / unit.len());
            assert!(scan(&text).count() <= text.len());
        }
        let text = format!("-----BEGIN {}-----", "PRIVATE KEY").repeat(30_000);
        assert!(scan(&text).count() > 0);
    }
}
