//! The detectors that are on by default: a table, one row each, in order of precedence.
//!
//! A row names what its matches cannot begin without; [`scan`](super::scan) looks for these texts
//! in one pass and tries a row only where one of them stands. So what a row costs on ordinary text
//! is nothing, and a pattern needs no thought about what comes before it.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use super::MASKED_SECRET;
use super::reference::{API_KEY, BEARER, CARD, EMAIL};
use super::shape::looks_random;

/// One detector.
pub(super) struct Row {
    /// What a finding calls it.
    pub(super) kind: &'static str,
    /// What a match begins with, or contains for those that are written by hand.
    pub(super) starts: &'static [&'static str],
    pub(super) ignore_case: bool,
    pub(super) find: Find,
    /// Whether what the pattern matched is one; `None`: it is.
    pub(super) check: Option<fn(&str) -> bool>,
    pub(super) mask: Mask,
}

/// How a match is found where a start stands.
pub(super) enum Find {
    /// The pattern matches from the start on, and no letter, digit or underscore stands before.
    Pattern(Pattern),
    /// The scanners that the macro shares: [`secrets`](crate::secrets).
    Known,
    /// By hand, because a regular expression would be slow on hostile text or cannot say it.
    Email,
    UrlPassword,
    Pair,
    /// The digits of a chain: cards and social security numbers, and the IBAN around its start.
    Digits,
}

/// What stands for a match in masked text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mask {
    Fixed(&'static str),
    /// The last four digits stay.
    Card,
    /// As a whole; in text for the reviewer its first letter and domain stay.
    Email,
}

/// A regular expression, compiled when it is first tried.
pub(super) struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// The match at `start`.
    pub(super) fn at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let rest = text.get(start..)?;
        match self
            .compiled
            .get_or_init(|| Regex::new(&format!("^(?-u:{})", self.text)).ok())
        {
            Some(pattern) => pattern.find(rest).map(|found| start..start + found.end()),
            // A row that does not compile, which a test rules out, hides the rest of the text.
            None => Some(start..text.len()),
        }
    }
}

const fn known(kind: &'static str, starts: &'static [&'static str]) -> Row {
    Row {
        kind,
        starts,
        ignore_case: false,
        find: Find::Known,
        check: None,
        mask: Mask::Fixed(MASKED_SECRET),
    }
}

const fn pattern(
    kind: &'static str,
    starts: &'static [&'static str],
    pattern: &'static str,
) -> Row {
    let find = Find::Pattern(Pattern::new(pattern));
    Row {
        kind,
        starts,
        ignore_case: false,
        find,
        check: None,
        mask: Mask::Fixed(MASKED_SECRET),
    }
}

const fn by_hand(
    kind: &'static str,
    starts: &'static [&'static str],
    find: Find,
    mask: Mask,
) -> Row {
    Row {
        kind,
        starts,
        ignore_case: false,
        find,
        check: None,
        mask,
    }
}

impl Row {
    const fn any_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    const fn if_it(mut self, check: fn(&str) -> bool) -> Self {
        self.check = Some(check);
        self
    }
}

pub(super) static ROWS: [Row; 18] = [
    known("private_key", &["-----BEGIN "]),
    known("jwt", &["eyJ"]),
    known("aws_access_key", &["AKIA", "ASIA"]),
    known(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    ),
    known("slack_token", &["xox"]),
    known("stripe_key", &["sk_live_", "rk_live_"]),
    pattern(
        "stripe_key",
        &["sk_test_", "rk_test_", "whsec_"],
        r"(?:[sr]k_test|whsec)_[A-Za-z0-9]{16,}",
    ),
    pattern(
        "google_api_key",
        &["AIza", "GOCSPX-"],
        r"(?:AIza[A-Za-z0-9_-]{35,}|GOCSPX-[A-Za-z0-9_-]{20,})",
    ),
    // OpenAI, Anthropic and those that took over the form: `sk-proj-…`, `sk-ant-api03-…`.
    pattern("ai_api_key", &["sk-"], r"sk-[A-Za-z0-9_-]{20,}").if_it(looks_drawn),
    pattern(
        "sernixa_api_key",
        &["srnx_"],
        r"srnx_[a-z]+_[A-Za-z0-9_-]{16,}",
    ),
    // The reference's four, wider: any case, trailing `=`, other scripts, digits in front of cards;
    // and narrower: an `api_key_for_billing_service` is a name.
    pattern(
        BEARER,
        &["bearer"],
        r"(?i:bearer)(?:(?u:\s)|[\x1c-\x1f])+[A-Za-z0-9._~+/=-]{15,}[A-Za-z0-9_~+/=-]",
    )
    .any_case()
    .if_it(is_bearer),
    pattern(
        API_KEY,
        &["sk_", "api_", "secret_", "token_", "key_"],
        r"(?i:sk|api|secret|token|key)_[A-Za-z0-9][A-Za-z0-9._-]{13,}[A-Za-z0-9_]",
    )
    .any_case()
    .if_it(looks_drawn),
    by_hand(CARD, &[], Find::Digits, Mask::Card),
    by_hand("us_ssn", &[], Find::Digits, Mask::Fixed("[redacted-ssn]")),
    by_hand("iban", &[], Find::Digits, Mask::Fixed("[redacted-iban]")),
    by_hand(
        "url_password",
        &["://"],
        Find::UrlPassword,
        Mask::Fixed(MASKED_SECRET),
    ),
    by_hand(
        "secret_pair",
        &[":", "="],
        Find::Pair,
        Mask::Fixed(MASKED_SECRET),
    ),
    by_hand(EMAIL, &["@"], Find::Email, Mask::Email),
];
pub(super) const CARDS: usize = 12;
pub(super) const SSN: usize = 13;
pub(super) const IBAN: usize = 14;

/// Values under keys that announce a secret, whatever they look like.
pub(super) const NAMED: &str = "named_secret";

fn looks_drawn(found: &str) -> bool {
    looks_random(found.as_bytes())
}

/// `Bearer` is enough; `bearer` may be a word of a sentence.
fn is_bearer(found: &str) -> bool {
    found.starts_with("Bearer") || looks_random(found.as_bytes().get(6..).unwrap_or_default())
}
