//! Time and chance, as arguments: the engine reads no clock and draws nothing itself.

mod parse;

use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This time and `duration` more; the end of time when it does not fit.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// This time less `duration`; the epoch when it does not fit.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// The civil date and time in UTC, by the days-from-civil method (proleptic Gregorian).
    fn civil(self) -> Civil {
        let (days, millis) = (self.0 / 86_400_000, self.0 % 86_400_000);
        // Count from 0000-03-01, so that the leap day is the last of its year.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Civil {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted + 2) / 5 + 1,
            millis,
        }
    }
}

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    millis: u64,
}

impl Timestamp {
    /// Appends the time as RFC 3339 in UTC with milliseconds: `2026-11-22T12:30:27.042Z`.
    pub(crate) fn push(self, out: &mut String) {
        let Civil {
            year,
            month,
            day,
            millis,
        } = self.civil();
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        push_digits(year, 4, out);
        for (before, number, width) in [
            ('-', month, 2),
            ('-', day, 2),
            ('T', seconds / 3_600, 2),
            (':', seconds / 60 % 60, 2),
            (':', seconds % 60, 2),
            ('.', millis, 3),
        ] {
            out.push(before);
            push_digits(number, width, out);
        }
        out.push('Z');
    }
}

/// Appends a number in decimal, with zeros in front up to `width` digits.
pub(crate) fn push_digits(mut number: u64, width: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut needed = 0;
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        if number > 0 {
            needed = place + 1;
        }
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 && place + 1 >= width {
            break;
        }
    }
    let shown = digits
        .get(20 - needed.max(width).clamp(1, 20)..)
        .unwrap_or_default();
    out.push_str(std::str::from_utf8(shown).unwrap_or_default());
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(24);
        self.push(&mut text);
        f.write_str(&text)
    }
}

/// Randomness for one call: 32 random bytes from outside, expanded as far as needed.
///
/// Ids come out of it, and a store's keys at their first use. The same seed gives the same ids, so
/// every call needs a seed of its own; an id that is taken already is an engine error, never a
/// second approval under one name.
#[derive(Clone)]
pub struct Entropy {
    seed: [u8; 32],
    drawn: u64,
}

impl Entropy {
    /// From 32 bytes of a cryptographic random source.
    pub const fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next 32 bytes, for a secret.
    pub fn draw_secret(&mut self) -> [u8; 32] {
        self.draw(Purpose::Secret)
    }

    /// The next 16 bytes, for an id that everybody may see.
    pub(crate) fn draw_id(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(self.draw(Purpose::Id)) {
            *to = from;
        }
        id
    }

    /// Ids are public and secrets are not, so the two come out of different hashes, wherever in
    /// the sequence they are drawn.
    fn draw(&mut self, purpose: Purpose) -> [u8; 32] {
        self.drawn += 1;
        let mut hasher = Sha256::new();
        hasher.update(self.seed);
        hasher.update(self.drawn.to_be_bytes());
        hasher.update([purpose as u8]);
        hasher.finalize().into()
    }
}

/// What a drawn number is for.
#[derive(Clone, Copy)]
enum Purpose {
    Id,
    Secret,
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// When a call is judged, and the chance it may use.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// The randomness.
    pub entropy: Entropy,
}

impl Moment {
    /// The time `now` with 32 fresh random bytes.
    pub const fn new(now: Timestamp, seed: [u8; 32]) -> Self {
        Self {
            now,
            entropy: Entropy::from_seed(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_rfc_3339_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_778_000_000_000, "2026-05-05T16:53:20.000Z"),
            (4_107_542_399_001, "2100-02-28T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
        }
    }

    #[test]
    fn numbers_print_as_they_do_elsewhere() {
        for number in [0, 7, 10, 99, 1_234_567_890, u64::MAX] {
            for width in [0, 1, 3, 20] {
                let mut text = String::new();
                push_digits(number, width, &mut text);
                assert_eq!(text, format!("{number:0width$}"));
            }
        }
    }

    #[test]
    fn time_does_not_wrap_at_its_ends() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(
            Timestamp::from_millis(5).minus(Duration::MAX),
            Timestamp::default()
        );
        assert!(!end.to_string().is_empty());
    }

    #[test]
    fn an_id_says_nothing_about_a_secret_of_the_same_seed() {
        let entropy = Entropy::from_seed([7; 32]);
        let (id, secret) = (entropy.clone().draw_id(), entropy.clone().draw_secret());
        assert_ne!(id, secret[..16]);
        assert_ne!(id, secret[16..]);
    }

    #[test]
    fn one_seed_gives_many_ids_and_the_same_ones_again() {
        let mut one = Entropy::from_seed([7; 32]);
        let mut other = Entropy::from_seed([7; 32]);
        let ids = [one.draw_id(), one.draw_id()];
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids, [other.draw_id(), other.draw_id()]);
        assert!(!format!("{one:?}").contains('7'));
    }
}
