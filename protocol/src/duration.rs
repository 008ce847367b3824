//! Durations as people write them: `90s`, `15m`, `1h30m`, `30d`.

use std::fmt;
use std::time::Duration;

/// The units, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads numbers with their units, the larger unit first. Anything else is `None`, a number without
/// a unit too: nobody shall have to guess which.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        // Each unit once, in this order: what was passed does not come again.
        let (_, worth) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(*worth)?;
        millis = millis.checked_add(part)?;
        rest = after.trim_start();
    }
    Some(Duration::from_millis(millis))
}

/// A duration as [`parse`] reads it.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        for (unit, worth) in UNITS {
            if millis >= worth {
                write!(f, "{}{unit}", millis / worth)?;
                millis %= worth;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_as_people_write_it_and_shows_as_it_reads() {
        for (text, millis) in [
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("30d", 2_592_000_000),
            ("250ms", 250),
            ("1h 30m", 5_400_000),
            ("0s", 0),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(text), Some(duration), "{text}");
            assert_eq!(parse(&Shown(duration).to_string()), Some(duration));
        }
    }

    #[test]
    fn what_could_mean_two_things_is_no_duration() {
        for text in [
            "",
            " ",
            "15",
            "m",
            "15 m",
            "-1s",
            "1.5h",
            "30m1h",
            "1m1m",
            "1y",
            "15M",
            "9999999999999999d",
            "18446744073709551616ms",
            "1h30",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
