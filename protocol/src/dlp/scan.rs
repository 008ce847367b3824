//! The one pass over a text that finds where the [table](super::table)'s detectors could match.
//!
//! Of each start (`eyJ`, `AKIA`, `@`, …) the byte that is rarest in ordinary text is looked for; a
//! table of 256 entries says for each byte of the text whether it is one of them. Where one
//! stands, the start is compared, and only then is the detector tried. So ordinary text costs one
//! table look-up a byte. Every step keeps the whole linear: a detector is not tried again inside
//! what it has read to its end.

use std::ops::Range;
use std::sync::LazyLock;

use super::cards::{self, Chain};
use super::email::{self, Alphabet};
use super::table::{CARDS, Find, IBAN, ROWS, SSN};
use super::{numbers, pairs, urls};
use crate::secrets::{self, SecretKind};

/// A match of a row, or of a user's detector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) row: usize,
}

/// What a byte of the text may be.
const NOTHING: u8 = 0;
const DIGIT: u8 = 1;
/// The first byte of a character that may be a digit of another script.
const FOREIGN: u8 = 2;
const FIRST_LIST: u8 = 3;

/// A start, and the place of its rarest byte.
#[derive(Clone)]
struct Start {
    text: &'static [u8],
    pivot: usize,
    ignore_case: bool,
    row: usize,
}

impl Start {
    fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        let same = |(found, wanted): (&u8, &u8)| {
            found == wanted || (self.ignore_case && found.eq_ignore_ascii_case(wanted))
        };
        bytes
            .get(at..at + self.text.len())
            .is_some_and(|found| found.iter().zip(self.text).all(same))
    }
}

/// The starts that share their rarest byte.
struct List {
    /// Those that begin with it.
    first: Vec<Start>,
    /// The others, by the byte before it; [`Self::group`] says where those of a byte are.
    groups: Vec<Vec<Start>>,
    group: [u8; 256],
}

impl List {
    const NO_GROUP: u8 = u8::MAX;

    fn new() -> Self {
        Self {
            first: Vec::new(),
            groups: Vec::new(),
            group: [Self::NO_GROUP; 256],
        }
    }

    fn add(&mut self, start: Start) {
        let Some(before) = start.pivot.checked_sub(1).and_then(|at| start.text.get(at)) else {
            self.first.push(start);
            return;
        };
        let cases = [before.to_ascii_lowercase(), before.to_ascii_uppercase()];
        let cases = if start.ignore_case && cases[0] != cases[1] {
            &cases[..]
        } else {
            std::slice::from_ref(before)
        };
        for &before in cases {
            let Some(slot) = self.group.get_mut(usize::from(before)) else {
                continue;
            };
            if *slot == Self::NO_GROUP {
                *slot = u8::try_from(self.groups.len()).unwrap_or(Self::NO_GROUP);
                self.groups.push(Vec::new());
            }
            if let Some(group) = self.groups.get_mut(usize::from(*slot)) {
                group.push(start.clone());
            }
        }
    }

    fn after(&self, before: u8) -> &[Start] {
        let group = self
            .group
            .get(usize::from(before))
            .copied()
            .unwrap_or(Self::NO_GROUP);
        self.groups
            .get(usize::from(group))
            .map_or(&[], Vec::as_slice)
    }
}

struct Starts {
    class: [u8; 256],
    lists: Vec<List>,
}

static STARTS: LazyLock<Starts> = LazyLock::new(Starts::new);

impl Starts {
    fn new() -> Self {
        let mut starts = Self {
            class: [NOTHING; 256],
            lists: Vec::new(),
        };
        for digit in b'0'..=b'9' {
            starts.set(digit, DIGIT);
        }
        // The scripts whose digits are of category Nd.
        for lead in [0xd9, 0xdb, 0xdf, 0xe0, 0xe1, 0xea, 0xef, 0xf0] {
            starts.set(lead, FOREIGN);
        }
        for (row, detector) in ROWS.iter().enumerate() {
            for text in detector.starts {
                let text = text.as_bytes();
                let pivot =
                    (0..text.len()).max_by_key(|&at| text.get(at).map_or(0, |&byte| rarity(byte)));
                let Some(pivot) = pivot else { continue };
                let Some(&byte) = text.get(pivot) else {
                    continue;
                };
                let start = |byte| {
                    (
                        byte,
                        Start {
                            text,
                            pivot,
                            ignore_case: detector.ignore_case,
                            row,
                        },
                    )
                };
                starts.add(start(byte));
                if detector.ignore_case && byte.is_ascii_lowercase() {
                    starts.add(start(byte.to_ascii_uppercase()));
                }
            }
        }
        starts
    }

    fn set(&mut self, byte: u8, class: u8) {
        if let Some(slot) = self.class.get_mut(usize::from(byte)) {
            *slot = class;
        }
    }

    fn add(&mut self, (byte, start): (u8, Start)) {
        let class = self
            .class
            .get(usize::from(byte))
            .copied()
            .unwrap_or(NOTHING);
        let index = if class >= FIRST_LIST {
            usize::from(class - FIRST_LIST)
        } else {
            self.lists.push(List::new());
            self.set(
                byte,
                FIRST_LIST + u8::try_from(self.lists.len() - 1).unwrap_or(0),
            );
            self.lists.len() - 1
        };
        if let Some(list) = self.lists.get_mut(index) {
            list.add(start);
        }
    }

    /// Where the next byte that may belong to a start stands, from `at` on.
    #[inline]
    fn next(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        rest.iter()
            .position(|&byte| self.class(byte) != NOTHING)
            .map(|skip| at + skip)
    }

    #[inline]
    fn class(&self, byte: u8) -> u8 {
        self.class
            .get(usize::from(byte))
            .copied()
            .unwrap_or(NOTHING)
    }
}

/// How rare a byte is in ordinary text. Digits are never a pivot: chains begin with them.
fn rarity(byte: u8) -> usize {
    const BY_FREQUENCY: &[u8] = b"etaoinshrdlcumwfgypbvkxqjz";
    let place = |byte: u8| {
        BY_FREQUENCY
            .iter()
            .position(|&letter| letter == byte)
            .unwrap_or(0)
    };
    match byte {
        b'a'..=b'z' => 1 + place(byte),
        b'A'..=b'Z' => 30 + place(byte.to_ascii_lowercase()),
        b'0'..=b'9' | b' ' => 0,
        b'-' => 20,
        _ => 70,
    }
}

/// All matches of the table in `text`, in no order, overlapping.
pub(super) fn scan(text: &str) -> Vec<Hit> {
    let starts = &*STARTS;
    // Most short texts end here.
    let Some(mut at) = starts.next(text.as_bytes(), 0) else {
        return Vec::new();
    };
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        hits: Vec::new(),
        known: secrets::scan(text),
        read: [0; ROWS.len()],
        userinfo: 0,
    };
    loop {
        at = scan.step(starts, at);
        match starts.next(scan.bytes, at) {
            Some(next) => at = next,
            None => return scan.hits,
        }
    }
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    hits: Vec<Hit>,
    known: secrets::Scan<'t>,
    /// Up to where each row has read: it does not begin before.
    read: [usize; ROWS.len()],
    /// The `@` after a URL's password, which is no address's.
    userinfo: usize,
}

impl Scan<'_> {
    /// Looks at the byte at `at`, which may belong to a start; returns where to go on.
    fn step(&mut self, starts: &Starts, at: usize) -> usize {
        let byte = self.bytes.get(at).copied().unwrap_or_default();
        match starts.class(byte) {
            DIGIT => {
                if let Some(range) = numbers::iban(self.bytes, at) {
                    self.hits.push(Hit { range, row: IBAN });
                }
                self.digits(at)
            }
            FOREIGN => self.digits(at).max(at + 1),
            class => {
                if let Some(list) = starts
                    .lists
                    .get(usize::from(class.wrapping_sub(FIRST_LIST)))
                {
                    let before = at.checked_sub(1).and_then(|before| self.bytes.get(before));
                    for start in list
                        .first
                        .iter()
                        .chain(list.after(before.copied().unwrap_or_default()))
                    {
                        self.start(start, at);
                    }
                }
                at + 1
            }
        }
    }

    /// Tries the row of `start`, whose pivot stands at `pivot`, if the rest of it stands there too.
    fn start(&mut self, start: &Start, pivot: usize) {
        let Some(at) = pivot.checked_sub(start.pivot) else {
            return;
        };
        let (Some(row), Some(&read)) = (ROWS.get(start.row), self.read.get(start.row)) else {
            return;
        };
        if at < read || (start.text.len() > 1 && !start.stands_at(self.bytes, at)) {
            return;
        }
        let range = match &row.find {
            Find::Known => {
                let first = start.text.first().copied().unwrap_or_default();
                // Cards are read with all other digits.
                let secret = self
                    .known
                    .secret_at(at, first)
                    .filter(|(kind, _)| *kind != SecretKind::Card);
                secret.map(|(_, end)| at..end)
            }
            Find::Pattern(pattern) => {
                if at
                    .checked_sub(1)
                    .and_then(|before| self.bytes.get(before))
                    .is_some_and(|&b| is_word(b))
                {
                    return;
                }
                pattern.at(self.text, at)
            }
            Find::Email if at < self.userinfo || (at == self.userinfo && at > 0) => None,
            Find::Email => email::around(self.text, read, at, Alphabet::International),
            Find::UrlPassword => {
                let password = urls::password(self.bytes, at);
                if let Some(password) = &password {
                    self.userinfo = password.end;
                }
                password
            }
            Find::Pair => pairs::value(self.text, at),
            Find::Digits => None,
        };
        let Some(range) = range else { return };
        // What fails the check fails it again from any later start inside it.
        if let Some(read) = self.read.get_mut(start.row) {
            *read = range.end;
        }
        if row
            .check
            .is_none_or(|check| self.text.get(range.clone()).is_some_and(check))
        {
            self.hits.push(Hit {
                range,
                row: start.row,
            });
        }
    }

    /// Reads the chain of digits at `at`, if there is one; returns its end.
    fn digits(&mut self, at: usize) -> usize {
        let chain = Chain::at(self.text, at);
        if chain.digits >= 9 {
            self.long_chain(at, &chain);
        }
        chain.end
    }

    #[cold]
    fn long_chain(&mut self, at: usize, chain: &Chain) {
        let mut group = at;
        while group < chain.end {
            if let Some(range) = numbers::us_ssn(self.bytes, group) {
                self.hits.push(Hit { range, row: SSN });
            }
            let rest = self.bytes.get(group..chain.end).unwrap_or_default();
            group += rest
                .iter()
                .position(|&b| matches!(b, b' ' | b'-'))
                .map_or(rest.len(), |blank| blank + 1);
        }
        let before = self.bytes.get(..at).unwrap_or_default();
        let is_separator = |byte: &u8| matches!(byte, b' ' | b'-');
        let blanks = before
            .iter()
            .rev()
            .take_while(|&byte| is_separator(byte))
            .count();
        let mut start = at;
        let mut rule = cards::Rule::Thorough;
        if before.ends_with(b"****-") {
            // The first group is what a mask left of a card.
            let rest = self.bytes.get(at..chain.end).unwrap_or_default();
            let group = rest.iter().position(is_separator).unwrap_or(rest.len());
            start += group
                + rest
                    .iter()
                    .skip(group)
                    .take_while(|&byte| is_separator(byte))
                    .count();
        } else if before
            .get(..before.len() - blanks)
            .is_some_and(ends_with_mask)
        {
            rule = cards::Rule::AfterMask;
        }
        let hits = &mut self.hits;
        cards::find(self.text, start..chain.end, rule, |range| {
            hits.push(Hit { range, row: CARDS });
        });
    }
}

fn ends_with_mask(text: &[u8]) -> bool {
    let Some(mask) = text.strip_suffix(b"]") else {
        return false;
    };
    let letters = mask
        .iter()
        .rev()
        .take(24)
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    mask.get(..mask.len() - letters)
        .is_some_and(|start| start.ends_with(b"[redacted-"))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_s_constants_name_its_rows() {
        for (row, kind) in [(CARDS, "credit_card_like"), (SSN, "us_ssn"), (IBAN, "iban")] {
            assert_eq!(ROWS[row].kind, kind);
        }
    }

    #[test]
    fn every_pattern_compiles_and_no_digit_is_a_pivot() {
        for row in &ROWS {
            if let Find::Pattern(pattern) = &row.find {
                assert_eq!(pattern.at("no match", 0), None, "{}", row.kind);
            }
        }
        for list in &STARTS.lists {
            for start in list.first.iter().chain(list.groups.iter().flatten()) {
                assert!(!start.text[start.pivot].is_ascii_digit());
            }
        }
    }
}
