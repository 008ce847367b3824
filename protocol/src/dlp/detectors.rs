//! Sets of detectors: the reference's, ours, and the user's own.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use regex::Regex;

use super::reference;
use super::scan::{self, Hit};
use super::table::{Mask, ROWS};
use super::{MASKED_EMAIL, MASKED_SECRET, Mode, Text, cards};

/// What is looked for.
///
/// [`Detectors::default`] finds, by the kind that findings name:
///
/// | kind | what |
/// |---|---|
/// | `private_key` | PEM private keys, to the end of the text when their end is missing |
/// | `jwt` | JSON Web Tokens |
/// | `aws_access_key`, `github_token`, `slack_token`, `stripe_key`, `google_api_key`, `sernixa_api_key` | keys by their prefix and form |
/// | `ai_api_key` | OpenAI, Anthropic and their like: `sk-…` |
/// | `bearer_token` | `Bearer` in any case and a token; in lower case only before what looks drawn at random |
/// | `api_key` | `sk_`, `api_`, `secret_`, `token_`, `key_` before what looks drawn at random, so that names such as `api_key_for_billing_service` stay readable |
/// | `credit_card_like` | what the reference finds, and cards with digits in front |
/// | `us_ssn`, `iban` | with the checks that they have |
/// | `url_password` | the password in `scheme://user:password@host` |
/// | `email` | addresses, of every script |
/// | `secret_pair` | `password=…`, `"client_secret": "…"`, `Authorization: Basic …` inside a text |
/// | `named_secret` | values under keys that announce a secret; strings at any depth below them, numbers directly below |
///
/// Keys are scanned as values are. Where matches overlap, one mask covers them all.
#[derive(Clone, Debug, Default)]
pub struct Detectors {
    base: Base,
    own: Vec<Detector>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Base {
    #[default]
    Table,
    Reference,
}

impl Detectors {
    /// Exactly what the reference SDK looks for, byte for byte (PROTOCOL 21): `credit_card_like`,
    /// `email`, `bearer_token`, `api_key`, in string values only.
    pub fn reference() -> Self {
        Self {
            base: Base::Reference,
            own: Vec::new(),
        }
    }

    /// These detectors and one more. It comes before the built-in ones where both match, and
    /// before those added earlier; after the reference's, it reads what they left.
    #[must_use]
    pub fn with(mut self, detector: Detector) -> Self {
        self.own.insert(0, detector);
        self
    }

    /// Whether keys are looked at, too.
    pub(super) fn read_keys(&self) -> bool {
        self.base == Base::Table
    }

    /// Reports the kinds found in `value`, and returns it masked if there are any. `mode` matters
    /// to the reference, whose detectors read what the one before them left when it masks.
    pub(super) fn scan(
        &self,
        value: &str,
        text: Text,
        mode: Mode,
        report: &mut dyn FnMut(Cow<'static, str>),
    ) -> Option<String> {
        match self.base {
            Base::Table => {
                let mut hits = scan::scan(value);
                self.add_own_hits(value, &mut hits);
                self.settle(value, hits, text, report)
            }
            Base::Reference => {
                let masked = reference::scan(value, mode == Mode::Mask, &mut |kind| {
                    report(Cow::Borrowed(kind));
                });
                let left = masked.as_deref().unwrap_or(value);
                let mut hits = Vec::new();
                self.add_own_hits(left, &mut hits);
                self.settle(left, hits, text, report).or(masked)
            }
        }
    }

    /// Adds the matches of the user's detectors, which count from the end of the table on.
    fn add_own_hits(&self, value: &str, hits: &mut Vec<Hit>) {
        for (index, detector) in self.own.iter().enumerate() {
            let row = ROWS.len() + index;
            let found = detector.pattern.find_iter(value).map(|found| found.range());
            hits.extend(
                found
                    .filter(|range| !range.is_empty())
                    .map(|range| Hit { range, row }),
            );
        }
    }

    /// Reports the matches, each kind once, and masks them. Those that overlap become one, under
    /// one mask; one inside another that begins earlier, or with it and takes precedence, is not
    /// reported.
    fn settle(
        &self,
        value: &str,
        mut hits: Vec<Hit>,
        text: Text,
        report: &mut dyn FnMut(Cow<'static, str>),
    ) -> Option<String> {
        if hits.is_empty() {
            return None;
        }
        hits.sort_unstable_by_key(|hit| (hit.range.start, hit.row < ROWS.len(), hit.row));
        let mut reported: Vec<usize> = Vec::new();
        let mut merged: Vec<Merged> = Vec::with_capacity(hits.len());
        for Hit { range, row } in hits {
            match merged.last_mut() {
                Some(last) if range.end <= last.range.end => {
                    // A mask that shows a part of the match must not show this one.
                    let shows = last.row.is_some_and(|row| shows_a_part(row, text));
                    if !shows || last.row == Some(row) {
                        continue;
                    }
                    last.row = None;
                }
                Some(last) if range.start < last.range.end => {
                    last.range.end = range.end;
                    last.row = None;
                }
                _ => merged.push(Merged {
                    range,
                    row: Some(row),
                }),
            }
            if !reported
                .iter()
                .any(|&before| self.kind(before) == self.kind(row))
            {
                report(self.owned_kind(row));
                reported.push(row);
            }
        }
        for part in &mut merged {
            // The domain that a reviewer would be shown is the name of a further address.
            let shown = part.row.is_some_and(|row| shows_a_domain(row, text));
            if shown && value.as_bytes().get(part.range.end) == Some(&b'@') {
                part.row = None;
            }
        }
        let ranges = merged.iter().map(|merged| merged.range.clone());
        let mut rows = merged.iter().map(|merged| merged.row);
        Some(replace(value, ranges, |found| {
            match rows.next().flatten() {
                None => Cow::Borrowed(MASKED_SECRET),
                Some(row) => self.mask(row, found, text),
            }
        }))
    }

    fn kind(&self, row: usize) -> &str {
        match ROWS.get(row) {
            Some(row) => row.kind,
            None => self.own(row).map_or("", |detector| &detector.kind),
        }
    }

    fn owned_kind(&self, row: usize) -> Cow<'static, str> {
        match ROWS.get(row) {
            Some(row) => Cow::Borrowed(row.kind),
            None => Cow::Owned(self.kind(row).to_owned()),
        }
    }

    fn own(&self, row: usize) -> Option<&Detector> {
        row.checked_sub(ROWS.len())
            .and_then(|own| self.own.get(own))
    }

    fn mask<'m>(&'m self, row: usize, found: &str, text: Text) -> Cow<'m, str> {
        match ROWS.get(row).map(|row| row.mask) {
            Some(Mask::Fixed(mask)) => Cow::Borrowed(mask),
            Some(Mask::Card) => Cow::Owned(cards::mask(found)),
            Some(Mask::Email) if text == Text::Reviewer => Cow::Owned(initial_and_domain(found)),
            Some(Mask::Email) => Cow::Borrowed(MASKED_EMAIL),
            None => Cow::Borrowed(
                self.own(row)
                    .map_or(MASKED_SECRET, |detector| &*detector.mask),
            ),
        }
    }
}

/// Matches that overlap, and the row whose mask they get; none when there are several.
struct Merged {
    range: Range<usize>,
    row: Option<usize>,
}

/// Whether the mask of a row leaves something of the match.
fn shows_a_part(row: usize, text: Text) -> bool {
    match ROWS.get(row).map(|row| row.mask) {
        Some(Mask::Card) => true,
        Some(Mask::Email) => text == Text::Reviewer,
        Some(Mask::Fixed(_)) | None => false,
    }
}

/// Whether the mask of a row leaves the domain of an address.
fn shows_a_domain(row: usize, text: Text) -> bool {
    text == Text::Reviewer && matches!(ROWS.get(row).map(|row| row.mask), Some(Mask::Email))
}

/// `a***@example.com`.
fn initial_and_domain(address: &str) -> String {
    let domain = address
        .rfind('@')
        .and_then(|at| address.get(at..))
        .unwrap_or_default();
    let initial = address.chars().next().unwrap_or('*');
    format!("{initial}***{domain}")
}

/// `text` with each of `ranges`, which are in order and do not overlap, replaced.
pub(super) fn replace<'m>(
    text: &str,
    ranges: impl IntoIterator<Item = Range<usize>>,
    mut replacement: impl FnMut(&str) -> Cow<'m, str>,
) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for range in ranges {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(&replacement(text.get(range.clone()).unwrap_or_default()));
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// A detector of the user's.
///
/// ```
/// use sernixa_protocol::dlp::{Detector, Detectors};
///
/// let badge = Detector::new("badge_number", r"\bEMP-\d{6}\b", "[redacted-badge]")?;
/// let detectors = Detectors::default().with(badge);
/// # Ok::<_, sernixa_protocol::dlp::DetectorError>(())
/// ```
#[derive(Clone)]
pub struct Detector {
    kind: Box<str>,
    pattern: Regex,
    mask: Box<str>,
}

impl Detector {
    /// A detector that calls what `pattern` matches a `kind` and puts `mask`, as it is, in its
    /// place.
    ///
    /// `pattern` has the syntax of the crate `regex`, with `\d`, `\w`, `\s`, `\b` and case by
    /// Unicode, without `\p{…}` classes. Its search is linear; looking for *all* matches can be
    /// quadratic for a few patterns that read far ahead of where they match, such as `.*x|a`.
    /// Masked text is masked again if `pattern` matches `mask`.
    ///
    /// # Errors
    /// When `kind` is blank, `pattern` is no regular expression or too large, or it matches the
    /// empty text.
    pub fn new(kind: &str, pattern: &str, mask: &str) -> Result<Self, DetectorError> {
        if kind.trim().is_empty() {
            return Err(DetectorError::BlankKind);
        }
        let pattern =
            Regex::new(pattern).map_err(|source| DetectorError::Pattern(Box::new(source)))?;
        if pattern.is_match("") {
            return Err(DetectorError::MatchesNothing);
        }
        Ok(Self {
            kind: kind.into(),
            pattern,
            mask: mask.into(),
        })
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("kind", &self.kind)
            .field("pattern", &self.pattern.as_str())
            .field("mask", &self.mask)
            .finish()
    }
}

/// Why a [`Detector`] cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorError {
    /// Findings would have no name.
    #[error("the kind of a detector is blank")]
    BlankKind,
    /// The source says what is wrong with it.
    #[error("the pattern of a detector is not a regular expression")]
    Pattern(#[source] Box<regex::Error>),
    /// It would match everywhere.
    #[error("the pattern of a detector matches the empty text")]
    MatchesNothing,
}
