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
struct Start {
    text: &'static [u8],
    pivot: usize,
    ignore_case: bool,
    row: usize,
}

/// The starts that share their rarest byte.
struct List {
    starts: Vec<Start>,
    /// Which bytes stand before the pivot in one of them; all, if one begins with it.
    before: [bool; 256],
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
            self.lists.push(List {
                starts: Vec::new(),
                before: [false; 256],
            });
            self.set(
                byte,
                FIRST_LIST + u8::try_from(self.lists.len() - 1).unwrap_or(0),
            );
            self.lists.len() - 1
        };
        let Some(list) = self.lists.get_mut(index) else {
            return;
        };
        match start.pivot.checked_sub(1).and_then(|at| start.text.get(at)) {
            Some(before) => {
                for byte in [before.to_ascii_lowercase(), before.to_ascii_uppercase()] {
                    if let Some(slot) = list.before.get_mut(usize::from(byte)) {
                        *slot = true;
                    }
                }
            }
            None => list.before = [true; 256],
        }
        list.starts.push(start);
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
        b'0'..=b'9' => 0,
        b'-' => 20,
        _ => 70,
    }
}

/// All matches of the table in `text`, in no order, overlapping.
pub(super) fn scan(text: &str) -> Vec<Hit> {
    let starts = &*STARTS;
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        hits: Vec::new(),
        known: secrets::scan(text),
        read: [0; ROWS.len()],
        userinfo: 0,
    };
    let mut at = 0;
    while let Some(rest) = scan.bytes.get(at..)
        && let Some(skip) = rest.iter().position(|&byte| starts.class(byte) != NOTHING)
    {
        at += skip;
        at = scan.step(starts, at);
    }
    scan.hits
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
            class @ (DIGIT | FOREIGN) => {
                let end = self.digits(at);
                if class == FOREIGN {
                    end.max(at + 1)
                } else {
                    end
                }
            }
            class => {
                let before = at
                    .checked_sub(1)
                    .and_then(|before| self.bytes.get(before))
                    .copied()
                    .unwrap_or_default();
                if let Some(list) = starts
                    .lists
                    .get(usize::from(class.wrapping_sub(FIRST_LIST)))
                    && list.before.get(usize::from(before)).is_some_and(|&may| may)
                {
                    for start in &list.starts {
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
        let Some(found) = self.bytes.get(at..at + start.text.len()) else {
            return;
        };
        let equal = if start.ignore_case {
            found.eq_ignore_ascii_case(start.text)
        } else {
            found == start.text
        };
        let (Some(row), Some(&read)) = (ROWS.get(start.row), self.read.get(start.row)) else {
            return;
        };
        if !equal || at < read {
            return;
        }
        let range = match &row.find {
            Find::Known => {
                let first = found.first().copied().unwrap_or_default();
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
        if let Some(range) = numbers::iban(self.bytes, at) {
            self.hits.push(Hit { range, row: IBAN });
        }
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
                .position(|&b| b == b' ')
                .map_or(rest.len(), |blank| blank + 1);
        }
        // A group right after `*-` is what a mask left of a card.
        let mut start = at;
        if self
            .bytes
            .get(..at)
            .is_some_and(|before| before.ends_with(b"****-"))
        {
            let rest = self.bytes.get(at..chain.end).unwrap_or_default();
            let group = rest
                .iter()
                .position(|&b| b == b' ' || b == b'-')
                .unwrap_or(rest.len());
            start += group
                + rest
                    .iter()
                    .skip(group)
                    .take_while(|&&b| b == b' ' || b == b'-')
                    .count();
        }
        let hits = &mut self.hits;
        cards::find(
            self.text,
            start..chain.end,
            cards::Rule::Thorough,
            |range| hits.push(Hit { range, row: CARDS }),
        );
    }
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
            for start in &list.starts {
                assert!(!start.text[start.pivot].is_ascii_digit());
            }
        }
    }
}
